import { certifiedPercentile } from "../../stats/percentile-certificate.ts";
import { mean, quantile, sortedNumbers } from "../../stats/quantile.ts";

/** Receive − write of some events, milliseconds. A figure of no events is absent. */
export interface ErrorFigures {
  readonly events: number;
  readonly biasMs?: number;
  readonly p50Ms?: number;
  /** Absent where the events are too few to carry it. */
  readonly p99Ms?: number;
  readonly maxMs?: number;
}

export function describeErrors(errorsMs: readonly number[]): ErrorFigures {
  const sorted = sortedNumbers(errorsMs);
  const biasMs = mean(sorted);
  if (biasMs === undefined) return { events: 0 };
  const p99 = certifiedPercentile(sorted, 0.99);
  return {
    events: sorted.length,
    biasMs,
    p50Ms: quantile(sorted, 0.5) as number,
    ...(p99.kind === "certified" ? { p99Ms: p99.value } : {}),
    maxMs: sorted[sorted.length - 1] as number,
  };
}
