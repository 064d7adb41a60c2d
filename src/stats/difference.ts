import tQuantile from "@stdlib/stats-base-dists-t-quantile";
import type { Interval } from "./describe.ts";
import { sampleVariance, UPPER_TAIL } from "./describe.ts";
import { mean } from "./quantile.ts";

export type Difference =
  | {
      readonly kind: "known";
      /** mean(first) − mean(second). */
      readonly difference: number;
      readonly ci95: Interval;
      /** The interval leaves out 0: a shift that this many trials can tell from chance. */
      readonly decided: boolean;
    }
  | { readonly kind: "too-few"; readonly needed: number }
  | { readonly kind: "no-variance"; readonly difference: number };

/** A sample needs a variance of its own. */
const FEWEST_PER_SIDE = 2;

/**
 * The difference of two means with its 95 % interval, variances not assumed equal: Welch (1947),
 * degrees of freedom after Satterthwaite.
 */
export function differenceOfMeans(first: readonly number[], second: readonly number[]): Difference {
  const firstMean = mean(first);
  const secondMean = mean(second);
  if (
    firstMean === undefined ||
    secondMean === undefined ||
    first.length < FEWEST_PER_SIDE ||
    second.length < FEWEST_PER_SIDE
  )
    return { kind: "too-few", needed: FEWEST_PER_SIDE };
  const difference = firstMean - secondMean;
  const firstPart = sampleVariance(first, firstMean) / first.length;
  const secondPart = sampleVariance(second, secondMean) / second.length;
  const variance = firstPart + secondPart;
  if (variance === 0) return { kind: "no-variance", difference };
  const freedom =
    variance ** 2 / (firstPart ** 2 / (first.length - 1) + secondPart ** 2 / (second.length - 1));
  const reach = tQuantile(UPPER_TAIL, freedom) * Math.sqrt(variance);
  const ci95 = { low: difference - reach, high: difference + reach };
  return { kind: "known", difference, ci95, decided: ci95.low > 0 || ci95.high < 0 };
}
