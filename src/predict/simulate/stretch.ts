/**
 * Decode steps in one go. While the same sequences decode, each step adds one token to each context,
 * so the duration of a step grows by the same amount from step to step and the sum is a closed form:
 * m steps take m·first + growth·m(m − 1)/2. It is exact as long as nobody ends, arrives, or outgrows
 * a sliding window, and those are where a stretch ends.
 */
import { windowedLayersTokens } from "../model-shape.ts";
import { stepNs } from "../step-time.ts";
import type { StepTimeModel } from "../step-time.ts";
import { isDecoding } from "./slot.ts";
import { workOf } from "./step-plan.ts";
import type { Share } from "./step-plan.ts";

export interface Stretch {
  /** At least 1. */
  readonly steps: number;
  /** Nanoseconds of the first step, and what each next one takes more; not rounded. */
  readonly firstNs: number;
  readonly growthNs: number;
}

/** The longest stretch that begins with these shares; undefined when one of them is a prompt. */
export function longestStretch(
  time: StepTimeModel,
  shares: readonly Share[],
  mostSteps: number,
): Stretch | undefined {
  if (shares.some(({ running }) => !isDecoding(running))) return undefined;
  const windowTokens = windowedLayersTokens(time.model);
  let steps = mostSteps;
  for (const { running } of shares) {
    steps = Math.min(steps, running.outputTokens - running.emittedTokens);
    const contextTokens = running.prefilledTokens + running.emittedTokens;
    if (contextTokens < windowTokens) steps = Math.min(steps, windowTokens - contextTokens);
  }
  const firstNs = stepNs(time, workOf(shares, time.model));
  if (steps <= 1) return { steps: 1, firstNs, growthNs: 0 };
  const secondNs = stepNs(time, workOf(shares, time.model, 1));
  return { steps, firstNs, growthNs: secondNs - firstNs };
}

/** Nanoseconds of the first `steps` of a stretch. */
export function stretchNs({ firstNs, growthNs }: Stretch, steps: number): number {
  return steps * firstNs + (growthNs * steps * (steps - 1)) / 2;
}

/**
 * The fewest steps, at least one, that last until `ns` at the earliest; all of them when they end
 * before. `lastsNs` is what the caller makes of {@link stretchNs}: scaled, rounded.
 */
export function stepsToReach(
  stretch: Stretch,
  ns: number,
  scale: number,
  lastsNs: (steps: number) => number,
): number {
  if (ns <= 0) return 1;
  const { firstNs, growthNs, steps } = stretch;
  const linear = firstNs - growthNs / 2;
  const unscaledNs = ns / scale;
  // The positive root of growth/2·m² + linear·m = ns, in the form that does not cancel for small growth.
  const root = (2 * unscaledNs) / (linear + Math.sqrt(linear * linear + 2 * growthNs * unscaledNs));
  // Rounding, ours and the caller's, can move it by a step or two.
  let reached = Math.min(Math.max(1, Math.floor(root)), steps);
  while (reached > 1 && lastsNs(reached - 1) >= ns) reached--;
  while (reached < steps && lastsNs(reached) < ns) reached++;
  return reached;
}
