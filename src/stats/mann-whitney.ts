import { normalCdf } from "./distributions.ts";
import type { NoVariance, TooFew } from "./no-answer.ts";
import { NO_VARIANCE, tooFew } from "./no-answer.ts";
import { chanceUpTo, mannWhitneyChances } from "./rank-distributions.ts";
import { rank } from "./ranks.ts";
import { assertFinite } from "./sample.ts";

export type MannWhitney =
  | {
      readonly kind: "tested";
      /** Pairs (a of first, b of second) with a > b, equal ones counted half. */
      readonly u1: number;
      /** n₁·n₂ − u1. */
      readonly u2: number;
      /** u1 ÷ (n₁·n₂): the chance that a value of the first sample exceeds one of the second. */
      readonly superiority: number;
      /** Two-sided, never below `smallestP`. */
      readonly p: number;
      /** 2 ÷ C(n₁ + n₂, n₁), reached when the samples do not overlap at all: 0.1 for three against three. */
      readonly smallestP: number;
      readonly method: MannWhitneyMethod;
    }
  | TooFew
  | NoVariance;

export type MannWhitneyMethod =
  | { readonly kind: "exact" }
  /** P(|Z| ≥ |z|) is the p of the approximation alone, which knows no smallest value. */
  | { readonly kind: "normal"; readonly z: number };

/** Up to this size of the smaller sample the normal approximation is visibly off, and counting is cheap. */
const EXACT_UP_TO = 8;

/**
 * Whether values of one sample tend to be larger. H. B. Mann and D. R. Whitney, "On a test of whether
 * one of two random variables is stochastically larger than the other", Annals of Mathematical
 * Statistics 18 (1947). Exact without ties where the smaller sample has at most 8 values; otherwise
 *
 *     z = (|U − n₁n₂/2| − ½) ÷ √(n₁n₂/12 · (N + 1 − Σ(t³ − t) ÷ (N(N − 1))))
 *
 * with the correction for continuity and for groups of t ties. With ties among few values the
 * approximation may fall below what counting could ever give, so p is held at `smallestP`.
 */
export function mannWhitney(first: readonly number[], second: readonly number[]): MannWhitney {
  if (first.length === 0 || second.length === 0) return tooFew(1);
  const pooled = [...first, ...second];
  assertFinite(pooled);
  if (pooled.every((value) => value === pooled[0])) return NO_VARIANCE;
  const { ranks, tieTerm } = rank(pooled);
  const count = pooled.length;
  const pairs = first.length * second.length;
  let rankSum = 0;
  for (let index = 0; index < first.length; index++) rankSum += ranks[index] as number;
  const u1 = rankSum - (first.length * (first.length + 1)) / 2;
  const sides = { u1, u2: pairs - u1, superiority: u1 / pairs };
  const smallestP = Math.min(1, 2 / arrangements(count, first.length));
  const smallerU = Math.min(u1, pairs - u1);
  if (tieTerm === 0 && Math.min(first.length, second.length) <= EXACT_UP_TO) {
    const chances = mannWhitneyChances(first.length, second.length);
    const p = Math.min(1, 2 * chanceUpTo(chances, smallerU));
    return { kind: "tested", ...sides, p, smallestP, method: { kind: "exact" } };
  }
  const variance = (pairs / 12) * (count + 1 - tieTerm / (count * (count - 1)));
  const z = Math.max(0, Math.abs(u1 - pairs / 2) - 0.5) / Math.sqrt(variance);
  const p = Math.max(smallestP, 2 * normalCdf(-z));
  return { kind: "tested", ...sides, p, smallestP, method: { kind: "normal", z } };
}

/** C(n, k): in how many ways n values fall into a sample of k and the rest. Infinite beyond a double. */
export function arrangements(n: number, k: number): number {
  let ways = 1;
  const fewer = Math.min(k, n - k);
  // Every partial product is itself a binomial coefficient, so each division comes out even.
  for (let i = 1; i <= fewer; i++) ways = (ways * (n - fewer + i)) / i;
  return ways;
}
