/**
 * What a t test of a given size can find. Two designs: two independent samples of n values each
 * (ν = 2n − 2, δ = d·√(n/2)), and n pairs (ν = n − 1, δ = d·√n, with d in deviations of the
 * difference). Tests are two-sided. J. Cohen, "Statistical Power Analysis for the Behavioral
 * Sciences" (1988); power by the noncentral t distribution, both tails counted.
 */
import { assert } from "../core/assert.ts";
import { noncentralTCdf, tQuantile } from "./distributions.ts";
import type { TooFew } from "./no-answer.ts";
import { tooFew } from "./no-answer.ts";

export type Design = "two-samples" | "pairs";

export interface PowerChoice {
  readonly design?: Design;
  readonly alpha?: number;
  readonly power?: number;
}

export type Detectable =
  | {
      readonly kind: "known";
      /**
       * The observed |d| from which on p < alpha: t_crit ÷ √(n/2). A true effect of this size is found
       * only about half of the time, so it is no "minimum detectable" effect, though published as one.
       */
      readonly criticalD: number;
      /** The true d that is found with the asked power. */
      readonly detectableD: number;
    }
  | TooFew;

export type NeededSize =
  | { readonly kind: "known"; readonly n: number; readonly power: number }
  /** No n within reach finds it: the effect is 0, or too small to be worth that many repeats. */
  | { readonly kind: "out-of-reach"; readonly most: number };

const FEWEST = 2;
const USUAL_ALPHA = 0.05;
const USUAL_POWER = 0.8;

/** Nobody repeats a trial more often; an effect that needs it is smaller than any drift of the machine. */
const MOST_REPEATS = 1_000_000;

/**
 * |T| < c asks for S above 9, or for Z below −9, as soon as δ exceeds 9·(c + 1): less than 1e-18 each,
 * so that the effect is found with certainty.
 */
const CERTAIN = 9;

/** A t that must be larger than this says that two values cannot be tested at so small an alpha. */
const LARGEST_CRITICAL = 10_000;

/** A bracket is halved until both ends are the same to this share. */
const SAME = 1e-14;

/** The effects that n values per sample, or n pairs, can and cannot find. */
export function detectableEffect(n: number, choice: PowerChoice = {}): Detectable {
  if (n < FEWEST) return tooFew(FEWEST);
  const { design = "two-samples", alpha = USUAL_ALPHA, power = USUAL_POWER } = choice;
  assert(power > alpha && power < 1, "power lies between alpha and 1");
  const test = tTestOf(design, n, alpha);
  if (test.critical > LARGEST_CRITICAL) return tooFew(n + 1);
  let low = 0;
  let high = test.critical;
  while (powerAt(test, high) < power) high *= 2;
  while (high - low > SAME * high) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (powerAt(test, middle) < power) low = middle;
    else high = middle;
  }
  return { kind: "known", criticalD: test.critical / test.scale, detectableD: high / test.scale };
}

/** The chance that the test gives p < alpha when the true effect is d. */
export function powerOf(
  d: number,
  n: number,
  choice: Omit<PowerChoice, "power"> = {},
): TooFew | { readonly kind: "known"; readonly power: number } {
  if (n < FEWEST) return tooFew(FEWEST);
  const { design = "two-samples", alpha = USUAL_ALPHA } = choice;
  const test = tTestOf(design, n, alpha);
  if (test.critical > LARGEST_CRITICAL) return tooFew(n + 1);
  return { kind: "known", power: powerAt(test, Math.abs(d) * test.scale) };
}

/** The least n, per sample or of pairs, that finds a true effect d with the asked power. */
export function neededSize(d: number, choice: PowerChoice = {}): NeededSize {
  const { design = "two-samples", alpha = USUAL_ALPHA, power = USUAL_POWER } = choice;
  assert(power > alpha && power < 1, "power lies between alpha and 1");
  const found = (n: number): number => {
    const test = tTestOf(design, n, alpha);
    return test.critical > LARGEST_CRITICAL ? 0 : powerAt(test, Math.abs(d) * test.scale);
  };
  let low = FEWEST;
  let high = FEWEST;
  while (found(high) < power) {
    if (high === MOST_REPEATS) return { kind: "out-of-reach", most: MOST_REPEATS };
    low = high + 1;
    high = Math.min(high * 2, MOST_REPEATS);
  }
  // Power only grows with n, so the least n is found by halving.
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (found(middle) >= power) high = middle;
    else low = middle + 1;
  }
  return { kind: "known", n: high, power: found(high) };
}

interface TTest {
  readonly freedom: number;
  readonly critical: number;
  /** δ ÷ d. */
  readonly scale: number;
}

function tTestOf(design: Design, n: number, alpha: number): TTest {
  const freedom = design === "pairs" ? n - 1 : 2 * n - 2;
  const scale = Math.sqrt(design === "pairs" ? n : n / 2);
  return { freedom, critical: tQuantile(1 - alpha / 2, freedom), scale };
}

/** P(|T| > critical), as P(T_δ > c) = P(T_−δ < −c): two chances that are summed, with no difference taken. */
function powerAt({ freedom, critical }: TTest, noncentrality: number): number {
  if (noncentrality > CERTAIN * (critical + 1)) return 1;
  return (
    noncentralTCdf(-critical, freedom, -noncentrality) + noncentralTCdf(-critical, freedom, noncentrality)
  );
}
