/**
 * Descriptions of figures that cannot take every value. Student's interval knows nothing of the
 * figure it is given for: of two trials it reaches 12.7 standard errors each way, to a fairness of
 * 1.3 or a negative wall time. What lies beyond a bound is no uncertainty, so the interval is cut
 * there and says so. The level stays 95 % or more, since no possible value is left out.
 */
import type { Description, Interval } from "../stats/describe.ts";
import { describe } from "../stats/describe.ts";

/** The possible values of a figure; no bound where absent. */
export interface Bounds {
  readonly low?: number;
  readonly high?: number;
}

export const NOT_NEGATIVE: Bounds = { low: 0 };
export const UNBOUNDED: Bounds = {};

/** `undefined` when no value is known. */
export function describeWithin(
  values: readonly (number | undefined)[],
  bounds: Bounds,
): Description | undefined {
  const description = describe(values);
  if (description === undefined || description.spread.kind !== "known") return description;
  const { spread } = description;
  return { ...description, spread: { ...spread, ci95: clipped(spread.ci95, bounds) } };
}

function clipped({ low, high }: Interval, bounds: Bounds): Interval {
  const [cutLow, cutHigh] = [low < (bounds.low ?? -Infinity), high > (bounds.high ?? Infinity)];
  if (!cutLow && !cutHigh) return { low, high };
  return {
    low: cutLow ? (bounds.low as number) : low,
    high: cutHigh ? (bounds.high as number) : high,
    clipped: cutLow && cutHigh ? "both" : cutLow ? "low" : "high",
  };
}
