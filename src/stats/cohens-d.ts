import type { NoVariance, TooFew } from "./no-answer.ts";
import { NO_VARIANCE, tooFew } from "./no-answer.ts";
import type { Moments } from "./sample.ts";
import { momentsOf } from "./sample.ts";
import { FEWEST_PER_SIDE } from "./welch.ts";

export type EffectClass = "negligible" | "small" | "medium" | "large";

export type EffectSize =
  | {
      readonly kind: "known";
      /** (mean(first) − mean(second)) ÷ pooled deviation; no unit, sign kept. */
      readonly d: number;
      /**
       * d × (1 − 3 ÷ (4·(n₁ + n₂ − 2) − 1)), which takes off most of what d overstates in small samples:
       * a fifth at three against three. L. V. Hedges, Journal of Educational Statistics 6 (1981).
       */
      readonly correctedD: number;
      readonly size: EffectClass;
    }
  | TooFew
  | NoVariance;

/** Cohen's conventions: from each of these on, the next class. */
const SMALL = 0.2;
const MEDIUM = 0.5;
const LARGE = 0.8;

/**
 * Cohen's d with the pooled deviation √(((n₁ − 1)s₁² + (n₂ − 1)s₂²) ÷ (n₁ + n₂ − 2)). J. Cohen,
 * "Statistical Power Analysis for the Behavioral Sciences" (1988). Where nothing varies there is no
 * d, neither 0 nor infinite: equal constants and different constants are alike in this.
 */
export function cohensD(first: readonly number[], second: readonly number[]): EffectSize {
  if (Math.min(first.length, second.length) < FEWEST_PER_SIDE) return tooFew(FEWEST_PER_SIDE);
  return cohensDFromMoments(momentsOf(first), momentsOf(second));
}

/** The same from published means and deviations. */
export function cohensDFromMoments(first: Moments, second: Moments): EffectSize {
  if (Math.min(first.n, second.n) < FEWEST_PER_SIDE) return tooFew(FEWEST_PER_SIDE);
  const freedom = first.n + second.n - 2;
  const pooled = ((first.n - 1) * first.variance + (second.n - 1) * second.variance) / freedom;
  if (pooled === 0) return NO_VARIANCE;
  const d = (first.mean - second.mean) / Math.sqrt(pooled);
  return { kind: "known", d, correctedD: d * (1 - 3 / (4 * freedom - 1)), size: effectClass(d) };
}

/** |d| < 0.2 negligible, < 0.5 small, < 0.8 medium, else large. */
export function effectClass(d: number): EffectClass {
  const size = Math.abs(d);
  if (size < SMALL) return "negligible";
  if (size < MEDIUM) return "small";
  return size < LARGE ? "medium" : "large";
}
