/** Distributions over the requests of one agent, printed only as far as their number carries them. */
import type { RandomStream } from "../core/random.ts";
import { randomStream } from "../core/random.ts";
import type { LogHistogram } from "../stats/log-histogram.ts";
import type { CertifiedPercentile } from "../stats/percentile-certificate.ts";
import { certifiedPercentile, neededForPercentile } from "../stats/percentile-certificate.ts";
import { mean } from "../stats/quantile.ts";
import type { PercentileInterval } from "./percentile-interval.ts";
import { percentileIntervals } from "./percentile-interval.ts";
import type { FoldedRun, FoldedTrial } from "./run-fold.ts";

/** The percentiles a report asks for; each is there only if n carries it. */
export const PERCENTILES = [0.5, 0.9, 0.95, 0.99] as const;

/** One that n does not carry says how many it would need, and has no interval either. */
export type RequestPercentile =
  | (Extract<CertifiedPercentile, { kind: "certified" }> & { readonly interval: PercentileInterval })
  | Extract<CertifiedPercentile, { kind: "too-few" }>;

export interface RequestDistribution {
  readonly n: number;
  readonly mean: number | undefined;
  /** In the order of {@link PERCENTILES}. */
  readonly percentiles: readonly RequestPercentile[];
}

export interface RequestDistributions {
  readonly ttftMs: RequestDistribution;
  readonly responseTtftMs: RequestDistribution;
  readonly firstVisibleMs: RequestDistribution;
  readonly latencyMs: RequestDistribution;
  readonly responseLatencyMs: RequestDistribution;
  /** `chunk`: gap ÷ tokens of each chunk. `mean`: one mean per request, the server streams no counts. */
  readonly itl: { readonly kind: "chunk" | "mean"; readonly ms: RequestDistribution };
  /** Absent where chunk stamps were not kept or not read. */
  readonly chunkGapMs: RequestDistribution | undefined;
}

type Figure =
  | "ttftMs"
  | "responseTtftMs"
  | "firstVisibleMs"
  | "latencyMs"
  | "responseLatencyMs"
  | "meanItlMs";

/**
 * `together`: the together trials of one cell. Every figure of an agent is resampled with the same
 * draws of trials, which the run's seed decides.
 */
export function requestDistributions(
  agent: string,
  together: readonly FoldedTrial[],
  run: FoldedRun,
  seed: number,
): RequestDistributions {
  const rows = together.flatMap((trial) => {
    const own = trial.agents.get(agent);
    return own === undefined ? [] : [own.rows];
  });
  const cellHash = together[0]?.record.cellHash ?? "";
  const random = (): RandomStream => randomStream(seed, "percentiles", cellHash, agent);
  const over = (figure: Figure): RequestDistribution =>
    distribution(
      rows.map((trialRows) => trialRows.values(figure)),
      random,
    );
  const gaps = run.chunkGaps(cellHash, agent);
  return {
    ttftMs: over("ttftMs"),
    responseTtftMs: over("responseTtftMs"),
    firstVisibleMs: over("firstVisibleMs"),
    latencyMs: over("latencyMs"),
    responseLatencyMs: over("responseLatencyMs"),
    itl:
      gaps !== undefined && gaps.itlMs.count > 0
        ? { kind: "chunk" as const, ms: histogramDistribution(gaps.itlMs) }
        : { kind: "mean" as const, ms: over("meanItlMs") },
    chunkGapMs: gaps === undefined ? undefined : histogramDistribution(gaps.gapsMs),
  };
}

/** `parts`: the values of each trial. `random` starts the same draws of trials again. */
export function distribution(
  parts: readonly Float64Array[],
  random: () => RandomStream,
): RequestDistribution {
  const sorted = new Float64Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    sorted.set(part, offset);
    offset += part.length;
  }
  sorted.sort();
  const intervalOf = percentileIntervals(parts, random);
  return {
    n: sorted.length,
    mean: mean(sorted),
    percentiles: PERCENTILES.map((q) => {
      const percentile = certifiedPercentile(sorted, q);
      return percentile.kind === "certified" ? { ...percentile, interval: intervalOf(q) } : percentile;
    }),
  };
}

function histogramDistribution(histogram: LogHistogram): RequestDistribution {
  const n = histogram.count;
  return {
    n,
    mean: histogram.mean,
    percentiles: PERCENTILES.map((q) => {
      const needed = neededForPercentile(q);
      const value = histogram.quantile(q);
      return value === undefined || n < needed
        ? { kind: "too-few", n, needed }
        : { kind: "certified", value, n, interval: { kind: "not-by-trial" } };
    }),
  };
}
