/**
 * Why a test can have no answer. Each is a result of its own, which a caller must look at before it
 * can read a p value: NaN would pass through every comparison as "not significant".
 */

export interface TooFew {
  readonly kind: "too-few";
  /** The least number of values, per sample where there are two. */
  readonly needed: number;
}

/** Nothing varies, so nothing can be told from chance: no statistic exists, whatever the means are. */
export interface NoVariance {
  readonly kind: "no-variance";
}

export const NO_VARIANCE: NoVariance = { kind: "no-variance" };

export function tooFew(needed: number): TooFew {
  return { kind: "too-few", needed };
}
