/** What the parametric tests need of a sample, and the one place that refuses a sample with a hole in it. */
import { assert } from "../core/assert.ts";
import { sampleVariance } from "./describe.ts";
import { mean } from "./quantile.ts";

/** Squares of anything larger leave the range of a double; no figure of ours comes near. */
const LARGEST_VALUE = 1e140;

export interface Moments {
  readonly n: number;
  readonly mean: number;
  /** n − 1 in the denominator; exactly 0 where all values are equal, and for a single value. */
  readonly variance: number;
}

/**
 * Size, mean and variance of a sample that is not empty. A value that is NaN, infinite or beyond
 * 1e140 is a mistake of the caller: unknown values are left out before they come here.
 */
export function momentsOf(values: readonly number[]): Moments {
  assertFinite(values);
  const average = mean(values);
  const first = values[0];
  assert(average !== undefined && first !== undefined, "moments of an empty sample");
  // Rounding in the mean of equal values may leave a variance above 0, and a t statistic of 10¹⁵.
  if (values.every((value) => value === first)) return { n: values.length, mean: first, variance: 0 };
  return { n: values.length, mean: average, variance: sampleVariance(values, average) };
}

export function assertFinite(values: ArrayLike<number>): void {
  for (let index = 0; index < values.length; index++)
    assert(Math.abs(values[index] as number) <= LARGEST_VALUE, `value ${index} of a sample is not finite`);
}
