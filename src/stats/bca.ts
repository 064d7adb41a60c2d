import type { Interval } from "./describe.ts";
import { normalCdf, normalQuantile } from "./distributions.ts";
import type { NoVariance } from "./no-answer.ts";
import { NO_VARIANCE } from "./no-answer.ts";
import { mean, quantile, sortedNumbers } from "./quantile.ts";

export type BootstrapInterval =
  | (Interval & {
      readonly kind: "known";
      readonly method: BootstrapMethod;
    })
  | NoVariance;

export type BootstrapMethod =
  /** Bias-corrected by z₀ and accelerated by a. */
  | { readonly kind: "bca"; readonly bias: number; readonly acceleration: number }
  /** Plain percentiles of the replicates, and why nothing better could be had. */
  | { readonly kind: "percentile"; readonly reason: PercentileReason };

export type PercentileReason =
  /** All replicates lie on one side of the estimate: the bias would be infinite. */
  | "estimate-outside-replicates"
  /** The figure does not exist without one of the trials. */
  | "jackknife-undefined"
  /** Leaving out any one trial changes nothing, so the skew cannot be seen. */
  | "no-jackknife-spread"
  /** The corrected tails run out of their order, which strong skew in few trials can do. */
  | "correction-unstable";

export interface BootstrapSample {
  /** The figure of the trials as they were. */
  readonly estimate: number;
  /** The figure of each resample. */
  readonly replicates: Float64Array;
  /** The figure with one trial left out, for each trial; one list per stratum. Absent where it does not exist. */
  readonly jackknife: readonly Float64Array[] | undefined;
  readonly confidence: number;
}

/**
 * The BCa interval of B. Efron, "Better bootstrap confidence intervals", Journal of the American
 * Statistical Association 82 (1987): percentiles of the replicates at
 *
 *     Φ(z₀ + (z₀ + z) ÷ (1 − a(z₀ + z))),   z = Φ⁻¹(tail),
 *
 * z₀ = Φ⁻¹(share of replicates below the estimate, equal ones half), a from the jackknife. With
 * strata, each adds its sums over n³ and n². Percentiles are type 7.
 */
export function bcaInterval({
  estimate,
  replicates,
  jackknife,
  confidence,
}: BootstrapSample): BootstrapInterval {
  const sorted = sortedNumbers(replicates);
  if (sorted.length === 0 || sorted[0] === sorted[sorted.length - 1]) return NO_VARIANCE;
  const tail = (1 - confidence) / 2;
  const percentile = (reason: PercentileReason): BootstrapInterval => ({
    kind: "known",
    ...between(sorted, tail, 1 - tail),
    method: { kind: "percentile", reason },
  });
  const below = shareBelow(sorted, estimate);
  if (below === 0 || below === 1) return percentile("estimate-outside-replicates");
  if (jackknife === undefined) return percentile("jackknife-undefined");
  const acceleration = accelerationOf(jackknife);
  if (acceleration === undefined) return percentile("no-jackknife-spread");
  const bias = normalQuantile(below);
  const reach = normalQuantile(1 - tail);
  // 1 − a(z₀ + z) must stay above 0 at both ends, or the map from z to a percentile turns back.
  if (Math.min(1 - acceleration * (bias - reach), 1 - acceleration * (bias + reach)) <= 0)
    return percentile("correction-unstable");
  const corrected = (z: number): number => normalCdf(bias + (bias + z) / (1 - acceleration * (bias + z)));
  return {
    kind: "known",
    ...between(sorted, corrected(-reach), corrected(reach)),
    method: { kind: "bca", bias, acceleration },
  };
}

function between(sorted: Float64Array, low: number, high: number): Interval {
  return { low: quantile(sorted, low) as number, high: quantile(sorted, high) as number };
}

function shareBelow(sorted: Float64Array, estimate: number): number {
  let below = 0;
  let equal = 0;
  for (const value of sorted) {
    if (value < estimate) below++;
    else if (value === estimate) equal++;
    else break;
  }
  return (below + equal / 2) / sorted.length;
}

/** a = Σ u³/n³ ÷ (6 · (Σ u²/n²)^1.5) with u = (n − 1)(mean of the jackknife − its value). */
function accelerationOf(jackknife: readonly Float64Array[]): number | undefined {
  let cubes = 0;
  let squares = 0;
  for (const left of jackknife) {
    const n = left.length;
    const centre = mean(left) as number;
    for (const value of left) {
      const influence = ((n - 1) * (centre - value)) / n;
      cubes += influence ** 3;
      squares += influence ** 2;
    }
  }
  return squares === 0 ? undefined : cubes / (6 * squares ** 1.5);
}
