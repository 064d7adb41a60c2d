/**
 * What a transaction does to one server. Each act notes its intent before it acts, and moves the
 * preset's state; none decides what should run.
 */
import { assert } from "../core/assert.ts";
import { OperatorError } from "../core/errors.ts";
import type { LaunchDescription } from "../preset/launch.ts";
import type { Seat } from "./fleet-file.ts";
import type { Fleet, Place, Server } from "./supervisor-state.ts";
import type { StepFailure } from "./switch-failure.ts";
import { abortedAt, asStepFailure, presetFailure, stepFailure } from "./switch-failure.ts";
import { choosePort } from "./switch-port.ts";
import { loadModel, unloadModel } from "./switch-resident.ts";
import { answerWithin, pollUntil } from "./switch-wait.ts";
import type { Health } from "./world.ts";

/** Loopback answers in milliseconds; a server under full load has been seen to take seconds. */
export const HEALTH_ANSWER_LIMIT_MS = 10_000;

/** One token behind a cold start: kernels are compiled and weights paged in. Study 003's slowest first token took 44 s. */
export const CANARY_LIMIT_MS = 60_000;

/** A sleep or wake moves the weights between host and GPU: seconds, with room. */
const MOVE_LIMIT_MS = 60_000;

/**
 * Starts a server for this seat and waits until it is healthy. The preset is `starting` then, and
 * `becomeReady` is next. Throws StepFailure; what was started is left for `endServer`.
 */
export async function startServer(fleet: Fleet, seat: Seat, signal?: AbortSignal): Promise<Server> {
  const { name } = seat.preset;
  const place = fleet.state.place(name);
  assert(place.server === undefined, `${name} starts while it has a server`);
  refuseStuck(fleet, seat);
  place.seat = seat;
  if (place.condition.state !== "restarting") fleet.state.apply(place, { kind: "start" });
  try {
    await spawn(fleet, place, seat);
  } catch (thrown) {
    throw startFailure(fleet, name, thrown);
  }
  const server = place.server as Server | undefined;
  assert(server !== undefined, `${name} has no server after its start`);
  await awaitHealthy(fleet, server, signal);
  if (server.launch.kind === "resident") await loadModel(fleet, server);
  return server;
}

/** A process that hangs still has this seat's id: beside it another could not be told apart. */
export function refuseStuck(fleet: Fleet, { serverId, preset }: Seat): void {
  if (fleet.state.leftovers.some(({ seat }) => seat.serverId === serverId))
    throw stuckFailure(fleet, preset.name);
}

/** Of what did not end or leave, and why. */
export function stuckFailure(fleet: Fleet, name: string): StepFailure {
  const { state } = fleet;
  const place = state.place(name);
  const server = place.server ?? state.leftovers.find(({ seat }) => seat.preset.name === name);
  if (server?.launch.kind === "resident" && server.process === undefined)
    return stepFailure("stop", {
      code: "MODEL_STILL_LOADED",
      message: `${name} stays loaded in the server that holds it: ${place.condition.reason ?? "it was asked to go, and did not"}`,
      nextStep: "ask again when its requests have ended, or raise drainLimitMs in the preset",
    });
  return presetFailure(fleet, "stop", name, {
    code: "SERVER_STUCK",
    message: `${name} does not end, not even by SIGKILL, and its memory is not free`,
    nextStep: "see in what it hangs with `ps -o pid,stat,wchan`; a reboot ends it",
  });
}

function startFailure(fleet: Fleet, name: string, thrown: unknown): Error {
  if (thrown instanceof OperatorError && thrown.code === "PROCESS_FAILED")
    return presetFailure(fleet, "start", name, thrown);
  return asStepFailure(thrown, "start", name);
}

