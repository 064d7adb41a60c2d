import { normalCdf } from "./distributions.ts";
import type { NoVariance, TooFew } from "./no-answer.ts";
import { NO_VARIANCE, tooFew } from "./no-answer.ts";
import { chanceUpTo, signedRankChances } from "./rank-distributions.ts";
import { rank } from "./ranks.ts";
import { assertFinite } from "./sample.ts";

export type SignedRankTest =
  | {
      readonly kind: "tested";
      /** Sum of the ranks of |difference| over positive differences, and over negative ones. */
      readonly positiveSum: number;
      readonly negativeSum: number;
      /** Pairs that differ; differences of 0 are left out. */
      readonly n: number;
      /** Two-sided, never below `smallestP`. */
      readonly p: number;
      /** 2 ÷ 2ⁿ, reached when all differences have one sign. */
      readonly smallestP: number;
      readonly method: "exact" | "normal";
    }
  | TooFew
  | NoVariance;

/** Beyond this many pairs the normal approximation is good to three digits of p. */
const EXACT_UP_TO = 50;

/**
 * Whether differences within pairs lie about 0. F. Wilcoxon, "Individual comparisons by ranking
 * methods", Biometrics Bulletin 1 (1945). Exact without ties up to 50 pairs; otherwise normal with
 * mean n(n + 1)/4, variance n(n + 1)(2n + 1)/24 − Σ(t³ − t)/48 and correction for continuity.
 */
export function wilcoxonSignedRank(differences: readonly number[]): SignedRankTest {
  if (differences.length === 0) return tooFew(1);
  assertFinite(differences);
  const known = differences.filter((difference) => difference !== 0);
  const n = known.length;
  if (n === 0) return NO_VARIANCE;
  const { ranks, tieTerm } = rank(known.map(Math.abs));
  const positiveSum = known.reduce(
    (sum, value, index) => (value > 0 ? sum + (ranks[index] as number) : sum),
    0,
  );
  const total = (n * (n + 1)) / 2;
  const smallestP = Math.min(1, 2 ** (1 - n));
  const sums = { positiveSum, negativeSum: total - positiveSum, n, smallestP };
  const smaller = Math.min(positiveSum, total - positiveSum);
  if (tieTerm === 0 && n <= EXACT_UP_TO)
    return {
      kind: "tested",
      ...sums,
      p: Math.min(1, 2 * chanceUpTo(signedRankChances(n), smaller)),
      method: "exact",
    };
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - tieTerm / 48;
  const z = Math.max(0, total / 2 - smaller - 0.5) / Math.sqrt(variance);
  return { kind: "tested", ...sums, p: Math.max(smallestP, 2 * normalCdf(-z)), method: "normal" };
}
