import type { Interval } from "./describe.ts";
import { welchTest } from "./welch.ts";

export type Difference =
  | {
      readonly kind: "known";
      /** mean(first) − mean(second). */
      readonly difference: number;
      readonly ci95: Interval;
      /** The interval leaves out 0: a shift that this many trials can tell from chance. */
      readonly decided: boolean;
    }
  | { readonly kind: "too-few"; readonly needed: number }
  | { readonly kind: "no-variance"; readonly difference: number };

/** The difference of two means with its 95 % interval after Welch, variances not assumed equal. */
export function differenceOfMeans(first: readonly number[], second: readonly number[]): Difference {
  const test = welchTest(first, second);
  if (test.kind !== "tested") return test;
  const { difference, interval } = test;
  return {
    kind: "known",
    difference,
    ci95: interval,
    decided: interval.low > 0 || interval.high < 0,
  };
}
