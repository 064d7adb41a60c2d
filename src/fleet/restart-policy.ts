/**
 * When a server that ended by itself is started again, and when no more. Pure: the history is a
 * value, and the caller waits.
 */
import { msToNs } from "../core/units.ts";

/** What was in the way (a port in its last seconds, memory not yet given back) is often gone after a second. */
const FIRST_WAIT_MS = 1_000;

/** Waiting longer brings nothing more; the predecessor's health checks backed off as far. */
const LONGEST_WAIT_MS = 120_000;

/** With the waits 1, 2, 4 and 8 s the fifth crash comes before the operator has noticed the first. */
const LOOP_CRASHES = 5;

/** On record: 62 restarts in 3 min 5 s, each loading a model onto a card that had no room. */
const LOOP_WINDOW_MS = 180_000;

/** A server that ran this long has shown that it can: its next crash is a first one again. */
const SETTLED_AFTER_MS = 600_000;

export interface CrashHistory {
  /** Oldest first; those that no longer count are dropped. */
  readonly crashesAtNs: readonly number[];
}

export const NO_CRASHES: CrashHistory = { crashesAtNs: [] };

export type RestartDecision =
  | { readonly kind: "restart"; readonly waitMs: number; readonly history: CrashHistory }
  | {
      readonly kind: "give-up";
      readonly crashes: number;
      readonly withinMs: number;
      readonly history: CrashHistory;
    };

/** To be asked at each crash, also one during a restart's start. `nowNs` never goes back. */
export function afterCrash(history: CrashHistory, nowNs: number): RestartDecision {
  const remembered = history.crashesAtNs.filter((atNs) => nowNs - atNs < msToNs(SETTLED_AFTER_MS));
  const crashesAtNs = [...remembered, nowNs];
  const recent = crashesAtNs.filter((atNs) => nowNs - atNs <= msToNs(LOOP_WINDOW_MS)).length;
  if (recent >= LOOP_CRASHES)
    return { kind: "give-up", crashes: recent, withinMs: LOOP_WINDOW_MS, history: { crashesAtNs } };
  const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (crashesAtNs.length - 1));
  return { kind: "restart", waitMs, history: { crashesAtNs } };
}
