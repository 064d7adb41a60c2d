import type { Interval } from "./describe.ts";
import { tQuantile, tTwoSidedP } from "./distributions.ts";
import type { TooFew } from "./no-answer.ts";
import { tooFew } from "./no-answer.ts";
import type { Moments } from "./sample.ts";
import { momentsOf } from "./sample.ts";

export type MeanTest =
  | {
      readonly kind: "tested";
      /** mean(first) − mean(second), in the unit of the values. */
      readonly difference: number;
      /** t = difference ÷ its standard error. */
      readonly statistic: number;
      /** Degrees of freedom; not whole for Welch's test. */
      readonly freedom: number;
      /** Two-sided. */
      readonly p: number;
      /** Of the difference, at the asked confidence. */
      readonly interval: Interval;
    }
  | TooFew
  | { readonly kind: "no-variance"; readonly difference: number };

/** A sample needs a variance of its own. */
export const FEWEST_PER_SIDE = 2;

export const USUAL_CONFIDENCE = 0.95;

/**
 * Welch's test of two means whose variances are not assumed equal:
 *
 *     t = (x̄₁ − x̄₂) ÷ √(s₁²/n₁ + s₂²/n₂)
 *
 * with Satterthwaite's degrees of freedom. B. L. Welch, "The generalization of 'Student's' problem
 * when several different population variances are involved", Biometrika 34 (1947).
 *
 * It assumes that each sample comes from one population: a sample that pools two models has two
 * humps, and its variance is mostly the distance between them.
 */
export function welchTest(
  first: readonly number[],
  second: readonly number[],
  confidence = USUAL_CONFIDENCE,
): MeanTest {
  if (Math.min(first.length, second.length) < FEWEST_PER_SIDE) return tooFew(FEWEST_PER_SIDE);
  return welchFromMoments(momentsOf(first), momentsOf(second), confidence);
}

/** The same from published means and deviations, where the values behind them are not published. */
export function welchFromMoments(first: Moments, second: Moments, confidence = USUAL_CONFIDENCE): MeanTest {
  if (Math.min(first.n, second.n) < FEWEST_PER_SIDE) return tooFew(FEWEST_PER_SIDE);
  const error = welchError(first, second);
  return meanTest(first.mean - second.mean, error, confidence);
}

export interface StandardError {
  /** In the unit of the values. */
  readonly value: number;
  readonly freedom: number;
}

/** Standard error of the difference of two means, each sample of at least two values. */
export function welchError(first: Moments, second: Moments): StandardError {
  const firstPart = first.variance / first.n;
  const secondPart = second.variance / second.n;
  const variance = firstPart + secondPart;
  // As shares of the whole the parts neither overflow nor vanish when they are squared.
  const firstShare = firstPart / variance;
  const secondShare = secondPart / variance;
  const freedom = 1 / (firstShare ** 2 / (first.n - 1) + secondShare ** 2 / (second.n - 1));
  return { value: Math.sqrt(variance), freedom };
}

/** A difference of means held against its standard error; an error of 0 leaves nothing to hold it against. */
export function meanTest(difference: number, error: StandardError, confidence: number): MeanTest {
  if (error.value === 0) return { kind: "no-variance", difference };
  const statistic = difference / error.value;
  const reach = tQuantile((1 + confidence) / 2, error.freedom) * error.value;
  return {
    kind: "tested",
    difference,
    statistic,
    freedom: error.freedom,
    p: tTwoSidedP(statistic, error.freedom),
    interval: { low: difference - reach, high: difference + reach },
  };
}
