/**
 * What the supervisor before left behind: a switch whose incoming servers were all started is
 * finished, any other is put back. Living servers are taken over by number, start time and boot, or
 * by the id in their environment; whatever else carries an id of ours is stopped. Nothing is done
 * to a process that carries none.
 */
import type { ProcessIdentity } from "../core/process-identity.ts";
import { fixedPort } from "../preset/preset.ts";
import type { Seat } from "./fleet-file.ts";
import type { LeftBehind, LeftServer } from "./recover-records.ts";
import { readLeftBehind } from "./recover-records.ts";
import type { Fleet, Server } from "./supervisor-state.ts";
import { settle, settleOrWarn } from "./supervisor-state.ts";
import { awaitHealthy, becomeReady, endProcess, endStrays, programOf, seatServer } from "./switch-acts.ts";
import { asStepFailure, stepFailure } from "./switch-failure.ts";
import { startOrder } from "./switch-order.ts";
import { putBack } from "./switch-put-back.ts";
import type { ServerProcess } from "./world.ts";

/** A process whose preset is not known any more gets this long after SIGTERM. */
const SUSPECT_GRACE_MS = 10_000;

export type Tell = (message: string, preset?: string) => void;

/** Does not fail for what servers or the disk do: what could not be had is `failed`, and a warning says so. */
export async function recover(fleet: Fleet, tell: Tell, ending: AbortSignal): Promise<void> {
  const left = readLeftBehind(fleet);
  const { state } = fleet;
  const wanted = left.unfinished?.finish === true ? left.unfinished.target : left.seats;
  await Promise.all(left.servers.map((server) => takeOverOrEnd(fleet, server, wanted, tell)));
  state.mode = left.mode;
  state.lastTransaction = left.lastTransaction;
  if (left.unfinished?.finish === true && (await finish(fleet, left.unfinished, tell, ending))) return;
  const reason =
    left.unfinished === undefined
      ? left.lentTo === undefined
        ? "a new supervisor begins"
        : `${left.lentTo} ended without giving the machine back`
      : "the supervisor ended in the middle of a switch";
  if (left.unfinished !== undefined)
    tell("a switch was cut off in the middle: putting back what ran before it");
  if (left.lentTo !== undefined)
    tell(`the machine was lent to ${left.lentTo}, which is gone: putting back what ran before it`);
  const notPutBack = await putBack(fleet, left.seats, { step: "recover", reason }, ending);
  for (const { preset, message } of notPutBack)
    fleet.events.warn(`${preset} could not be put back: ${message}`, preset);
  if (left.unfinished !== undefined) state.lastTransaction = left.unfinished.transaction;
  settleOrWarn(fleet);
}

/** False when it has to be put back after all. */
async function finish(
  fleet: Fleet,
  { target, mode, transaction }: NonNullable<LeftBehind["unfinished"]>,
  tell: Tell,
  ending: AbortSignal,
): Promise<boolean> {
  const { state } = fleet;
  const before = { mode: state.mode, lastTransaction: state.lastTransaction };
  tell(
    `a switch${mode === undefined ? "" : ` to ${mode}`} was cut off with all its servers started: finishing it`,
  );
  try {
    for (const seat of startOrder(target.filter(({ as }) => as === "ready"))) {
      const { name } = seat.preset;
      const { server } = state.place(name);
      if (server === undefined)
        throw stepFailure("recover", {
          code: "PROCESS_FAILED",
          message: `${name} had been started and is gone`,
          nextStep: "read its log",
        });
      await awaitHealthy(fleet, server, ending);
      await becomeReady(fleet, server);
    }
    Object.assign(state, { mode, lastTransaction: transaction });
    settle(fleet);
    return true;
  } catch (thrown) {
    const { failure } = asStepFailure(thrown, "recover");
    Object.assign(state, before);
    tell(`it cannot be finished: ${failure.message}`, failure.preset);
    return false;
  }
}

async function takeOverOrEnd(
  fleet: Fleet,
  left: LeftServer,
  wanted: readonly Seat[],
  tell: Tell,
): Promise<void> {
  const seat = wanted.find(({ serverId, as }) => serverId === left.serverId && as !== "failed");
  const server = serverOf(fleet, left, seat);
  if (seat !== undefined && server !== undefined) return takeOver(fleet, left, server, tell);
  if (server === undefined) {
    const graceMs = left.preset?.stopGraceMs ?? SUSPECT_GRACE_MS;
    const living = fleet.world.findByServerId(left.serverId).length > 0;
    const stuck = await endStrays(fleet, left.serverId, graceMs);
    if (stuck !== undefined) fleet.events.warn(stuck, left.preset?.name);
    else if (living) tell("a process of ours that belongs to nothing was stopped", left.preset?.name);
    return;
  }
  const { name } = server.seat.preset;
  const stuck = await endProcess(fleet, server);
  if (stuck === undefined) return tell(`a server of ${name} that is not wanted was stopped`, name);
  fleet.state.leftovers.push(server);
  fleet.events.warn(`${name}: ${stuck}`, name);
}

/** Undefined when nothing of it lives, or what lives cannot be talked to. */
function serverOf(fleet: Fleet, left: LeftServer, seat: Seat | undefined): Server | undefined {
  const { world } = fleet;
  const { preset, serverId } = left;
  const port = left.port ?? (preset === undefined ? undefined : fixedPort(preset));
  if (preset === undefined || port === undefined) return undefined;
  const launch = world.describe(preset, port);
  const process = locate(fleet, left);
  if (programOf(launch) !== undefined && process === undefined) return undefined;
  return {
    seat: seat ?? { preset, hash: left.hash ?? "", serverId, as: "ready" },
    port,
    launch,
    client: world.connect(preset, launch),
    ...(process === undefined ? {} : { process }),
  };
}

function locate({ world }: Fleet, { identity, serverId }: LeftServer): ServerProcess | undefined {
  const noted = identity === undefined ? undefined : world.adopt(identity, serverId);
  if (noted !== undefined) return noted;
  const [first] = world.findByServerId(serverId).toSorted(byStart);
  return first === undefined ? undefined : world.adopt(first, serverId);
}

/** Children carry their parent's environment; the first to start is the one that was started. */
function byStart(one: ProcessIdentity, other: ProcessIdentity): number {
  return Number(one.startTicks ?? 0) - Number(other.startTicks ?? 0) || one.pid - other.pid;
}

function takeOver(fleet: Fleet, left: LeftServer, server: Server, tell: Tell): void {
  const { state } = fleet;
  const { name } = server.seat.preset;
  const place = state.place(name);
  seatServer(fleet, place, server);
  state.apply(place, { kind: "start" });
  // Where it is not known whether a move was done, the move is asked for again: it does no harm twice.
  const sleeps = server.seat.as === "asleep" ? left.moved !== "wake" : left.moved === "sleep";
  if (sleeps) state.apply(place, { kind: "fell-asleep" });
  const pid = server.process?.identity.pid;
  tell(`${name} is taken over${pid === undefined ? "" : ` (process ${pid})`}`, name);
}
