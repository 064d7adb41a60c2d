import { binomialCdf } from "./distributions.ts";
import type { NoVariance, TooFew } from "./no-answer.ts";
import { NO_VARIANCE, tooFew } from "./no-answer.ts";

export type SignTest =
  | {
      readonly kind: "tested";
      readonly positive: number;
      readonly negative: number;
      /** Pairs without a difference: they speak for neither side and are left out. */
      readonly equal: number;
      /** Two-sided. */
      readonly p: number;
      /** 2 ÷ 2ⁿ over the n pairs that differ: six pairs are the fewest that can reach 0.05. */
      readonly smallestP: number;
    }
  | TooFew
  | NoVariance;

/**
 * The exact sign test: of n differences that are not 0 the number above 0 is Binomial(n, ½) when
 * neither side is better, p = min(1, 2·P(X ≤ the smaller count)). It asks nothing of the size of a
 * difference, so it also holds for grades. W. J. Dixon and A. M. Mood, "The statistical sign test",
 * Journal of the American Statistical Association 41 (1946).
 */
export function signTest(differences: readonly number[]): SignTest {
  if (differences.length === 0) return tooFew(1);
  const positive = differences.filter((difference) => difference > 0).length;
  const negative = differences.filter((difference) => difference < 0).length;
  const known = positive + negative;
  if (known === 0) return NO_VARIANCE;
  return {
    kind: "tested",
    positive,
    negative,
    equal: differences.length - known,
    p: Math.min(1, 2 * binomialCdf(Math.min(positive, negative), known, 0.5)),
    smallestP: Math.min(1, 2 ** (1 - known)),
  };
}
