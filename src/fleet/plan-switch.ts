/**
 * What has to stop, sleep, wake and start so that exactly a mode's presets run. Pure and
 * deterministic: the same wish gives the same plan, and nothing is looked up on the way.
 */
import type { Preset } from "../preset/preset.ts";
import { fixedPort, listensItself } from "../preset/preset.ts";
import type { Check } from "./check.ts";
import type { Alternative, PlannedStart, PlannedStop, PresetState, SwitchPlan } from "./control/protocol.ts";
import type { MemoryReading } from "./memory.ts";
import type { MemoryNeedOf } from "./memory-need.ts";
import type { OutgoingServer, PoolForecast } from "./pool-forecast.ts";
import { forecastPool, promisedBytesOf } from "./pool-forecast.ts";
import { mayGoOn } from "./preflight.ts";
import type { SafetyProfile } from "./safety-profile.ts";

/** Level 1 and 2 both leave a CUDA context and graphs behind; the predecessor assumed the same part. */
export const SLEEP_FREES_SHARE = 0.8;

export interface RunningServer extends OutgoingServer {
  /** Of the preset as it was started. */
  readonly hash: string;
  readonly state: PresetState;
}

export interface WantedPreset {
  readonly preset: Preset;
  readonly hash: string;
}

export interface SwitchWish {
  readonly from?: string;
  readonly to: string;
  /** All that is to run afterwards. */
  readonly target: readonly WantedPreset[];
  /** Everything that has a process or a loaded model now, and what was given up on. */
  readonly running: readonly RunningServer[];
  /** The presets that there are, by name: one whose file has gone or changed is not put to sleep but stopped. */
  readonly hashes: ReadonlyMap<string, string>;
  readonly reading: MemoryReading;
  readonly profile: SafetyProfile;
  readonly needOf: MemoryNeedOf;
}

interface Decision {
  readonly keep: readonly RunningServer[];
  readonly wake: readonly RunningServer[];
  readonly start: readonly Preset[];
  readonly stop: readonly RunningServer[];
  readonly sleep: readonly RunningServer[];
}

/** The plan before preflight; {@link judgePlan} adds what that found. */
export function planSwitch(wish: SwitchWish): SwitchPlan {
  const decision = roomFor(wish, decide(wish));
  const forecast = forecastOf(wish, decision);
  // One that sleeps already is left as it is.
  const stops = [...decision.stop, ...decision.sleep.filter(({ state }) => state !== "asleep")];
  const starts = [...decision.wake.map(({ preset }) => preset), ...decision.start];
  const plan = {
    ...(wish.from === undefined ? {} : { from: wish.from }),
    to: wish.to,
    keep: decision.keep.map(({ preset }) => preset.name).toSorted(),
    stop: stopOrder(stops).map((server) => plannedStop(wish, decision, server)),
    start: startOrder(starts).map((preset) => plannedStart(wish, decision, preset, starts)),
    memory: {
      kind: wish.reading.kind,
      totalBytes: wish.reading.budgetBytes ?? wish.reading.totalBytes,
      freeBeforeBytes: wish.reading.freeBytes,
      freeDuringBytes: forecast.freeDuringBytes,
      ...(forecast.promisedBytes === 0 ? {} : { promisedBytes: forecast.promisedBytes }),
      ...(forecast.freeAfterBytes === undefined ? {} : { freeAfterBytes: forecast.freeAfterBytes }),
      marginBytes: wish.profile.poolMarginBytes,
    },
  };
  const fits = starts.length === 0 || hasRoom(forecast, wish.profile);
  return { ...plan, checks: [], fits, alternatives: [] };
}

/** The plan with preflight's findings: it fits when memory suffices and no check refuses. */
export function judgePlan(
  plan: SwitchPlan,
  checks: readonly Check[],
  alternatives: readonly Alternative[],
): SwitchPlan {
  return { ...plan, checks, fits: plan.fits && mayGoOn(checks), alternatives };
}

