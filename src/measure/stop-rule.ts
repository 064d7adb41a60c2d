/**
 * When a trial of a set time may end early: once its aggregate throughput is known closely enough.
 * The time is cut into equal parts and the interval taken over their means ("batch means": A. M. Law,
 * Simulation Modeling and Analysis, section 9.5.3).
 */
import { describe } from "../stats/describe.ts";
import { FEWEST_SUB_WINDOWS } from "../workload/scenario.ts";

/** The first part holds the start, where every agent waits for its first token together. */
const PARTS_LEFT_OUT = 1;
/** Fewer means have an interval too, but looking at it again and again would soon find it narrow by luck. */
const FEWEST_PARTS = FEWEST_SUB_WINDOWS - PARTS_LEFT_OUT;

/**
 * Half of the 95 % interval of the mean of these parts, percent of it; `undefined` until there are
 * enough. Neighbouring parts share turns, which makes a plain interval too narrow: the same is worked
 * out for pairs of them, and the wider of the two counts.
 */
export function halfWidthPct(tokensOfParts: readonly number[]): number | undefined {
  const parts = tokensOfParts.slice(PARTS_LEFT_OUT);
  if (parts.length < FEWEST_PARTS) return undefined;
  const pairs = Array.from({ length: Math.floor(parts.length / 2) }, (_, pair) => {
    return (parts[2 * pair] as number) + (parts[2 * pair + 1] as number);
  });
  const widths = [relative(parts), relative(pairs)];
  return widths.every((width) => width !== undefined) ? Math.max(...widths) : undefined;
}

/** `undefined` where nothing came: nothing is known of a rate of 0. */
function relative(values: readonly number[]): number | undefined {
  const description = describe(values);
  if (description === undefined || description.mean <= 0) return undefined;
  const { mean, spread } = description;
  if (spread.kind === "no-variance") return 0;
  return spread.kind === "known" ? ((spread.ci95.high - mean) / mean) * 100 : undefined;
}
