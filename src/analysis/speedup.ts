/**
 * Two quantities that have gone by one name. The published "speedup" divides the agents' own
 * concurrent times by the wall: when they start together it only says how evenly they finished, a
 * *balance index*, and stays near N while every agent loses most of its speed. True speedup asks
 * how long the same work takes one after the other, each agent alone, and divides that by the wall.
 */
import { mean } from "../stats/quantile.ts";
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

/** The start of a request alone: how long it takes, and how many tokens are out when it is over. */
export interface SoloPrefill {
  readonly ms: number;
  readonly tokens: number;
}

/** How fast an agent is when nobody else runs, taken from its solo trial. */
export interface SoloPace {
  /** Warm prefill (TTFT) of the request at a position; the mean of all where that one is unknown. */
  prefill(position: number | undefined): SoloPrefill;
  /** `undefined` where no answer of the solo trial streamed. */
  readonly tokensPerMs: number | undefined;
}

/**
 * `undefined` when the solo trial has no request whose prefill is known. Model loading inside a
 * request is kept apart: it is not work that concurrency could speed up.
 */
export function soloPace(rows: RequestRows): SoloPace | undefined {
  const ok = rows.where((index) => rows.at(index, "ok") === 1);
  const decodeMs = ok.sum("decodeMs");
  const byPosition = new Map<number, SoloPrefill>();
  for (let index = 0; index < ok.length; index++) {
    const ttftMs = ok.at(index, "ttftMs");
    const position = ok.at(index, "position");
    if (ttftMs === undefined || position === undefined || cameInOneRead(ok, index)) continue;
    const ms = ttftMs - (ok.at(index, "coldLoadMs") ?? 0);
    byPosition.set(position, { ms, tokens: ok.at(index, "firstEventTokens") ?? 1 });
  }
  const prefills = [...byPosition.values()];
  const meanMs = mean(prefills.map(({ ms }) => ms));
  const meanTokens = mean(prefills.map(({ tokens }) => tokens));
  if (meanMs === undefined || meanTokens === undefined) return undefined;
  return {
    prefill: (position) => byPosition.get(position ?? -1) ?? { ms: meanMs, tokens: meanTokens },
    tokensPerMs: decodeMs > 0 ? ok.sum("decodeTokens") / decodeMs : undefined,
  };
}

/** Tokens after the first event, and no time between them: the TTFT then holds decoding too, and is no prefill. */
function cameInOneRead(rows: RequestRows, index: number): boolean {
  const tokens = rows.at(index, "outputTokens") ?? 0;
  return rows.at(index, "decodeMs") === undefined && tokens > (rows.at(index, "firstEventTokens") ?? 1);
}

/**
 * What the work done in `rows` takes alone: Σ prefill alone + tokens together ÷ solo decode rate.
 * Tokens that are out when the prefill alone ends belong to it, so with nobody else running this is
 * the time to the last token exactly. How the tokens arrived together does not matter: an answer
 * that came in one read was decoded all the same. Unfinished requests count with what they produced.
 */
export function aloneMs(rows: RequestRows, pace: SoloPace): number | undefined {
  let total = 0;
  for (let index = 0; index < rows.length; index++) {
    const tokens = rows.at(index, "outputTokens");
    if (tokens === undefined || tokens === 0) continue;
    const prefill = pace.prefill(rows.at(index, "position"));
    const decoded = Math.max(tokens - prefill.tokens, 0);
    if (decoded > 0 && pace.tokensPerMs === undefined) return undefined;
    total += prefill.ms + (decoded > 0 ? decoded / (pace.tokensPerMs as number) : 0);
  }
  return total > 0 ? total : undefined;
}
