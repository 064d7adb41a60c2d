/**
 * Which of a server's token counts are believed. A count divides into every rate that is reported,
 * so one that cannot be true is worse than none: without it the text events are counted, and the
 * record says that this is an estimate.
 */
import { MAX_TOKENS } from "../../core/limits.ts";
import type { EngineSplit } from "../../record/request-record.ts";

/** What the engine reports; a later report replaces the fields that it has. */
export interface EngineFigures {
  readonly inputTokens?: number;
  readonly cachedTokens?: number;
  readonly outputTokens?: number;
  readonly reasoningTokens?: number;
  readonly split?: EngineSplit;
  readonly finishReason?: string;
  readonly model?: string;
}

/** What arrived, to hold the counts against. */
export interface StreamEvidence {
  readonly textEvents: number;
  /** Of all text, as it stood in the JSON. */
  readonly textBytes: number;
  /** What the request asked for at most. */
  readonly maxTokens?: number;
}

export interface BelievedFigures {
  readonly figures: EngineFigures;
  /** The highest count of output tokens that was possible. */
  readonly outputLimit: number;
  /** Which counts were not believed and why, for a warning; absent when all were. */
  readonly discarded?: string;
}

/**
 * Tokens without text: thinking that a server counts and keeps to itself, in an answer without a
 * limit of its own. As long as the whole context of the reasoning models that are served today.
 */
const MAX_HIDDEN_TOKENS = 131_072;

/**
 * A zero beside text, and a prompt of zero tokens, say that the server did not count: they are
 * dropped without a word. What is no whole number or above any bound is dropped and named.
 */
export function believedFigures(figures: EngineFigures, evidence: StreamEvidence): BelievedFigures {
  const doubts: string[] = [];
  const outputLimit = highestOutput(evidence);
  const leastOutput = evidence.textEvents > 0 ? 1 : 0;
  const believe = (name: string, count: number | undefined, least: number, most: number) => {
    if (count === undefined || count < least) return undefined;
    if (Number.isSafeInteger(count) && count <= most) return count;
    doubts.push(Number.isSafeInteger(count) ? `${name} ${count} (at most ${most})` : `${name} ${count}`);
    return undefined;
  };
  const { inputTokens, cachedTokens, outputTokens, reasoningTokens, split, ...others } = figures;
  const input = believe("input", inputTokens, 1, MAX_TOKENS);
  const cached = believe("cached", cachedTokens, 0, input ?? MAX_TOKENS);
  const output = believe("output", outputTokens, leastOutput, outputLimit);
  const reasoning = believe("reasoning", reasoningTokens, 0, output ?? outputLimit);
  const prefillTokens = believe("prefill", split?.prefillTokens, 0, MAX_TOKENS);
  const decodeTokens = believe("decode", split?.decodeTokens, leastOutput, outputLimit);
  return {
    figures: {
      ...others,
      ...(input !== undefined && { inputTokens: input }),
      ...(cached !== undefined && { cachedTokens: cached }),
      ...(output !== undefined && { outputTokens: output }),
      ...(reasoning !== undefined && { reasoningTokens: reasoning }),
      ...(split !== undefined && { split: withCounts(split, prefillTokens, decodeTokens) }),
    },
    outputLimit,
    ...(doubts.length > 0 && { discarded: doubts.join(", ") }),
  };
}

/**
 * A server that was given a limit keeps it, or shows by its events that it does not. Without one, a
 * token with text is at least one byte of it.
 */
function highestOutput({ textEvents, textBytes, maxTokens }: StreamEvidence): number {
  return maxTokens !== undefined && maxTokens > 0
    ? Math.max(maxTokens, textEvents)
    : textBytes + MAX_HIDDEN_TOKENS;
}

function withCounts(
  { prefillTokens: _prefill, decodeTokens: _decode, ...durations }: EngineSplit,
  prefillTokens: number | undefined,
  decodeTokens: number | undefined,
): EngineSplit {
  return {
    ...durations,
    ...(prefillTokens !== undefined && { prefillTokens }),
    ...(decodeTokens !== undefined && { decodeTokens }),
  };
}
