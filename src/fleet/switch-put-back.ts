/**
 * Putting back: whatever runs now, afterwards there runs what these seats say, as far as that can
 * be had. Rollback and recovery are the same thing, begun from different places.
 */
import { NS_PER_MS } from "../core/units.ts";
import type { Seat } from "./fleet-file.ts";
import type { Fleet, Place } from "./supervisor-state.ts";
import { withForgivingJournal } from "./supervisor-state.ts";
import {
  awaitHealthy,
  becomeReady,
  endServer,
  refuseStuck,
  sleepServer,
  startServer,
  stuckFailure,
  wakeServer,
} from "./switch-acts.ts";
import type { SwitchFailure } from "./switch-failure.ts";
import { asStepFailure } from "./switch-failure.ts";
import { awaitMemoryFor } from "./switch-memory.ts";
import { startOrder } from "./switch-order.ts";
import { keepModel } from "./switch-resident.ts";
import { pauseUntil } from "./switch-wait.ts";

/** What ran before ran: one failed start of it is more likely chance than cause, three are not. */
const PUT_BACK_ATTEMPTS = 3;
/** Between them: a port or memory that was late may be there by then. */
const PUT_BACK_PAUSE_MS = 2_000;

/**
 * Never throws for what servers or the disk do. What could not be put back is `failed` and returned
 * with its cause. Once `ending` is aborted, nothing more is started: all is about to be stopped.
 */
export async function putBack(
  fleet: Fleet,
  seats: readonly Seat[],
  why: { readonly step: string; readonly reason: string },
  ending?: AbortSignal,
): Promise<readonly SwitchFailure[]> {
  const forgiving = withForgivingJournal(fleet);
  forgiving.journal.append({ kind: "put-back", step: why.step, reason: why.reason });
  const wanted = new Map(seats.map((seat) => [seat.preset.name, seat]));
  await Promise.all(
    fleet.state.places().map(async (place) => {
      if (place.seat?.serverId === wanted.get(place.name)?.serverId) return;
      await endServer(forgiving, place, "its start was taken back");
    }),
  );
  await Promise.all(seats.filter(({ as }) => as !== "ready").map((seat) => restWhereItWas(forgiving, seat)));
  const failures: SwitchFailure[] = [];
  for (const seat of startOrder(seats.filter(({ as }) => as === "ready"))) {
    const failure = await bringBack(forgiving, seat, ending);
    if (failure !== undefined) failures.push(failure);
  }
  return failures;
}

/** Undefined when it is ready again. */
async function bringBack(
  fleet: Fleet,
  seat: Seat,
  ending: AbortSignal | undefined,
): Promise<SwitchFailure | undefined> {
  const { state } = fleet;
  const place = state.place(seat.preset.name);
  let failure: SwitchFailure | undefined;
  for (let attempt = 1; attempt <= PUT_BACK_ATTEMPTS; attempt++) {
    if (ending?.aborted === true) return failure;
    try {
      await ready(fleet, place, seat, ending);
      return undefined;
    } catch (thrown) {
      failure = { ...asStepFailure(thrown, "put-back").failure, preset: place.name };
      if (!(await endServer(fleet, place, failure.message))) break;
      // Memory was waited for as long as it is worth, and a process that hangs goes on hanging.
      if (failure.code === "MEMORY_NOT_FREED" || failure.code === "SERVER_STUCK") break;
    }
    const { clock } = fleet.world;
    if (attempt < PUT_BACK_ATTEMPTS)
      await pauseUntil(clock, clock.nowNs() + attempt * PUT_BACK_PAUSE_MS * NS_PER_MS, ending);
  }
  place.seat = seat;
  if (failure !== undefined && place.condition.state !== "failed")
    state.apply(place, { kind: "gave-up", reason: failure.message });
  return failure;
}

/** From whatever state it is in. Throws StepFailure. */
async function ready(fleet: Fleet, place: Place, seat: Seat, ending?: AbortSignal): Promise<void> {
  const { server } = place;
  if (server !== undefined && server.exit === undefined) {
    switch (place.condition.state) {
      case "ready":
      case "restarting":
        // One that went down in the meantime is the health loop's.
        return;
      case "draining":
        return fleet.state.apply(place, { kind: "admit" });
      case "asleep":
        await awaitMemoryFor(fleet, seat.preset, "wake", ending);
        await wakeServer(fleet, place, server, ending);
        return becomeReady(fleet, server);
      case "starting":
        await awaitHealthy(fleet, server, ending);
        return becomeReady(fleet, server);
      case "failed":
        if (server.process === undefined) return keepModel(fleet, place, server);
        break;
      case "stopped":
      case "stopping":
    }
  }
  if (!(await endServer(fleet, place))) throw stuckFailure(fleet, place.name);
  refuseStuck(fleet, seat);
  await awaitMemoryFor(fleet, seat.preset, "start", ending);
  await becomeReady(fleet, await startServer(fleet, seat, ending));
}

/** A sleeper sleeps on, or is gone: its start can wait until somebody asks. What had failed stays so. */
async function restWhereItWas(fleet: Fleet, seat: Seat): Promise<void> {
  const { state } = fleet;
  const place = state.place(seat.preset.name);
  if (seat.as === "failed") {
    if (place.condition.state === "failed") return;
    if (!(await endServer(fleet, place))) return;
    place.seat = seat;
    return state.apply(place, { kind: "gave-up", reason: seat.reason ?? "it had failed before" });
  }
  const { server } = place;
  if (place.condition.state === "asleep" && server?.exit === undefined) return;
  const awake = place.condition.state === "starting" || place.condition.state === "draining";
  if (awake && server !== undefined && (await sleepServer(fleet, place, server)) === undefined) return;
  await endServer(fleet, place, "it could not be put back to sleep");
}
