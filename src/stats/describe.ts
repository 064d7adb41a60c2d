/**
 * What repeated trials say about one figure. The trial is the unit of replication: the values
 * handed in are one per trial, never one per request.
 */
import { tQuantile } from "./distributions.ts";
import { mean, quantile, sortedNumbers } from "./quantile.ts";

export interface Interval {
  readonly low: number;
  readonly high: number;
  /** Which ends were cut at what the figure can be at most or at least. */
  readonly clipped?: "low" | "high" | "both";
}

/** Whether a spread exists is a result of its own: one value has none, and equal values have nothing to infer from. */
export type Spread =
  | {
      readonly kind: "known";
      /** Sample standard deviation, n − 1. */
      readonly sd: number;
      /** sd ÷ |mean| × 100; absent where the mean is 0. */
      readonly cvPct: number | undefined;
      /** Student's t interval of the mean, 95 %. */
      readonly ci95: Interval;
    }
  | { readonly kind: "too-few"; readonly needed: number }
  | { readonly kind: "no-variance" };

export interface Description {
  readonly n: number;
  readonly mean: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly p5: number;
  readonly p25: number;
  readonly p75: number;
  readonly p95: number;
  readonly spread: Spread;
}

/** Two values are the least that differ. */
const FEWEST_FOR_SPREAD = 2;

/** Half of the 5 % that a 95 % interval leaves out lies above it. */
export const UPPER_TAIL = 0.975;

/** Describes the known values among those given; `undefined` when none is known. */
export function describe(values: readonly (number | undefined)[]): Description | undefined {
  const sorted = sortedNumbers(values.filter((value) => value !== undefined));
  const average = mean(sorted);
  if (average === undefined) return undefined;
  const at = (q: number): number => quantile(sorted, q) as number;
  return {
    n: sorted.length,
    mean: average,
    median: at(0.5),
    min: at(0),
    max: at(1),
    p5: at(0.05),
    p25: at(0.25),
    p75: at(0.75),
    p95: at(0.95),
    spread: spreadOf(sorted, average),
  };
}

function spreadOf(sorted: Float64Array, average: number): Spread {
  const n = sorted.length;
  if (n < FEWEST_FOR_SPREAD) return { kind: "too-few", needed: FEWEST_FOR_SPREAD };
  // Equal values are recognised as such and not by their deviation, which rounding may leave above 0.
  if (sorted[0] === sorted[n - 1]) return { kind: "no-variance" };
  const sd = Math.sqrt(sampleVariance(sorted, average));
  const reach = (tQuantile(UPPER_TAIL, n - 1) * sd) / Math.sqrt(n);
  return {
    kind: "known",
    sd,
    cvPct: average === 0 ? undefined : (sd / Math.abs(average)) * 100,
    ci95: { low: average - reach, high: average + reach },
  };
}

/** Two passes: subtracting the mean first keeps the digits that Σx² − n·mean² would lose. */
export function sampleVariance(values: ArrayLike<number>, average: number): number {
  let squares = 0;
  for (let index = 0; index < values.length; index++) squares += ((values[index] as number) - average) ** 2;
  return squares / (values.length - 1);
}
