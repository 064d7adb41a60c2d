/**
 * What is given up when memory runs short while servers run, one rung after the other: stop
 * admitting, stop the server of lowest priority, stop all. Pure: a state, a reading and the time in,
 * a state and actions out. Every action comes with a sentence for the record.
 */
import { formatBytes, formatDurationMs, msToNs } from "../core/units.ts";
import type { WatchdogLimits } from "./safety-profile.ts";

/**
 * Between two rungs. What was stopped gives its memory back within seconds (Ollama: 0.5 to 1.5 s is
 * usual, 5 s the longest it waits); two polls show whether that was enough.
 */
const NEXT_RUNG_AFTER_MS = 10_000;

/** Pressure is over only with this much more than the limit, so that a figure at the limit changes nothing. */
const CLEAR_SHARE = 1.25;

/** And only for this long: twice as long as it takes to step in, so that load is not let in again too early. */
const CLEAR_AFTER_MS = 30_000;

/**
 * Below this part of a limit nothing is waited for, one rung a poll: the host that hung on record
 * went from working to dead within one model's load.
 */
const CRITICAL_SHARE = 0.5;

/** Readings further apart than this many polls do not join to one stretch: the machine slept, or we did. */
const LONGEST_GAP_POLLS = 3;

const RUNGS = ["watching", "not-admitting", "lowest-stopped", "all-stopped"] as const;
export type WatchdogRung = (typeof RUNGS)[number];

export interface WatchdogState {
  readonly rung: WatchdogRung;
  /** Since when every reading has been below a limit; absent when the last one was not. */
  readonly lowSinceNs?: number;
  /** Since when every reading has been well above. */
  readonly clearSinceNs?: number;
  readonly lastReadingNs?: number;
  /** When the last rung was taken. */
  readonly steppedAtNs?: number;
}

export const WATCHING: WatchdogState = { rung: "watching" };

export interface WatchdogReading {
  readonly hostAvailableBytes: number;
  readonly freeBytes: number;
}

export interface WatchedServer {
  readonly preset: string;
  readonly priority: number;
  /** Of two with the same priority the larger goes. */
  readonly heldBytes?: number;
}

export type WatchdogAction =
  | { readonly do: "stop-admitting" }
  | { readonly do: "stop-preset"; readonly preset: string }
  | { readonly do: "stop-all" }
  /** The pressure is over; what was stopped stays stopped until somebody asks. */
  | { readonly do: "admit" }
  | { readonly do: "record"; readonly message: string };

export interface WatchdogStep {
  readonly state: WatchdogState;
  readonly actions: readonly WatchdogAction[];
}

/** One poll. `servers`: those that run now. Without a reading nothing is known, and nothing is done. */
export function watchdogStep(
  before: WatchdogState,
  reading: WatchdogReading | undefined,
  nowNs: number,
  limits: WatchdogLimits,
  servers: readonly WatchedServer[],
): WatchdogStep {
  if (reading === undefined) return { state: before, actions: [] };
  const state = withReading(before, reading, nowNs, limits);
  if (state.clearSinceNs !== undefined && nowNs - state.clearSinceNs >= msToNs(CLEAR_AFTER_MS))
    return allClear(state, reading);
  if (!isDue(state, reading, nowNs, limits)) return { state, actions: [] };
  return nextRung(state, reading, nowNs, limits, servers);
}

function withReading(
  { rung, lowSinceNs, clearSinceNs, lastReadingNs, steppedAtNs }: WatchdogState,
  reading: WatchdogReading,
  nowNs: number,
  limits: WatchdogLimits,
): WatchdogState {
  const joined =
    lastReadingNs !== undefined && nowNs - lastReadingNs <= msToNs(LONGEST_GAP_POLLS * limits.pollMs);
  const kept = { rung, lastReadingNs: nowNs, ...(steppedAtNs === undefined ? {} : { steppedAtNs }) };
  if (belowShare(reading, limits, 1))
    return { ...kept, lowSinceNs: (joined ? lowSinceNs : undefined) ?? nowNs };
  if (belowShare(reading, limits, CLEAR_SHARE)) return kept;
  return { ...kept, clearSinceNs: (joined ? clearSinceNs : undefined) ?? nowNs };
}