/** How much is too little, margin included, by the needs that are known; 0 when there is room. */
export function missingBytes({ start, memory }: SwitchPlan): number {
  if (start.length === 0) return 0;
  const reservedBytes = memory.marginBytes + (memory.promisedBytes ?? 0);
  const needed = start.reduce((sum, { needsBytes = 0 }) => sum + needsBytes, reservedBytes);
  return Math.max(0, needed - memory.freeDuringBytes);
}

/** Sleep wherever it is possible; whether it leaves enough room is asked afterwards. */
function decide(wish: SwitchWish): Decision {
  const { target, running } = wish;
  const wanted = new Map(target.map((entry) => [entry.preset.name, entry]));
  const isWanted = ({ preset, hash }: RunningServer): boolean => wanted.get(preset.name)?.hash === hash;
  const keep = running.filter((server) => isWanted(server) && serves(server));
  const wake = running.filter((server) => isWanted(server) && server.state === "asleep");
  const stays = new Set([...keep, ...wake].map(({ preset }) => preset.name));
  const leaving = running.filter(({ preset, state }) => !stays.has(preset.name) && isHere(state));
  const sleep = leaving.filter((server) => maySleep(wish, server));
  return {
    keep,
    wake,
    start: target.map(({ preset }) => preset).filter(({ name }) => !stays.has(name)),
    stop: leaving.filter((server) => !sleep.includes(server)),
    sleep,
  };
}

/** One that drains for a switch that failed serves again when it is wanted. */
function serves({ state }: RunningServer): boolean {
  return state === "ready" || state === "draining";
}

/** A server that was given up on has no process; one that starts or stops may. */
function isHere(state: PresetState): boolean {
  return state !== "stopped" && state !== "failed";
}

function maySleep({ target, hashes, reading, profile, needOf }: SwitchWish, server: RunningServer): boolean {
  const { preset, hash, state } = server;
  if (preset.engine !== "vllm" || preset.sleepLevel === undefined || reading.kind === "host") return false;
  if (hashes.get(preset.name) !== hash || (!serves(server) && state !== "asleep")) return false;
  // A sleeping server keeps its port, and a name is one server's.
  const port = fixedPort(preset);
  const inTheWay = target.some(
    ({ preset: other }) =>
      other.name === preset.name || (port !== undefined && listensItself(other) && fixedPort(other) === port),
  );
  if (inTheWay) return false;
  if (preset.sleepLevel === 2 || state === "asleep") return true;
  // Level 1 moves the weights into host memory, which must not bring the watchdog in.
  const movedBytes =
    (server.heldBytes ?? needOf(preset)?.bytes ?? Number.POSITIVE_INFINITY) * SLEEP_FREES_SHARE;
  return reading.hostAvailableBytes - movedBytes >= profile.watchdog.hostAvailableBytes;
}

/** Turns sleep into a stop, lowest priority first, until the incoming have room; at once where a need is unknown. */
function roomFor(wish: SwitchWish, decision: Decision): Decision {
  const { sleep, start, wake } = decision;
  if (sleep.length === 0 || start.length + wake.length === 0) return decision;
  const forecast = forecastOf(wish, decision);
  if (hasRoom(forecast, wish.profile) && forecast.unknown.length === 0) return decision;
  const [first, ...others] = sleep.toSorted(
    (one, other) => one.preset.priority - other.preset.priority || byName(one.preset, other.preset),
  );
  if (first === undefined) return decision;
  return roomFor(wish, { ...decision, stop: [...decision.stop, first], sleep: others });
}

function hasRoom(
  { neededBytes, promisedBytes, freeDuringBytes }: PoolForecast,
  profile: SafetyProfile,
): boolean {
  return neededBytes + promisedBytes + profile.poolMarginBytes <= freeDuringBytes;
}

