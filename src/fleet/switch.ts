/**
 * A switch as a transaction: begin, stop admitting, drain, stop or sleep, wait for memory, start in
 * order of dependence, health, one token, commit. Whatever fails, what ran before is put back.
 */
import type { SwitchPlan, SwitchReport } from "./control/protocol.ts";
import type { Seat } from "./fleet-file.ts";
import type { WantedPreset } from "./plan-switch.ts";
import type { Fleet } from "./supervisor-state.ts";
import { newId, newSeat, settle, settleOrWarn } from "./supervisor-state.ts";
import { becomeReady, startServer, wakeServer } from "./switch-acts.ts";
import { asStepFailure, presetFailure, refuseAborted, stepFailure } from "./switch-failure.ts";
import { letGo } from "./switch-let-go.ts";
import { awaitMemory, sumOf } from "./switch-memory.ts";
import { putBack } from "./switch-put-back.ts";
import type { StepRecorder } from "./switch-steps.ts";

export interface SwitchOrder {
  /** What it is called in progress lines: a mode, or a preset that is started or stopped. */
  readonly label: string;
  /** The mode that the fleet is in afterwards. */
  readonly mode?: string;
  readonly plan: Pick<SwitchPlan, "keep" | "stop" | "start">;
  /** All that is to run afterwards. */
  readonly presets: readonly WantedPreset[];
  /** Places that the switch does not concern: presets that were given up on before. */
  readonly untouched?: readonly Seat[];
  /** Once it is aborted, running requests are cut off instead of waited for; the order goes on. */
  readonly cut?: AbortSignal;
}

export interface SwitchHandles {
  readonly steps: StepRecorder;
  /** Calls the switch off: what ran before is put back. */
  readonly signal: AbortSignal;
  /** Nothing is to be started any more, not even to put it back. */
  readonly ending: AbortSignal;
}

/** Throws DISK_FULL, DIRECTORY_UNWRITABLE while nothing is touched; later failures are in the report. */
export async function performSwitch(
  owner: Fleet,
  order: SwitchOrder,
  handles: SwitchHandles,
): Promise<SwitchReport> {
  const { steps, signal, ending } = handles;
  const fleet = { ...owner, journal: steps.timed(owner.journal) };
  const { state } = fleet;
  const before = { seats: state.seats(), mode: state.mode };
  const transaction = newId(fleet.world, "transaction");
  const target = targetSeats(fleet, order);
  await steps.own({ step: "begin", message: `${order.label}: noting the plan` }, () => {
    if (state.unsettled) settle(fleet);
    fleet.journal.append({
      kind: "begin",
      transaction,
      ...(order.mode === undefined ? {} : { mode: order.mode }),
      target: [...target],
    });
  });
  try {
    await forward(fleet, order, target, steps, signal);
    await steps.own({ step: "commit", message: `${order.label}: committing` }, () => {
      refuseAborted(signal, "commit");
      refuseFallen(fleet, target);
      commit(fleet, order.mode, transaction);
    });
  } catch (thrown) {
    const { failure } = asStepFailure(thrown, steps.current);
    fleet.events.warn(`${order.label}: ${failure.message}; putting back what ran before`, failure.preset);
    const notPutBack = await steps.engines(
      {
        step: "put-back",
        message: `${failure.step} failed: ${failure.message}; putting back what ran before`,
      },
      () => rollBack(fleet, before, { transaction, step: failure.step, reason: failure.message }, ending),
    );
    return {
      ...closing("rolled-back", fleet, steps),
      failure,
      ...(notPutBack.length === 0 ? {} : { notPutBack }),
    };
  }
  fleet.events.note(`${order.label}: done`);
  return closing("committed", fleet, steps);
}

function closing(outcome: SwitchReport["outcome"], { state }: Fleet, steps: StepRecorder): SwitchReport {
  const runs = state.places().filter((place) => place.condition.state === "ready");
  return {
    outcome,
    ...(state.mode === undefined ? {} : { mode: state.mode }),
    runs: runs.map(({ name }) => name),
    steps: steps.steps,
    ...steps.times,
  };
}

/** Ids of what is started are drawn here, so that they are on the disk before any process carries one. */
function targetSeats({ state, world }: Fleet, { plan, presets, untouched }: SwitchOrder): Seat[] {
  const starts = new Map(plan.start.map((start) => [start.preset, start.how]));
  const running = presets.map(({ preset, hash }): Seat => {
    const { seat } = state.place(preset.name);
    const stays = plan.keep.includes(preset.name) || starts.get(preset.name) === "wake";
    return stays && seat !== undefined
      ? { preset, hash, serverId: seat.serverId, as: "ready" }
      : newSeat(world, preset, hash);
  });
  const named = new Set(running.map(({ preset }) => preset.name));
  const asleep = state.places().flatMap(({ name, seat, condition }): Seat[] => {
    if (seat === undefined || named.has(name)) return [];
    const stop = plan.stop.find(({ preset }) => preset === name);
    const sleeps = stop === undefined ? condition.state === "asleep" : stop.how === "sleep";
    return sleeps ? [{ ...seat, as: "asleep" }] : [];
  });
  return [...running, ...asleep, ...(untouched ?? [])];
}

