/** Running requests are waited for before a server is stopped, up to the preset's limit. */
import { NS_PER_MS } from "../core/units.ts";
import type { Fleet, Place, Server } from "./supervisor-state.ts";
import { abortedAt } from "./switch-failure.ts";
import { answerWithin, pollUntil } from "./switch-wait.ts";
import type { ServerActivity } from "./world.ts";

/** A busy server answers late; what it does not say within this is asked again. */
const ACTIVITY_LIMIT_MS = 2_000;

/** Where neither the server nor the system shows whether requests run: most answers are through by then. */
const UNSEEN_WORK_WAIT_MS = 10_000;

/** What is known of a server's work. Unknown is not idle. */
type Work =
  | { readonly seenBy: "slots" | "connections"; readonly count: number }
  | { readonly seenBy: "nothing" };

/**
 * Waits for leases to be given back and slots to fall idle. A server that does not count its slots
 * is busy while clients are connected to it; where that cannot be seen either, a fixed time is
 * waited. After a preset's limit, or once `cut` is aborted, what still runs is cut off, and an event
 * says so. Throws StepFailure when the signal is aborted.
 */
export async function drainServers(
  fleet: Fleet,
  places: readonly Place[],
  signal: AbortSignal,
  cut?: AbortSignal,
): Promise<void> {
  await Promise.all(places.map((place) => drainServer(fleet, place, signal, cut)));
}

async function drainServer(
  fleet: Fleet,
  place: Place,
  signal: AbortSignal,
  cut: AbortSignal | undefined,
): Promise<void> {
  const { server, name } = place;
  if (server === undefined || place.condition.state !== "draining") return;
  const { clock } = fleet.world;
  const { drainLimitMs } = server.seat.preset;
  const unseenUntilNs = clock.nowNs() + Math.min(UNSEEN_WORK_WAIT_MS, drainLimitMs) * NS_PER_MS;
  let work: Work = { seenBy: "nothing" };
  const halt = cut === undefined ? signal : AbortSignal.any([signal, cut]);
  const waited = await pollUntil(clock, drainLimitMs, halt, async () => {
    if (server.exit !== undefined) return true;
    work = await workOf(fleet, server);
    if (place.leases.size > 0) return undefined;
    const isOver = work.seenBy === "nothing" ? clock.nowNs() >= unseenUntilNs : work.count === 0;
    return isOver ? true : undefined;
  });
  if (signal.aborted) throw abortedAt("drain", signal.reason);
  if (server.exit !== undefined) return;
  const wereCut = `${remains(work, place.leases.size)} were cut off`;
  if (waited.kind === "late")
    fleet.events.warn(`${name} was not idle within ${drainLimitMs} ms: ${wereCut}`, name);
  else if (waited.kind === "aborted")
    fleet.events.warn(`${name} was not waited for, as was asked: ${wereCut}`, name);
  else if (work.seenBy === "nothing")
    fleet.events.warn(`${name} does not show its requests: what still ran was cut off`, name);
}

async function workOf({ world }: Fleet, { client, port, process }: Server): Promise<Work> {
  // In a server that somebody else keeps nothing is cut off: an unload waits for its requests itself.
  if (process === undefined) return { seenBy: "slots", count: 0 };
  const late: ServerActivity = { busySlots: 1 };
  const { busySlots } = await answerWithin(world.clock, ACTIVITY_LIMIT_MS, client.activity(), late);
  if (busySlots !== undefined) return { seenBy: "slots", count: busySlots };
  const connections = world.clientsOf(port);
  return connections === undefined ? { seenBy: "nothing" } : { seenBy: "connections", count: connections };
}

function remains(work: Work, leases: number): string {
  const requests =
    work.seenBy === "nothing" ? "requests that nobody could see" : `${work.count} ${work.seenBy}`;
  return `${leases} leases and ${requests}`;
}