function belowShare(reading: WatchdogReading, limits: WatchdogLimits, share: number): boolean {
  return (
    reading.hostAvailableBytes < limits.hostAvailableBytes * share ||
    reading.freeBytes < limits.poolFreeBytes * share
  );
}

/** Whether the next rung's time has come. The first waits for pressure that lasts, later ones for the last to act. */
function isDue(
  state: WatchdogState,
  reading: WatchdogReading,
  nowNs: number,
  limits: WatchdogLimits,
): boolean {
  if (state.lowSinceNs === undefined || state.rung === "all-stopped") return false;
  if (belowShare(reading, limits, CRITICAL_SHARE)) return true;
  const lowMs = (nowNs - state.lowSinceNs) / 1e6;
  if (state.steppedAtNs === undefined) return lowMs >= limits.sustainedMs;
  return Math.min(lowMs, (nowNs - state.steppedAtNs) / 1e6) >= NEXT_RUNG_AFTER_MS;
}

function nextRung(
  state: WatchdogState,
  reading: WatchdogReading,
  nowNs: number,
  limits: WatchdogLimits,
  servers: readonly WatchedServer[],
): WatchdogStep {
  const next = RUNGS[RUNGS.indexOf(state.rung) + 1] as WatchdogRung;
  const action = actionOf(next, servers);
  const rung = action.do === "stop-all" ? "all-stopped" : next;
  const lowMs = (nowNs - (state.lowSinceNs ?? nowNs)) / 1e6;
  // What is far below its limit is acted upon at the first reading, which has lasted no time yet.
  const lasting = lowMs === 0 ? "" : ` for ${formatDurationMs(lowMs)}`;
  const message = `${pressureOf(reading, limits)}${lasting}: ${deedOf(action)}`;
  return {
    state: { ...state, rung, steppedAtNs: nowNs },
    actions: [action, { do: "record", message }],
  };
}

function actionOf(rung: WatchdogRung, servers: readonly WatchedServer[]): WatchdogAction {
  if (rung === "not-admitting") return { do: "stop-admitting" };
  const lowest = servers.toSorted(firstToGo)[0];
  // The last one is all of them.
  return rung === "lowest-stopped" && lowest !== undefined && servers.length > 1
    ? { do: "stop-preset", preset: lowest.preset }
    : { do: "stop-all" };
}

function firstToGo(one: WatchedServer, other: WatchedServer): number {
  return (
    one.priority - other.priority ||
    (other.heldBytes ?? 0) - (one.heldBytes ?? 0) ||
    (one.preset < other.preset ? -1 : 1)
  );
}

function allClear(state: WatchdogState, reading: WatchdogReading): WatchdogStep {
  const { rung, lastReadingNs, clearSinceNs } = state;
  if (rung === "watching") return { state, actions: [] };
  const message = `host memory ${formatBytes(reading.hostAvailableBytes)} and ${formatBytes(reading.freeBytes)} of the pool are free again: clients are admitted; what was stopped stays so`;
  return {
    state: {
      rung: "watching",
      ...(lastReadingNs === undefined ? {} : { lastReadingNs }),
      ...(clearSinceNs === undefined ? {} : { clearSinceNs }),
    },
    actions: [{ do: "admit" }, { do: "record", message }],
  };
}

function pressureOf({ hostAvailableBytes, freeBytes }: WatchdogReading, limits: WatchdogLimits): string {
  const parts = [
    hostAvailableBytes < limits.hostAvailableBytes
      ? `host memory available ${formatBytes(hostAvailableBytes)}, limit ${formatBytes(limits.hostAvailableBytes)}`
      : undefined,
    freeBytes < limits.poolFreeBytes
      ? `free for models ${formatBytes(freeBytes)}, limit ${formatBytes(limits.poolFreeBytes)}`
      : undefined,
  ];
  return parts.filter((part) => part !== undefined).join("; ");
}

function deedOf(action: WatchdogAction): string {
  switch (action.do) {
    case "stop-admitting":
      return "no new clients are admitted";
    case "stop-preset":
      return `${action.preset} is stopped, the lowest priority`;
    case "stop-all":
      return "all servers are stopped";
    case "admit":
    case "record":
      return action.do;
  }
}
