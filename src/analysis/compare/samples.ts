/**
 * Two samples of one metric and the tests of "B is A, changed by so much". A change is either a share
 * of A or an amount; the same test asks whether there is any (0), and whether it passes a bound, so
 * that an interval and a verdict can never disagree.
 */
import type { Interval } from "../../stats/describe.ts";
import { tCdf } from "../../stats/distributions.ts";
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
export function testAgainst({ design, a, b }: Samples, change: Change, confidence?: number): MeanTest {
  const changed = a.map((value) => applied(value, change));
  if (design === "two-samples") return welchTest(b, changed, confidence);
  return pairedT(
    b.map((value, index) => value - (changed[index] as number)),
    confidence,
  );
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
 * The changes, as shares of A, that the test does not refuse at this confidence. Inverting the test treats A's
 * own uncertainty as it is (E. C. Fieller, "Some problems in interval estimation", Journal of the
 * Royal Statistical Society B 16 (1954)), which dividing an interval by A's mean would not. Pairs
 * that are all in one ratio have an interval without width; where nothing varies there is none.
 */
export function relativeInterval(samples: Samples, confidence = 0.95): Interval | undefined {
  const estimate = relativeChange(samples);
  if (estimate === undefined || testAgainst(samples, NO_CHANGE).kind === "too-few") return undefined;
  const low = limit(samples, estimate, -1, confidence);
  const high = limit(samples, estimate, 1, confidence);
  return low === undefined || high === undefined ? undefined : { low, high };
}

function limit(
  samples: Samples,
  estimate: number,
  direction: 1 | -1,
  confidence: number,
): number | undefined {
  const refused = (share: number): boolean => {
    const test = testAgainst(samples, { kind: "relative", share }, confidence);
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

/** Whether the change is shown to be smaller than `margin` either way. */
export function equivalentWithin(samples: Samples, margin: Change): Equivalence {
  if (margin.kind === "relative") return equivalentWithinShare(samples, Math.abs(margin.share));
  const { design, a, b } = samples;
  const reach = Math.abs(margin.amount);
  const within = { low: -reach, high: reach };
  if (design === "two-samples") return equivalence(b, a, within);
  return pairedEquivalence(differences(samples), within);
}

/** Of each of the two one-sided tests; their interval is then the one at 90 %. */
const ONE_SIDED_ALPHA = 0.05;

/**
 * Two one-sided tests against (1 − share)·A and (1 + share)·A. A is measured too: a margin of a share
 * of its observed mean, taken as known, would find sameness that the next run of A refutes. The
 * interval is Fieller's at 90 %, in the metric's unit, and lies within the margin when the tests say so.
 */
function equivalentWithinShare(samples: Samples, share: number): Equivalence {
  const above = testAgainst(samples, { kind: "relative", share: -share });
  const below = testAgainst(samples, { kind: "relative", share });
  const plain = testAgainst(samples, NO_CHANGE, 1 - 2 * ONE_SIDED_ALPHA);
  if (plain.kind === "too-few") return plain;
  if (above.kind !== "tested" || below.kind !== "tested")
    return { kind: "no-variance", difference: plain.difference };
  const pAboveLow = tCdf(-above.statistic, above.freedom);
  const pBelowHigh = tCdf(below.statistic, below.freedom);
  const p = Math.max(pAboveLow, pBelowHigh);
  const shares = relativeInterval(samples, 1 - 2 * ONE_SIDED_ALPHA);
  const before = mean(samples.a) ?? 0;
  return {
    kind: "tested",
    difference: plain.difference,
    pAboveLow,
    pBelowHigh,
    p,
    equivalent: p < ONE_SIDED_ALPHA,
    interval: shares === undefined ? EVERYTHING : { low: shares.low * before, high: shares.high * before },
  };
}

/** An A that may as well be 0 bounds no share of it. */
const EVERYTHING: Interval = { low: -Infinity, high: Infinity };

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
