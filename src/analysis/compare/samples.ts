/**
 * Two samples of one metric and the tests of "B is A, changed by so much". A change is either a share
 * of A or an amount; the same test asks whether there is any (0), and whether it passes a bound, so
 * that an interval and a verdict can never disagree.
 */
import type { Interval } from "../../stats/describe.ts";
import { equivalence, pairedEquivalence } from "../../stats/equivalence.ts";
import type { Equivalence } from "../../stats/equivalence.ts";
import { pairedT } from "../../stats/paired-t.ts";
import type { NeededSize } from "../../stats/power.ts";
import { neededSize } from "../../stats/power.ts";
import { mean } from "../../stats/quantile.ts";
import { momentsOf } from "../../stats/sample.ts";
import type { MeanTest } from "../../stats/welch.ts";
import { welchTest } from "../../stats/welch.ts";
import type { Pairing } from "./pairing.ts";

export interface Samples {
  readonly design: Pairing["design"];
  /** One value per trial; of pairs, at the same places. */
  readonly a: readonly number[];
  readonly b: readonly number[];
}

/** What B is supposed to be of A. */
export type Change =
  | { readonly kind: "relative"; readonly share: number }
  | { readonly kind: "absolute"; readonly amount: number };

export const NO_CHANGE: Change = { kind: "absolute", amount: 0 };

/**
 * Tests whether B differs from A changed as stated: B against (1 + share)·A, or against A + amount,
 * by Welch's test or, of pairs, by Student's. `difference` is positive where B lies above.
 */
export function testAgainst({ design, a, b }: Samples, change: Change): MeanTest {
  const changed = a.map((value) => applied(value, change));
  if (design === "two-samples") return welchTest(b, changed);
  return pairedT(b.map((value, index) => value - (changed[index] as number)));
}

function applied(value: number, change: Change): number {
  return change.kind === "relative" ? value * (1 + change.share) : value + change.amount;
}

export function relativeChange({ a, b }: Samples): number | undefined {
  const before = mean(a);
  const after = mean(b);
  return before === undefined || after === undefined || before <= 0 ? undefined : after / before - 1;
}

/** Doublings of the first step before an interval is taken to have no end: A may then as well be 0. */
const MOST_DOUBLINGS = 40;
/** Halvings of the bracket: to the last digits of a double. */
const HALVINGS = 60;

/**
 * The changes, as shares of A, that the test does not refuse at 95 %. Inverting the test treats A's
 * own uncertainty as it is (E. C. Fieller, "Some problems in interval estimation", Journal of the
 * Royal Statistical Society B 16 (1954)), which dividing an interval by A's mean would not.
 */
export function relativeInterval(samples: Samples): Interval | undefined {
  const estimate = relativeChange(samples);
  if (estimate === undefined || testAgainst(samples, { kind: "relative", share: estimate }).kind !== "tested")
    return undefined;
  const low = limit(samples, estimate, -1);
  const high = limit(samples, estimate, 1);
  return low === undefined || high === undefined ? undefined : { low, high };
}

function limit(samples: Samples, estimate: number, direction: 1 | -1): number | undefined {
  const refused = (share: number): boolean => {
    const test = testAgainst(samples, { kind: "relative", share });
    return test.kind === "tested" && (direction > 0 ? test.interval.high < 0 : test.interval.low > 0);
  };
  let inside = estimate;
  let step = Math.max(Math.abs(estimate), 1) * 1e-3;
  let doublings = 0;
  while (!refused(estimate + direction * step)) {
    inside = estimate + direction * step;
    step *= 2;
    if (++doublings > MOST_DOUBLINGS) return undefined;
  }
  let outside = estimate + direction * step;
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (inside + outside) / 2;
    if (refused(middle)) outside = middle;
    else inside = middle;
  }
  return inside;
}

/** Whether the change is shown to be smaller than `margin` either way; a share is one of A's mean. */
export function equivalentWithin(samples: Samples, margin: Change): Equivalence {
  const { design, a, b } = samples;
  const reach = Math.abs(margin.kind === "relative" ? margin.share * (mean(a) ?? 0) : margin.amount);
  const within = { low: -reach, high: reach };
  if (design === "two-samples") return equivalence(b, a, within);
  return pairedEquivalence(differences(samples), within);
}

/** B − A within each pair. */
export function differences({ a, b }: Samples): readonly number[] {
  return b.map((value, index) => value - (a[index] as number));
}

/**
 * Repeats per side (of pairs: pairs) at which a change as large as the one seen would be told from
 * `change` with 80 % power at level `alpha`, if trials go on to vary as they did. `undefined` where
 * the variation is not known.
 */
export function repeatsToDecide(samples: Samples, change: Change, alpha: number): NeededSize | undefined {
  const { design, a, b } = samples;
  const test = testAgainst(samples, change);
  if (test.kind !== "tested") return undefined;
  const variance =
    design === "pairs"
      ? momentsOf(b.map((value, index) => value - applied(a[index] as number, change))).variance
      : (momentsOf(b).variance + momentsOf(a.map((value) => applied(value, change))).variance) / 2;
  return neededSize(test.difference / Math.sqrt(variance), { design, alpha });
}
