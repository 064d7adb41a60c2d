import type { Interval } from "./describe.ts";
import { quantile, sortedNumbers } from "./quantile.ts";

/** Under four values the quartiles are the values themselves, and a fence says nothing. */
const FEWEST_FOR_FENCES = 4;
const FENCE_IQR = 1.5;

/** Tukey's inner fences, 1.5 interquartile ranges beyond the quartiles; `undefined` under four values. */
export function tukeyFences(values: ArrayLike<number>): Interval | undefined {
  const sorted = sortedNumbers(values);
  const lower = quantile(sorted, 0.25);
  const upper = quantile(sorted, 0.75);
  if (lower === undefined || upper === undefined || sorted.length < FEWEST_FOR_FENCES) return undefined;
  const reach = FENCE_IQR * (upper - lower);
  return { low: lower - reach, high: upper + reach };
}
