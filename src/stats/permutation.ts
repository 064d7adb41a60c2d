/**
 * Permutation tests of a difference in means: they assume nothing but that the labels could have
 * fallen otherwise, which shuffled blocks make true. R. A. Fisher, "The Design of Experiments"
 * (1935). p is the share of arrangements whose |difference| is at least the observed one: of all of
 * them where they are few, else of a seeded sample, with the observed one counted as one of it
 * (B. Phipson and G. K. Smyth, "Permutation p-values should never be zero", Statistical Applications
 * in Genetics and Molecular Biology 9 (2010)).
 */
import type { RandomStream } from "../core/random.ts";
import { arrangements } from "./mann-whitney.ts";
import type { NoVariance, TooFew } from "./no-answer.ts";
import { NO_VARIANCE, tooFew } from "./no-answer.ts";
import { mean } from "./quantile.ts";
import { assertFinite } from "./sample.ts";

export type PermutationTest =
  | {
      readonly kind: "tested";
      /** mean(first) − mean(second), or the mean difference within pairs. */
      readonly difference: number;
      /** Two-sided, unless `tail` says otherwise. */
      readonly p: number;
      /** What p would be if no other arrangement came as far out: the best that n allows. */
      readonly smallestP: number;
      readonly method: "exact" | "monte-carlo";
      /** How many arrangements were looked at, the observed one included. */
      readonly arrangements: number;
    }
  | TooFew
  | NoVariance;

export interface PermutationChoice {
  /** Arrangements drawn where there are too many to look at all of them. */
  readonly draws?: number;
  readonly random: RandomStream;
  /** `above`: one-sided, for a question that only ever asks whether the first lies higher. Default both. */
  readonly tail?: "both" | "above";
}

/** C(18, 9) and 2¹⁵ are below it: all arrangements of that many take some milliseconds. */
const EXACT_UP_TO = 50_000;

/** With this many draws a p of 0.05 is known within ± 0.004. */
const USUAL_DRAWS = 9_999;

/** Sums of the same numbers in another order differ in their last digits, and still count as equal. */
const SAME = 1e-12;

/** Two independent samples: every division of the pooled values into samples of these sizes. */
export function permutationTest(
  first: readonly number[],
  second: readonly number[],
  choice: PermutationChoice,
): PermutationTest {
  if (first.length === 0 || second.length === 0) return tooFew(1);
  const pooled = Float64Array.from([...first, ...second]);
  assertFinite(pooled);
  if (pooled.every((value) => value === pooled[0])) return NO_VARIANCE;
  const difference = (mean(first) as number) - (mean(second) as number);
  // About the pooled mean, the sum of the first sample alone orders all arrangements.
  const centre = mean(pooled) as number;
  const values = pooled.map((value) => value - centre);
  let observed = 0;
  for (let index = 0; index < first.length; index++) observed += values[index] as number;
  const isAsFar = asFarAs(observed, values, choice.tail);
  const ways = arrangements(values.length, first.length);
  const mirrored = first.length === second.length && choice.tail !== "above" ? 2 : 1;
  if (ways <= EXACT_UP_TO) {
    const extreme = countCombinations(values, first.length, isAsFar);
    return exact(difference, extreme, ways, mirrored / ways);
  }
  return monteCarlo(difference, choice, isAsFar, () => {
    const { random } = choice;
    // A partial Fisher–Yates shuffle: only the first sample's places need to be drawn.
    let sum = 0;
    for (let place = 0; place < first.length; place++) {
      const other = place + random.integer(values.length - place);
      const drawn = values[other] as number;
      values[other] = values[place] as number;
      values[place] = drawn;
      sum += drawn;
    }
    return sum;
  });
}

/** Pairs: every choice of signs of the differences within them. */
export function pairedPermutationTest(
  differences: readonly number[],
  choice: PermutationChoice,
): PermutationTest {
  if (differences.length === 0) return tooFew(1);
  const values = Float64Array.from(differences);
  assertFinite(values);
  if (values.every((value) => value === 0)) return NO_VARIANCE;
  const observed = values.reduce((sum, value) => sum + value, 0);
  const isAsFar = asFarAs(observed, values, choice.tail);
  const ways = 2 ** values.length;
  const mirrored = choice.tail === "above" ? 1 : 2;
  if (ways <= EXACT_UP_TO)
    return exact(observed / values.length, countSigns(values, isAsFar), ways, mirrored / ways);
  return monteCarlo(observed / values.length, choice, isAsFar, () => {
    let sum = 0;
    for (const value of values) sum += choice.random.next() < 0.5 ? value : -value;
    return sum;
  });
}

type IsAsFar = (sum: number) => boolean;

/** Whether an arrangement with this sum counts as at least as far out as the observed one. */
function asFarAs(observed: number, values: Float64Array, tail: PermutationChoice["tail"]): IsAsFar {
  const slack = SAME * values.reduce((sum, value) => sum + Math.abs(value), 0);
  if (tail === "above") return (sum) => sum >= observed - slack;
  return (sum) => Math.abs(sum) >= Math.abs(observed) - slack;
}

function exact(difference: number, extreme: number, ways: number, smallestP: number): PermutationTest {
  return {
    kind: "tested",
    difference,
    p: extreme / ways,
    smallestP: Math.min(1, smallestP),
    method: "exact",
    arrangements: ways,
  };
}

function monteCarlo(
  difference: number,
  { draws = USUAL_DRAWS }: PermutationChoice,
  isAsFar: IsAsFar,
  drawSum: () => number,
): PermutationTest {
  let extreme = 1;
  for (let draw = 0; draw < draws; draw++) if (isAsFar(drawSum())) extreme++;
  const looked = draws + 1;
  return {
    kind: "tested",
    difference,
    p: extreme / looked,
    smallestP: 1 / looked,
    method: "monte-carlo",
    arrangements: looked,
  };
}

function countCombinations(values: Float64Array, size: number, isAsFar: IsAsFar): number {
  const choose = (from: number, left: number, sum: number): number => {
    if (left === 0) return isAsFar(sum) ? 1 : 0;
    let count = 0;
    for (let index = from; index <= values.length - left; index++)
      count += choose(index + 1, left - 1, sum + (values[index] as number));
    return count;
  };
  return choose(0, size, 0);
}

function countSigns(values: Float64Array, isAsFar: IsAsFar): number {
  const choose = (index: number, sum: number): number => {
    if (index === values.length) return isAsFar(sum) ? 1 : 0;
    const value = values[index] as number;
    return choose(index + 1, sum + value) + choose(index + 1, sum - value);
  };
  return choose(0, 0);
}
