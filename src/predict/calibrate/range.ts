/** How far the observations reach, and the refusal to say anything beyond. */
import type { Observation } from "./observation.ts";
import { worksOf } from "./observation.ts";

export interface CalibratedRange {
  /** Sequences that decoded in one step. */
  readonly sequences: number;
  /** Tokens of one sequence, prompt and answer. */
  readonly contextTokens: number;
  /** Tokens of all sequences of a step. */
  readonly totalContextTokens: number;
}

export interface CapacityQuestion {
  readonly sequences: number;
  /** Tokens each sequence has in the cache. */
  readonly contextTokens: number;
}

export type RangeAnswer =
  | { readonly kind: "within" }
  | {
      readonly kind: "beyond";
      /** `cache`: batch and context were seen, but never both at once. */
      readonly axis: "batch" | "context" | "cache";
      readonly asked: number;
      readonly calibrated: number;
      /** One sentence with the remedy. */
      readonly message: string;
    };

export function rangeOf(observations: readonly Observation[]): CalibratedRange {
  const range = { sequences: 0, contextTokens: 0, totalContextTokens: 0 };
  for (const observation of observations)
    for (const { decodeSequences, decodeContextTokens, prefills } of worksOf(observation)) {
      range.sequences = Math.max(range.sequences, decodeSequences);
      range.totalContextTokens = Math.max(range.totalContextTokens, Math.round(decodeContextTokens));
      // The mean of a batch: at least one of its sequences was that long.
      const contextTokens = decodeSequences === 0 ? 0 : Math.round(decodeContextTokens / decodeSequences);
      range.contextTokens = Math.max(range.contextTokens, contextTokens);
      for (const { newTokens, depthTokens } of prefills)
        range.contextTokens = Math.max(range.contextTokens, Math.round(newTokens + depthTokens));
    }
  return range;
}

/** A roofline says nothing of kernels that change with the batch, or of a cache that is spilled: past the data it is a guess. */
export function withinRange(
  range: CalibratedRange,
  { sequences, contextTokens }: CapacityQuestion,
): RangeAnswer {
  if (sequences > range.sequences)
    return beyond("batch", sequences, range.sequences, "sequences at once", "more agents");
  if (contextTokens > range.contextTokens)
    return beyond("context", contextTokens, range.contextTokens, "tokens of context", "longer prompts");
  const total = sequences * contextTokens;
  if (total > range.totalContextTokens)
    return beyond("cache", total, range.totalContextTokens, "tokens in the cache at once", "both together");
  return { kind: "within" };
}

function beyond(
  axis: "batch" | "context" | "cache",
  asked: number,
  calibrated: number,
  what: string,
  remedy: string,
): RangeAnswer {
  const message = `nothing is predicted for ${asked} ${what}: the calibration reaches ${calibrated}; measure with ${remedy} and calibrate again`;
  return { kind: "beyond", axis, asked, calibrated, message };
}
