import { assert } from "../core/assert.ts";
import type { Interval } from "./describe.ts";
import { binomialCdf } from "./distributions.ts";
import type { TooFew } from "./no-answer.ts";
import { tooFew } from "./no-answer.ts";

export type ProportionInterval = ({ readonly kind: "known" } & Interval) | TooFew;

/** Halvings until the two ends of [0, 1] are neighbouring doubles near any bound that is not 0. */
const HALVINGS = 60;

/**
 * The exact interval of a share of which `hits` of `n` independent trials were seen, as shares of 1:
 * the p at which so many hits, or more, and so many, or fewer, each have the chance (1 − confidence) ÷ 2.
 * C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case
 * of the binomial", Biometrika 26 (1934). Never too narrow; after no hit in n trials the upper end is
 * 1 − ((1 − confidence) ÷ 2)^(1 ÷ n), near 3.7 ÷ n at 95 %.
 */
export function proportionInterval(hits: number, n: number, confidence = 0.95): ProportionInterval {
  assert(hits >= 0 && hits <= n, "no more hits than trials");
  if (n === 0) return tooFew(1);
  const tail = (1 - confidence) / 2;
  return {
    kind: "known",
    low: hits === 0 ? 0 : root((p) => 1 - binomialCdf(hits - 1, n, p) >= tail),
    high: hits === n ? 1 : root((p) => binomialCdf(hits, n, p) <= tail),
  };
}

/** How many trials without a single hit put the upper end of the interval at `limit`, a share of 1, or below. */
export function trialsWithoutHit(limit: number, confidence = 0.95): number {
  assert(limit > 0 && limit < 1, "a limit between 0 and 1");
  return Math.ceil(Math.log((1 - confidence) / 2) / Math.log1p(-limit));
}

/** The least p in [0, 1] for which the condition holds; it holds from there on. */
function root(holds: (p: number) => boolean): number {
  let low = 0;
  let high = 1;
  for (let step = 0; step < HALVINGS; step++) {
    const middle = (low + high) / 2;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
