import type { TooFew } from "./no-answer.ts";
import { tooFew } from "./no-answer.ts";
import { momentsOf } from "./sample.ts";
import type { MeanTest, StandardError } from "./welch.ts";
import { FEWEST_PER_SIDE, meanTest, USUAL_CONFIDENCE } from "./welch.ts";

/**
 * Student's test that differences within pairs are 0 on average: t = d̄ ÷ (s_d ÷ √n), n − 1 degrees
 * of freedom. "Student", "The probable error of a mean", Biometrika 6 (1908). A pair is two trials of
 * one block, so that what both share (a warm card, a busy host) cancels; the caller subtracts.
 */
export function pairedT(differences: readonly number[], confidence = USUAL_CONFIDENCE): MeanTest {
  const error = errorOfMeanDifference(differences);
  return error.kind === "too-few" ? error : meanTest(error.mean, error, confidence);
}

/** The mean difference within pairs and its standard error. */
export function errorOfMeanDifference(
  differences: readonly number[],
): TooFew | (StandardError & { readonly kind: "known"; readonly mean: number }) {
  if (differences.length < FEWEST_PER_SIDE) return tooFew(FEWEST_PER_SIDE);
  const { n, mean, variance } = momentsOf(differences);
  return { kind: "known", mean, value: Math.sqrt(variance / n), freedom: n - 1 };
}
