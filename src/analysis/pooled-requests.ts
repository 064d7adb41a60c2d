/** The figures of one trial over the requests of all its agents, which a comparison takes as one value per trial. */
import { quantile } from "../stats/quantile.ts";
import { ratePerS } from "./request-figures.ts";
import type { RequestRows } from "./request-table.ts";

export interface PooledRequests {
  /** Requests that ended well. */
  readonly requests: number;
  /** Type 7 quantiles over them. */
  readonly ttftMsP50: number | undefined;
  readonly ttftMsP95: number | undefined;
  readonly latencyMsP50: number | undefined;
  readonly latencyMsP95: number | undefined;
  /** Median of each request's mean time between tokens. */
  readonly itlMsP50: number | undefined;
  /** Σ tokens after each first event ÷ Σ (last − first token). */
  readonly decodeTokS: number | undefined;
  /** Σ output tokens ÷ Σ (end − sent). */
  readonly agentTokS: number | undefined;
}

/** `runs`: the rows of each agent of the trial. */
export function pooledRequests(runs: readonly RequestRows[]): PooledRequests {
  const ok = runs.map((rows) => rows.where((index) => rows.at(index, "ok") === 1));
  const counted = ok.map((rows) => rows.where((index) => rows.at(index, "outputTokens") !== undefined));
  const sum = (of: readonly RequestRows[], column: Parameters<RequestRows["sum"]>[0]): number =>
    of.reduce((total, rows) => total + rows.sum(column), 0);
  const sorted = (column: Parameters<RequestRows["sum"]>[0]): Float64Array =>
    joined(ok.map((rows) => rows.values(column))).sort();
  const ttftMs = sorted("ttftMs");
  const latencyMs = sorted("latencyMs");
  const requests = ok.reduce((total, rows) => total + rows.length, 0);
  return {
    requests,
    ttftMsP50: quantile(ttftMs, 0.5),
    ttftMsP95: quantile(ttftMs, 0.95),
    latencyMsP50: quantile(latencyMs, 0.5),
    latencyMsP95: quantile(latencyMs, 0.95),
    itlMsP50: quantile(sorted("meanItlMs"), 0.5),
    decodeTokS: ratePerS(sum(ok, "decodeTokens"), sum(ok, "decodeMs")),
    agentTokS: requests === 0 ? undefined : ratePerS(sum(counted, "outputTokens"), sum(counted, "latencyMs")),
  };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
