/** How much trials of one configuration differ among themselves, over several configurations. */
import { sampleVariance } from "../../stats/describe.ts";
import { mean } from "../../stats/quantile.ts";

export type PooledSpread =
  | {
      readonly kind: "known";
      /** √(Σ (n − 1)·s² ÷ Σ (n − 1)), in the unit of the values. */
      readonly sd: number;
      /** Configurations with at least two trials. */
      readonly groups: number;
      /** Σ (n − 1). */
      readonly freedom: number;
    }
  | { readonly kind: "too-few" };

/**
 * The standard deviation within configurations, each weighted by what it knows: the pooled variance
 * of an analysis of variance. Differences between configurations do not enter it.
 */
export function pooledSpread(groups: readonly (readonly number[])[]): PooledSpread {
  let squares = 0;
  let freedom = 0;
  let counted = 0;
  for (const values of groups) {
    const average = mean(values);
    if (average === undefined || values.length < 2) continue;
    squares += sampleVariance(values, average) * (values.length - 1);
    freedom += values.length - 1;
    counted++;
  }
  return freedom === 0
    ? { kind: "too-few" }
    : { kind: "known", sd: Math.sqrt(squares / freedom), groups: counted, freedom };
}