async function forward(
  fleet: Fleet,
  { label, cut, plan }: SwitchOrder,
  target: Seat[],
  steps: StepRecorder,
  signal: AbortSignal,
): Promise<void> {
  const { state } = fleet;
  const byId = new Map(target.map((seat) => [seat.serverId, seat]));
  const outgoing = state
    .places()
    .filter(({ seat }) => seat !== undefined && byId.get(seat.serverId) === undefined);
  const sleepy = state
    .places()
    .filter(
      ({ seat, condition }) =>
        byId.get(seat?.serverId ?? "")?.as === "asleep" && condition.state !== "asleep",
    );
  const leave = { label, outgoing, sleepy, ...(cut === undefined ? {} : { cut }) };
  await letGo(fleet, leave, steps, signal);

  const incoming = plan.start.flatMap(
    ({ preset }) => target.find((seat) => seat.preset.name === preset) ?? [],
  );
  if (incoming.length > 0)
    await steps.engines({ step: "memory", message: `${label}: waiting until the memory is free` }, () =>
      awaitMemory(fleet, sumOf(plan.start.map(({ needsBytes }) => needsBytes)), signal),
    );
  for (const seat of incoming) {
    refuseAborted(signal, "start");
    const { name } = seat.preset;
    await steps.engines({ step: "start", preset: name, message: `starting ${name}` }, () =>
      bringUp(fleet, seat, signal),
    );
  }
  for (const { name } of incoming.map(({ preset }) => preset)) {
    refuseAborted(signal, "canary");
    await steps.engines(
      { step: "canary", preset: name, message: `asking ${name} for one token` },
      async () => {
        const { server } = state.place(name);
        if (server !== undefined) await becomeReady(fleet, server);
      },
    );
  }
  await steps.own({ step: "after-boot", message: `${label}: looking at what memory is left` }, () =>
    refuseTightMemory(fleet, incoming.length),
  );
  adoptSettings(fleet, target);
}

async function bringUp(fleet: Fleet, seat: Seat, signal: AbortSignal): Promise<void> {
  const place = fleet.state.place(seat.preset.name);
  if (place.condition.state === "asleep" && place.server !== undefined)
    return wakeServer(fleet, place, place.server, signal);
  await startServer(fleet, seat, signal);
}

/** A preset whose description or limits were edited runs on, under its new ones. */
function adoptSettings({ state }: Fleet, target: readonly Seat[]): void {
  for (const seat of target) {
    const place = state.place(seat.preset.name);
    if (place.seat?.serverId === seat.serverId) place.seat = { ...seat, as: place.seat.as };
  }
}

async function refuseTightMemory(fleet: Fleet, started: number): Promise<void> {
  if (started === 0) return;
  const { freeBytes } = await fleet.world.memory();
  const { poolAfterBootBytes } = fleet.profile();
  if (freeBytes >= poolAfterBootBytes) return;
  throw stepFailure("after-boot", {
    code: "MEMORY_SHORT",
    message: `${freeBytes} bytes are left with all servers ready, at least ${poolAfterBootBytes} are to be`,
    nextStep: "see `slipway mode plan` for what would fit, and declare more memory for the presets",
  });
}

function refuseFallen(fleet: Fleet, target: readonly Seat[]): void {
  for (const seat of target) {
    if (seat.as !== "ready") continue;
    const { name, condition, server } = fleet.state.place(seat.preset.name);
    if (condition.state === "ready" || server === undefined) continue;
    const told = {
      code: "PROCESS_FAILED",
      message: `${name} was up, and fell before the switch was done`,
      nextStep: "read its log, and try the preset alone",
    } as const;
    throw presetFailure(fleet, "commit", name, told, server.exit);
  }
}

function commit(fleet: Fleet, mode: string | undefined, transaction: string): void {
  const { state } = fleet;
  const before = { mode: state.mode, lastTransaction: state.lastTransaction };
  Object.assign(state, { mode, lastTransaction: transaction });
  try {
    settle(fleet);
  } catch (thrown) {
    Object.assign(state, before);
    throw thrown;
  }
}

async function rollBack(
  fleet: Fleet,
  before: { readonly seats: readonly Seat[]; readonly mode: string | undefined },
  why: { readonly transaction: string; readonly step: string; readonly reason: string },
  ending: AbortSignal,
): ReturnType<typeof putBack> {
  const notPutBack = await putBack(fleet, before.seats, why, ending);
  fleet.state.mode = before.mode;
  fleet.state.lastTransaction = why.transaction;
  settleOrWarn(fleet);
  return notPutBack;
}