async function spawn(fleet: Fleet, place: Place, seat: Seat): Promise<void> {
  const { world, journal } = fleet;
  const { preset, serverId } = seat;
  const port = await choosePort(world, preset, place.lastPort);
  const launch = world.describe(preset, port);
  journal.append({ kind: "start", preset: preset.name, serverId, port });
  const program = programOf(launch);
  const process = program === undefined ? undefined : await world.start(program, preset, serverId);
  seatServer(fleet, place, {
    seat,
    port,
    launch,
    client: world.connect(preset, launch),
    ...(process === undefined ? {} : { process }),
  });
  journal.append({
    kind: "started",
    serverId,
    ...(process === undefined ? {} : { identity: process.identity }),
  });
}

export function programOf(
  launch: LaunchDescription,
): (LaunchDescription & { readonly kind: "process" }) | undefined {
  return launch.kind === "process" ? launch : launch.server;
}

/** From here on the end of its process is noticed. */
export function seatServer(fleet: Fleet, place: Place, server: Server): void {
  place.server = server;
  place.seat = server.seat;
  place.lastPort = server.port;
  void server.process?.exited.then((exit) => {
    server.exit = exit;
    fleet.onExit(server);
  });
}

/** Throws StepFailure: the process ended, the start limit passed, or the signal was aborted. */
export async function awaitHealthy(fleet: Fleet, server: Server, signal?: AbortSignal): Promise<void> {
  const { preset } = server.seat;
  const { clock } = fleet.world;
  const halt = new AbortController();
  const onAbort = (): void => halt.abort();
  signal?.addEventListener("abort", onAbort, { once: true });
  void server.process?.exited.then(onAbort);
  let last: Health = { kind: "loading" };
  try {
    if (signal?.aborted === true) halt.abort();
    const waited = await pollUntil(clock, preset.startLimitMs, halt.signal, async () => {
      last = await answerWithin(clock, HEALTH_ANSWER_LIMIT_MS, server.client.health(), {
        kind: "down",
        reason: `no answer within ${HEALTH_ANSWER_LIMIT_MS} ms`,
      });
      return last.kind === "healthy" ? true : undefined;
    });
    if (server.exit !== undefined) throw endedEarly(fleet, server, "health");
    if (waited.kind === "aborted") throw abortedAt("health", signal?.reason);
    if (waited.kind === "late") throw neverHealthy(fleet, server, last);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

function endedEarly(fleet: Fleet, server: Server, step: string): Error {
  const { name } = server.seat.preset;
  const told = {
    code: "PROCESS_FAILED",
    message: `${name} ended before it could serve`,
    nextStep: "read its log, correct the preset, and ask again",
  } as const;
  return presetFailure(fleet, step, name, told, server.exit);
}

function neverHealthy(fleet: Fleet, server: Server, last: Health): Error {
  const { name, startLimitMs } = server.seat.preset;
  const said = last.kind === "down" ? last.reason : "it was still loading";
  return presetFailure(fleet, "health", name, {
    code: "START_TIMEOUT",
    message: `${name} was not healthy within ${startLimitMs} ms (${said})`,
    nextStep: "raise startLimitMs if the model is large, else read its log",
  });
}

/** One token; health alone has been seen to be answered by servers that never produce one. */
export async function becomeReady(fleet: Fleet, server: Server): Promise<void> {
  const { name } = server.seat.preset;
  const { clock } = fleet.world;
  const canary = await answerWithin(clock, CANARY_LIMIT_MS, server.client.canary(), {
    kind: "silent",
    reason: `no token within ${CANARY_LIMIT_MS} ms`,
  });
  if (server.exit !== undefined) throw endedEarly(fleet, server, "canary");
  if (canary.kind === "silent")
    throw presetFailure(fleet, "canary", name, {
      code: "SERVER_STALLED",
      message: `${name} is healthy but produces no token: ${canary.reason}`,
      nextStep: "read its log, and try the preset alone",
    });
  const place = fleet.state.place(name);
  fleet.state.apply(place, { kind: "became-ready" });
  place.upSinceIso = clock.wallIso();
  fleet.journal.append({ kind: "ready", preset: name, serverId: server.seat.serverId });
}

/**
 * Ends what runs of a preset, and what its process left behind. True when it is gone; otherwise the
 * preset is `failed`, and the process is kept as a leftover that later stops try again.
 */
export async function endServer(fleet: Fleet, place: Place, why?: string): Promise<boolean> {
  const { state } = fleet;
  if (place.condition.state === "stopped") return true;
  const reason = why === undefined ? {} : { reason: why };
  if (place.condition.state !== "stopping") state.apply(place, { kind: "stop", ...reason });
  const { server } = place;
  const stuck = server === undefined ? undefined : await endProcess(fleet, server);
  if (stuck !== undefined && server?.process === undefined) {
    // The model is in memory and serves: it stays known, for the next stop, or to be put back.
    state.apply(place, { kind: "gave-up", reason: stuck });
    return false;
  }
  delete place.server;
  delete place.upSinceIso;
  delete place.activity;
  if (server === undefined || stuck === undefined) {
    state.apply(place, { kind: "gone", ...reason });
    delete place.seat;
    return true;
  }
  state.leftovers.push(server);
  state.apply(place, { kind: "gave-up", reason: stuck });
  return false;
}

/** Undefined when it is gone, else why not; then its client stays open, to ask again. */
export async function endProcess(fleet: Fleet, server: Server): Promise<string | undefined> {
  const { preset, serverId } = server.seat;
  const { process, client } = server;
  const stuck =
    process === undefined
      ? await unloadModel(fleet, server)
      : (await fleet.world.stop(process, preset.stopGraceMs)).kind === "stuck"
        ? "not even SIGKILL ended it; its memory is not free"
        : undefined;
  const hanging = stuck === undefined ? undefined : process?.identity.pid;
  const strays = await endStrays(fleet, serverId, preset.stopGraceMs, hanging);
  if (stuck === undefined && strays === undefined) await client.close();
  return stuck ?? strays;
}

/**
 * Whatever else carries the id: a grandchild that left the group, or a process whose start was
 * never noted. Undefined when all are gone, else why not. `hanging` is known not to end.
 */
export async function endStrays(
  { world }: Fleet,
  serverId: string,
  graceMs: number,
  hanging?: number,
): Promise<string | undefined> {
  const ends = world.findByServerId(serverId).map(async (identity) => {
    const stray = identity.pid === hanging ? undefined : world.adopt(identity, serverId);
    const stopped = stray === undefined ? undefined : await world.stop(stray, graceMs);
    return stopped?.kind === "stuck"
      ? `process ${identity.pid} does not end, not even by SIGKILL`
      : undefined;
  });
  return (await Promise.all(ends)).find((stuck) => stuck !== undefined);
}

/** Undefined when it sleeps, else the reason. */
export async function sleepServer(fleet: Fleet, place: Place, server: Server): Promise<string | undefined> {
  const { preset } = server.seat;
  const level = preset.engine === "vllm" ? (preset.sleepLevel ?? 1) : 1;
  const late = `not asleep within ${MOVE_LIMIT_MS} ms`;
  const reason = await answerWithin(fleet.world.clock, MOVE_LIMIT_MS, server.client.sleep(level), late);
  if (reason === undefined && server.exit === undefined) fleet.state.apply(place, { kind: "fell-asleep" });
  return server.exit === undefined ? reason : "its process ended";
}

/** Wakes a sleeper and waits until it is healthy; `becomeReady` is next. Throws StepFailure. */
export async function wakeServer(
  fleet: Fleet,
  place: Place,
  server: Server,
  signal?: AbortSignal,
): Promise<void> {
  const { name } = server.seat.preset;
  fleet.state.apply(place, { kind: "start" });
  fleet.journal.append({ kind: "wake", preset: name, serverId: server.seat.serverId });
  const late = `not awake within ${MOVE_LIMIT_MS} ms`;
  const reason = await answerWithin(fleet.world.clock, MOVE_LIMIT_MS, server.client.wake(), late);
  if (server.exit !== undefined) throw endedEarly(fleet, server, "wake");
  if (reason !== undefined)
    throw presetFailure(fleet, "wake", name, {
      code: "WAKE_FAILED",
      message: `${name} does not wake: ${reason}`,
      nextStep: "stop it and start it anew",
    });
  await awaitHealthy(fleet, server, signal);
}