function forecastOf(wish: SwitchWish, decision: Decision): PoolForecast {
  const outgoing = [...decision.stop, ...decision.sleep].map((server) => ({
    preset: server.preset,
    heldBytes: freedBytes(wish, decision, server) ?? 0,
  }));
  const incoming = [...decision.wake.map(({ preset }) => preset), ...decision.start];
  const needOf: MemoryNeedOf = (preset) => {
    const bytes = neededBytes(wish, decision, preset);
    return bytes === undefined ? undefined : { bytes, source: "declared" };
  };
  const promisedBytes = promisedBytesOf(decision.keep, wish.needOf);
  return forecastPool({ ...wish.reading, promisedBytes }, incoming, outgoing, needOf);
}

/** What comes free; undefined where nobody knows. What is not serving may hold nothing yet, so only a measurement counts. */
function freedBytes({ needOf }: SwitchWish, { sleep }: Decision, server: RunningServer): number | undefined {
  const { preset, heldBytes, state } = server;
  const fullBytes = needOf(preset)?.bytes;
  if (state === "asleep") {
    if (sleep.includes(server)) return 0;
    return (
      heldBytes ?? (fullBytes === undefined ? undefined : Math.round(fullBytes * (1 - SLEEP_FREES_SHARE)))
    );
  }
  if (!serves(server)) return heldBytes;
  const held = heldBytes ?? fullBytes;
  return held === undefined || !sleep.includes(server) ? held : Math.round(held * SLEEP_FREES_SHARE);
}

/** A sleeping server holds a part of what it needs already. */
function neededBytes({ needOf }: SwitchWish, { wake }: Decision, preset: Preset): number | undefined {
  const fullBytes = needOf(preset)?.bytes;
  const sleeper = wake.find((server) => server.preset.name === preset.name);
  if (fullBytes === undefined || sleeper === undefined) return fullBytes;
  return sleeper.heldBytes === undefined
    ? Math.round(fullBytes * SLEEP_FREES_SHARE)
    : Math.max(0, fullBytes - sleeper.heldBytes);
}

function plannedStop(wish: SwitchWish, decision: Decision, server: RunningServer): PlannedStop {
  const freesBytes = freedBytes(wish, decision, server);
  return {
    preset: server.preset.name,
    how: decision.sleep.includes(server) ? "sleep" : "stop",
    ...(freesBytes === undefined ? {} : { freesBytes }),
  };
}

function plannedStart(
  wish: SwitchWish,
  decision: Decision,
  preset: Preset,
  starts: readonly Preset[],
): PlannedStart {
  const needsBytes = neededBytes(wish, decision, preset);
  return {
    preset: preset.name,
    how: decision.wake.some((server) => server.preset.name === preset.name) ? "wake" : "start",
    ...(needsBytes === undefined ? {} : { needsBytes }),
    after: preset.dependsOn.filter((name) => starts.some((other) => other.name === name)),
  };
}

/** By level of dependence, then the more important first. */
function startOrder(presets: readonly Preset[]): readonly Preset[] {
  const level = levelsOf(presets);
  return presets.toSorted(
    (one, other) => level(one) - level(other) || other.priority - one.priority || byName(one, other),
  );
}

/** What others rest on goes last, then the less important first. */
function stopOrder(servers: readonly RunningServer[]): readonly RunningServer[] {
  const level = levelsOf(servers.map(({ preset }) => preset));
  return servers.toSorted(
    ({ preset: one }, { preset: other }) =>
      level(other) - level(one) || one.priority - other.priority || byName(one, other),
  );
}

/** 0 for a preset that depends on none of these, else one more than the highest that it depends on. */
function levelsOf(presets: readonly Preset[]): (preset: Preset) => number {
  const byPresetName = new Map(presets.map((preset) => [preset.name, preset]));
  const levels = new Map<string, number>();
  const levelOf = (preset: Preset): number => {
    const known = levels.get(preset.name);
    if (known !== undefined) return known;
    // The catalogue refuses circles; one that came with an older snapshot ends here.
    levels.set(preset.name, 0);
    const below = preset.dependsOn.flatMap((name) => byPresetName.get(name) ?? []).map(levelOf);
    const level = Math.max(-1, ...below) + 1;
    levels.set(preset.name, level);
    return level;
  };
  return levelOf;
}

function byName(one: Preset, other: Preset): number {
  return one.name < other.name ? -1 : 1;
}
