/** Running requests are waited for before a server is stopped, up to the preset's limit. */
import type { Fleet, Place } from "./supervisor-state.ts";
import { abortedAt } from "./switch-failure.ts";
import { answerWithin, pollUntil } from "./switch-wait.ts";

/** A busy server answers late; what it does not say within this is asked again. */
const ACTIVITY_LIMIT_MS = 2_000;

/**
 * Waits for leases to be given back and slots to fall idle. After a preset's limit what still runs
 * is cut off, and an event says so. Throws StepFailure when the signal is aborted.
 */
export async function drainServers(
  fleet: Fleet,
  places: readonly Place[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(places.map((place) => drainServer(fleet, place, signal)));
}

async function drainServer(fleet: Fleet, place: Place, signal: AbortSignal): Promise<void> {
  const { server, name } = place;
  if (server === undefined || place.condition.state !== "draining") return;
  const { clock } = fleet.world;
  const { drainLimitMs } = server.seat.preset;
  let busySlots: number | undefined;
  const waited = await pollUntil(clock, drainLimitMs, signal, async () => {
    if (server.exit !== undefined) return true;
    busySlots = (await answerWithin(clock, ACTIVITY_LIMIT_MS, server.client.activity(), { busySlots: 1 }))
      .busySlots;
    return place.leases.size === 0 && (busySlots ?? 0) === 0 ? true : undefined;
  });
  if (waited.kind === "aborted") throw abortedAt("drain", signal.reason);
  if (waited.kind === "late")
    fleet.events.warn(
      `${name} was not idle within ${drainLimitMs} ms: ${place.leases.size} leases and ` +
        `${busySlots ?? "an unknown number of"} slots were cut off`,
      name,
    );
}
