/**
 * When a server counts as down, as up again, and as stalled: answering its health check while it
 * produces nothing. Pure: one step per round of asking.
 */
import type { RandomStream } from "../core/random.ts";
import { formatDurationMs, msToNs } from "../core/units.ts";
import type { Canary, Health, ServerActivity } from "./world.ts";

/** A crashed server is missed soon enough, and eight servers cost a request every two seconds. */
export const HEALTH_INTERVAL_MS = 15_000;

/** Otherwise servers started together are asked together for ever. */
const JITTER_SHARE = 0.2;

/** One answer lost to a long prefill is no outage; three in a row are 45 s of silence. */
const FAILURES_TO_DOWN = 3;

/** One success of a server that flaps is no recovery. */
const SUCCESSES_TO_UP = 2;

/**
 * Longest time without a token while a slot is free to prove the opposite. As long as the longest
 * silence that a request of ours allows: a long prompt is read in that time even on a CPU.
 */
const STALL_LIMIT_MS = 120_000;

/**
 * With all slots busy the test token waits behind them, so its silence proves nothing early. On
 * record: prefills of ten minutes that were killed for being silent (llama.cpp #22997).
 */
const STALL_LIMIT_FULL_MS = 600_000;

export type HealthState = "up" | "down" | "stalled";

export interface HealthRecord {
  readonly state: HealthState;
  /** Why it is not up. */
  readonly reason?: string;
  readonly failures: number;
  readonly successes: number;
  readonly progress: Progress;
}

type Progress =
  /** Nothing to do, or the server does not say. */
  | { readonly kind: "idle" }
  | { readonly kind: "working"; readonly generatedTokens: number; readonly sinceNs: number };

/** Of a server that has just become ready. */
export const HEALTHY: HealthRecord = { state: "up", failures: 0, successes: 0, progress: { kind: "idle" } };

export interface HealthObservation {
  readonly health: Health;
  /** Absent when the server was not asked, or did not answer. */
  readonly activity?: ServerActivity;
  readonly nowNs: number;
}

export interface HealthStep {
  readonly record: HealthRecord;
  /** It works and brings nothing forth: ask it for one token, and tell {@link afterCanary}. */
  readonly askCanary: boolean;
}

export function nextHealthWaitMs(random: RandomStream): number {
  return HEALTH_INTERVAL_MS * (1 + JITTER_SHARE * (2 * random.next() - 1));
}

/** One round. A server that says that it is loading does not serve: that counts as a failure. */
export function afterHealth(record: HealthRecord, seen: HealthObservation): HealthStep {
  if (seen.health.kind !== "healthy") return { record: failed(record, seen.health), askCanary: false };
  const successes = record.successes + 1;
  if (record.state === "down" && successes < SUCCESSES_TO_UP)
    return { record: { ...record, failures: 0, successes }, askCanary: false };
  // A stall ends when tokens flow or the work is gone, not because health is answered: it always was.
  if (record.state === "stalled" && !hasMoved(record.progress, seen.activity))
    return { record: { ...record, failures: 0, successes }, askCanary: false };
  const progress = progressOf(record.progress, seen);
  return {
    record: { state: "up", failures: 0, successes, progress },
    askCanary: overdue(progress, seen),
  };
}

function hasMoved(before: Progress, activity: ServerActivity | undefined): boolean {
  if (activity?.busySlots === 0) return true;
  const tokens = activity?.generatedTokens;
  return tokens !== undefined && before.kind === "working" && tokens !== before.generatedTokens;
}

function failed(record: HealthRecord, health: Exclude<Health, { kind: "healthy" }>): HealthRecord {
  const failures = record.failures + 1;
  const reason = health.kind === "down" ? health.reason : "it says that it is still loading";
  if (failures < FAILURES_TO_DOWN && record.state !== "down") return { ...record, failures, successes: 0 };
  return { state: "down", reason, failures, successes: 0, progress: { kind: "idle" } };
}

/** A count that went back belongs to a new process, which is progress too. */
function progressOf(before: Progress, { activity, nowNs }: HealthObservation): Progress {
  const { busySlots, generatedTokens } = activity ?? {};
  if (busySlots === undefined || busySlots === 0 || generatedTokens === undefined) return { kind: "idle" };
  if (before.kind === "working" && before.generatedTokens === generatedTokens) return before;
  return { kind: "working", generatedTokens, sinceNs: nowNs };
}

function overdue(progress: Progress, { activity, nowNs }: HealthObservation): boolean {
  if (progress.kind === "idle") return false;
  return nowNs - progress.sinceNs >= msToNs(stallLimitMs(activity));
}

function stallLimitMs(activity: ServerActivity | undefined): number {
  const { slots, busySlots } = activity ?? {};
  // Unknown slots are taken as full: the longer limit never stops a server that is only slow.
  const full = slots === undefined || busySlots === undefined || busySlots >= slots;
  return full ? STALL_LIMIT_FULL_MS : STALL_LIMIT_MS;
}

/** A token shows progress and begins a new measure; a server that cannot be asked is left alone. */
export function afterCanary(record: HealthRecord, canary: Canary, nowNs: number): HealthRecord {
  switch (canary.kind) {
    case "token":
    case "not-askable":
      return record.progress.kind === "working"
        ? { ...record, progress: { ...record.progress, sinceNs: nowNs } }
        : record;
    case "silent": {
      const sinceMs =
        record.progress.kind === "working" ? (nowNs - record.progress.sinceNs) / 1e6 : undefined;
      const reason = `it answers health but has produced no token for ${formatDurationMs(sinceMs)}: ${canary.reason}`;
      return { ...record, state: "stalled", reason, successes: 0 };
    }
  }
}
