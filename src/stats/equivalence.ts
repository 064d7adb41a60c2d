import type { Interval } from "./describe.ts";
import { tCdf } from "./distributions.ts";
import type { TooFew } from "./no-answer.ts";
import { tooFew } from "./no-answer.ts";
import { errorOfMeanDifference } from "./paired-t.ts";
import { momentsOf } from "./sample.ts";
import type { StandardError } from "./welch.ts";
import { FEWEST_PER_SIDE, meanTest, welchError } from "./welch.ts";

export type Equivalence =
  | {
      readonly kind: "tested";
      readonly difference: number;
      /** Of "the difference lies at or below margin.low", and of "at or above margin.high". */
      readonly pAboveLow: number;
      readonly pBelowHigh: number;
      /** The larger of both: equivalence needs both refused. */
      readonly p: number;
      readonly equivalent: boolean;
      /** 1 − 2·alpha; it lies within the margin exactly when the test says equivalent. */
      readonly interval: Interval;
    }
  | TooFew
  | { readonly kind: "no-variance"; readonly difference: number };

/**
 * Two one-sided tests: whether the difference of two means is shown to lie within a margin, in the
 * unit of the values. "Not significant" never shows that; this does. D. J. Schuirmann, "A comparison
 * of the two one-sided tests procedure and the power approach", Journal of Pharmacokinetics and
 * Biopharmaceutics 15 (1987). Variances are not assumed equal (Welch).
 */
export function equivalence(
  first: readonly number[],
  second: readonly number[],
  margin: Interval,
  alpha = 0.05,
): Equivalence {
  if (Math.min(first.length, second.length) < FEWEST_PER_SIDE) return tooFew(FEWEST_PER_SIDE);
  const [a, b] = [momentsOf(first), momentsOf(second)];
  return withinMargin(a.mean - b.mean, welchError(a, b), margin, alpha);
}

/** The same for differences within pairs. */
export function pairedEquivalence(
  differences: readonly number[],
  margin: Interval,
  alpha = 0.05,
): Equivalence {
  const error = errorOfMeanDifference(differences);
  return error.kind === "too-few" ? error : withinMargin(error.mean, error, margin, alpha);
}

function withinMargin(
  difference: number,
  error: StandardError,
  margin: Interval,
  alpha: number,
): Equivalence {
  const test = meanTest(difference, error, 1 - 2 * alpha);
  if (test.kind !== "tested") return test;
  const pAboveLow = tCdf((margin.low - difference) / error.value, error.freedom);
  const pBelowHigh = tCdf((difference - margin.high) / error.value, error.freedom);
  const p = Math.max(pAboveLow, pBelowHigh);
  const { interval } = test;
  return { kind: "tested", difference, pAboveLow, pBelowHigh, p, equivalent: p < alpha, interval };
}
