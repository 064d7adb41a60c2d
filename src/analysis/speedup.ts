/**
 * Two quantities that have gone by one name. The published "speedup" divides the agents' own
 * concurrent times by the wall: when they start together it only says how evenly they finished, a
 * *balance index*, and stays near N while every agent loses most of its speed. True speedup asks
 * how long the same work takes one after the other, each agent alone, and divides that by the wall.
 */
import type { RequestRows } from "./request-table.ts";

export interface Speedup {
  readonly speedup: number;
  /** speedup ÷ agents × 100. */
  readonly efficiencyPct: number;
}

/** Σ agent times ÷ wall: the published formula. `undefined` where no time passed. */
export function nominalSpeedup(agentTimesMs: readonly number[], wallMs: number): Speedup | undefined {
  return speedupOf(agentTimesMs, wallMs);
}

/** Σ of what each agent's work takes alone ÷ wall; `undefined` unless every agent's is known. */
export function trueSpeedup(aloneMs: readonly (number | undefined)[], wallMs: number): Speedup | undefined {
  const known = aloneMs.filter((ms) => ms !== undefined);
  return known.length === aloneMs.length ? speedupOf(known, wallMs) : undefined;
}

function speedupOf(timesMs: readonly number[], wallMs: number): Speedup | undefined {
  if (timesMs.length === 0 || wallMs <= 0) return undefined;
  const speedup = timesMs.reduce((total, ms) => total + ms, 0) / wallMs;
  return { speedup, efficiencyPct: (speedup / timesMs.length) * 100 };
}

/** How fast an agent is when nobody else runs, taken from its solo trial. */
export interface SoloPace {
  /** Warm prefill (TTFT) of the request at a position; the mean of all where that one is unknown. */
  prefillMs(position: number | undefined): number | undefined;
  readonly tokensPerMs: number;
}

/**
 * `undefined` when the solo trial streamed nothing that a rate could be taken from. Model loading
 * inside a request is kept apart: it is not work that concurrency could speed up.
 */
export function soloPace(rows: RequestRows): SoloPace | undefined {
  const ok = rows.where((index) => rows.at(index, "ok") === 1);
  const decodeMs = ok.sum("decodeMs");
  const decodeTokens = ok.sum("decodeTokens");
  if (decodeMs <= 0 || decodeTokens <= 0) return undefined;
  const byPosition = new Map<number, number>();
  let sum = 0;
  for (let index = 0; index < ok.length; index++) {
    const ttftMs = ok.at(index, "ttftMs");
    const position = ok.at(index, "position");
    if (ttftMs === undefined || position === undefined) continue;
    const prefillMs = ttftMs - (ok.at(index, "coldLoadMs") ?? 0);
    byPosition.set(position, prefillMs);
    sum += prefillMs;
  }
  const mean = byPosition.size === 0 ? undefined : sum / byPosition.size;
  return {
    prefillMs: (position) => (position === undefined ? mean : (byPosition.get(position) ?? mean)),
    tokensPerMs: decodeTokens / decodeMs,
  };
}

/**
 * What the work done in `rows` takes alone: Σ prefill alone + tokens together ÷ solo decode rate.
 * Tokens of the first event belong to prefill, so with nobody else running this is the time to
 * the last token exactly. Unfinished requests count with what they produced.
 */
export function aloneMs(rows: RequestRows, pace: SoloPace): number | undefined {
  let total = 0;
  for (let index = 0; index < rows.length; index++) {
    const tokens = rows.at(index, "outputTokens");
    if (tokens === undefined || tokens === 0) continue;
    const prefillMs = pace.prefillMs(rows.at(index, "position"));
    if (prefillMs === undefined) return undefined;
    total += prefillMs + (rows.at(index, "decodeTokens") ?? 0) / pace.tokensPerMs;
  }
  return total > 0 ? total : undefined;
}
