/**
 * How far one sample lies from another, without means: the median of all differences between them,
 * and the interval of shifts that a rank test would not reject. J. L. Hodges and E. L. Lehmann,
 * "Estimates of location based on rank tests", Annals of Mathematical Statistics 34 (1963);
 * intervals after M. Hollander and D. A. Wolfe, "Nonparametric Statistical Methods" (1999), 3.3, 4.3.
 */
import { assert } from "../core/assert.ts";
import type { Interval } from "./describe.ts";
import { normalQuantile } from "./distributions.ts";
import type { TooFew } from "./no-answer.ts";
import { tooFew } from "./no-answer.ts";
import { quantile } from "./quantile.ts";
import {
  chanceUpTo,
  lowerCriticalCount,
  mannWhitneyChances,
  signedRankChances,
} from "./rank-distributions.ts";
import { assertFinite } from "./sample.ts";
import { USUAL_CONFIDENCE } from "./welch.ts";

export type Shift =
  | {
      readonly kind: "known";
      /** In the unit of the values. */
      readonly shift: number;
      readonly interval: ShiftInterval;
    }
  | TooFew;

export type ShiftInterval =
  | (Interval & {
      readonly kind: "known";
      /** What the interval really covers without ties: at least what was asked, in steps that n sets. */
      readonly coverage: number;
    })
  /** Even the widest interval, from the smallest to the largest difference, covers less than was asked. */
  | { readonly kind: "too-few"; readonly widestCoverage: number };

/** 80 MB of differences: two samples of 3,000 values. The trial is the unit, so real ones are far smaller. */
const MOST_DIFFERENCES = 10_000_000;

/** Up to this many differences the distribution is counted; beyond, the normal one is as good. */
const EXACT_UP_TO = 10_000;

/** The shift first − second of two independent samples. Ties make the interval cover more, never less. */
export function hodgesLehmann(
  first: readonly number[],
  second: readonly number[],
  confidence = USUAL_CONFIDENCE,
): Shift {
  if (first.length === 0 || second.length === 0) return tooFew(1);
  const count = first.length * second.length;
  assert(count <= MOST_DIFFERENCES, "hodgesLehmann: too many values; it compares trials, not requests");
  const differences = new Float64Array(count);
  let place = 0;
  for (const a of first) for (const b of second) differences[place++] = a - b;
  const variance = (count * (first.length + second.length + 1)) / 12;
  const chances = count <= EXACT_UP_TO ? mannWhitneyChances(first.length, second.length) : undefined;
  return shiftOf(differences, chances, variance, confidence);
}

/** The centre of differences within pairs: the median of the means of all two of them, each with itself too. */
export function hodgesLehmannPaired(paired: readonly number[], confidence = USUAL_CONFIDENCE): Shift {
  const n = paired.length;
  if (n === 0) return tooFew(1);
  const count = (n * (n + 1)) / 2;
  assert(count <= MOST_DIFFERENCES, "hodgesLehmannPaired: too many values; it compares trials, not requests");
  const averages = new Float64Array(count);
  let place = 0;
  for (let i = 0; i < n; i++)
    for (let j = i; j < n; j++) averages[place++] = ((paired[i] as number) + (paired[j] as number)) / 2;
  const chances = count <= EXACT_UP_TO ? signedRankChances(n) : undefined;
  return shiftOf(averages, chances, (n * (n + 1) * (2 * n + 1)) / 24, confidence);
}

function shiftOf(
  values: Float64Array,
  chances: Float64Array | undefined,
  variance: number,
  confidence: number,
): Shift {
  assertFinite(values);
  values.sort();
  const tail = (1 - confidence) / 2;
  const beyond =
    chances === undefined
      ? Math.floor(values.length / 2 + normalQuantile(tail) * Math.sqrt(variance))
      : lowerCriticalCount(chances, tail);
  return {
    kind: "known",
    shift: quantile(values, 0.5) as number,
    interval: intervalBeyond(values, chances, beyond, confidence),
  };
}

/** The `beyond`-th value from either end bounds the interval: fewer than that many lie outside by chance. */
function intervalBeyond(
  sorted: Float64Array,
  chances: Float64Array | undefined,
  beyond: number,
  confidence: number,
): ShiftInterval {
  const coverageOf = (count: number): number =>
    chances === undefined ? confidence : 1 - 2 * chanceUpTo(chances, count - 1);
  const low = sorted[beyond - 1];
  const high = sorted[sorted.length - beyond];
  if (low === undefined || high === undefined)
    return { kind: "too-few", widestCoverage: Math.max(0, coverageOf(1)) };
  return { kind: "known", low, high, coverage: coverageOf(beyond) };
}
