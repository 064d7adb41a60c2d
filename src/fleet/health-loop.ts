/** Asks every server that is up how it is, and whether it gets anything done. */
import { NS_PER_MS } from "../core/units.ts";
import type { HealthRecord } from "./health-policy.ts";
import { HEALTHY, afterCanary, afterHealth, nextHealthWaitMs } from "./health-policy.ts";
import type { Fleet, Place, Server } from "./supervisor-state.ts";
import { noteActivity } from "./supervisor-status.ts";
import { CANARY_LIMIT_MS, HEALTH_ANSWER_LIMIT_MS } from "./switch-acts.ts";
import { answerWithin, pauseUntil } from "./switch-wait.ts";

/**
 * Watches this server until it is no longer the preset's, or the supervisor ends. `onDown` is told
 * once for each time it goes down or stalls.
 */
export async function watchHealth(
  fleet: Fleet,
  place: Place,
  server: Server,
  ended: AbortSignal,
  onDown: (why: string) => void,
): Promise<void> {
  const { clock, random } = fleet.world;
  const isOver = (): boolean => ended.aborted || place.server !== server || server.exit !== undefined;
  let record = HEALTHY;
  while (!isOver()) {
    await pauseUntil(clock, clock.nowNs() + nextHealthWaitMs(random) * NS_PER_MS, ended);
    const { state } = place.condition;
    if (isOver() || (state !== "ready" && state !== "draining" && state !== "restarting")) continue;
    record = await askOnce(fleet, place, server, record);
    if (isOver()) return;
    const now = place.condition.state;
    if (record.state === "up" && now === "restarting") {
      fleet.state.apply(place, { kind: "became-ready" });
      fleet.events.note(`${place.name} is up again by itself`, place.name);
    }
    if (record.state !== "up" && (now === "ready" || now === "draining"))
      onDown(record.reason ?? `it is ${record.state}`);
  }
}

async function askOnce(
  fleet: Fleet,
  place: Place,
  server: Server,
  before: HealthRecord,
): Promise<HealthRecord> {
  const { clock } = fleet.world;
  const { client } = server;
  const [health, activity] = await Promise.all([
    answerWithin(clock, HEALTH_ANSWER_LIMIT_MS, client.health(), {
      kind: "down",
      reason: `no answer within ${HEALTH_ANSWER_LIMIT_MS} ms`,
    }),
    answerWithin(clock, HEALTH_ANSWER_LIMIT_MS, client.activity(), {}),
  ]);
  noteActivity(fleet, place, activity);
  const { record, askCanary } = afterHealth(before, { health, activity, nowNs: clock.nowNs() });
  if (!askCanary) return record;
  const canary = await answerWithin(clock, CANARY_LIMIT_MS, client.canary(), {
    kind: "silent",
    reason: `no token within ${CANARY_LIMIT_MS} ms`,
  });
  return afterCanary(record, canary, clock.nowNs());
}
