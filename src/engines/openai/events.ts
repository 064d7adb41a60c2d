/**
 * Reading one event of OpenAI's chat and completion streams, in all the dialects that servers
 * speak: a role with or without content, reasoning under two names (`reasoning`,
 * `reasoning_content`), usage alone or beside text, zeroed usage objects (Ollama's completions),
 * a finish with an empty delta, errors inside a stream that began with 200. A non-streaming answer
 * is the same event with `message` in place of `delta`.
 */
import { classifyFault } from "../fault.ts";
import { type JsonRecord, amountAt, asRecord, listAt, recordAt, textAt } from "../json-shape.ts";
import type { EngineFigures } from "../stream/believable-figures.ts";
import type { EventReader } from "../stream/event-decoder.ts";
import type { PlainField } from "../stream/line-template.ts";
import type { Tally } from "../stream/tally.ts";

/** What a dialect adds to the events. */
export interface EventExtras {
  /** Figures beside the standard ones, read before the text is counted. */
  readonly read?: (event: JsonRecord) => ExtraFigures | undefined;
}

export interface ExtraFigures {
  readonly figures: EngineFigures;
  /** Output tokens so far, if the dialect streams them, and the key that has them. */
  readonly tokensSoFar?: number;
  readonly countKey?: string;
}

export function openAiEventReader(extras: EventExtras = {}): EventReader {
  return new OpenAiEventReader(extras);
}

const CONTENT: PlainField = { key: "content", channel: "content" };
const TEXT: PlainField = { key: "text", channel: "content" };
const REASONING: PlainField = { key: "reasoning", channel: "reasoning" };
const REASONING_CONTENT: PlainField = { key: "reasoning_content", channel: "reasoning" };

class OpenAiEventReader implements EventReader {
  readonly #readExtra: EventExtras["read"];

  constructor(extras: EventExtras) {
    this.#readExtra = extras.read;
  }

  read(parsed: unknown, tally: Tally): PlainField | undefined {
    const event = asRecord(parsed);
    if (event === undefined) {
      tally.count("other");
      return undefined;
    }
    if (event["error"] !== undefined && event["error"] !== null) {
      const fault = classifyFault(undefined, JSON.stringify(event));
      tally.count("other");
      tally.fail(fault.code, fault.message);
      return undefined;
    }
    const counted = this.#report(event, tally);
    const model = textAt(event, "model");
    if (model !== undefined && tally.figures.model === undefined) tally.report({ model });
    const hasFigures = recordAt(event, "usage") !== undefined || counted !== undefined;
    const choice = asRecord(listAt(event, "choices")[0]);
    if (choice === undefined) tally.count(hasFigures ? "usage" : "other");
    const plain = choice === undefined ? undefined : readChoice(choice, tally, counted?.tokensSoFar);
    // After the reason and the figures only `[DONE]` is left, and not all servers send it.
    if (tally.closed && counted !== undefined) tally.complete = true;
    if (plain === undefined || !hasFigures) return plain;
    const countKey = counted?.countKey;
    return countKey === undefined ? undefined : { ...plain, countKey };
  }

  readFigures(parsed: unknown, tally: Tally): void {
    const event = asRecord(parsed);
    if (event !== undefined) this.#report(event, tally);
  }

  /** Standard figures first; a dialect's own win. Its count is used where the standard one is missing. */
  #report(event: JsonRecord, tally: Tally): ExtraFigures | undefined {
    const usage = readUsage(recordAt(event, "usage"));
    if (usage !== undefined) tally.report(usage.figures);
    const extra = this.#readExtra?.(event);
    if (extra !== undefined) tally.report(extra.figures);
    return usage?.tokensSoFar === undefined ? (extra ?? usage) : usage;
  }
}

function readChoice(
  choice: JsonRecord,
  tally: Tally,
  tokensSoFar: number | undefined,
): PlainField | undefined {
  const delta = recordAt(choice, "delta") ?? recordAt(choice, "message");
  const content = tally.addText("content", textAt(delta, "content"));
  const text = tally.addText("content", textAt(choice, "text"));
  // A server between two versions sends both names with the same text.
  const renamed = tally.addText("reasoning", textAt(delta, "reasoning"));
  const reasoning = !renamed && tally.addText("reasoning", textAt(delta, "reasoning_content"));
  const tools = readToolCalls(delta, tally);
  // Some servers send an empty reason with every event.
  const finishReason = textAt(choice, "finish_reason") || undefined;
  if (finishReason !== undefined) {
    tally.report({ finishReason });
    tally.closed = true;
  }
  if (content || text || renamed || reasoning || tools) {
    tally.countText(tokensSoFar);
    const single = Number(content) + Number(text) + Number(renamed) + Number(reasoning) === 1;
    if (!single || tools || finishReason !== undefined) return undefined;
    return content ? CONTENT : text ? TEXT : renamed ? REASONING : REASONING_CONTENT;
  }
  tally.count(finishReason !== undefined ? "finish" : emptyKind(choice, delta));
  return undefined;
}

function emptyKind(choice: JsonRecord, delta: JsonRecord | undefined): "role" | "empty" | "other" {
  if (textAt(delta, "role") !== undefined) return "role";
  const silent = [delta?.["content"], delta?.["reasoning"], delta?.["reasoning_content"], choice["text"]];
  return silent.some((value) => value === "" || value === null) ? "empty" : "other";
}

/** Names and arguments as they come, one call a line: `name {"argument":…}`. */
function readToolCalls(delta: JsonRecord | undefined, tally: Tally): boolean {
  let any = false;
  for (const item of listAt(delta, "tool_calls")) {
    const call = recordAt(asRecord(item), "function");
    const name = textAt(call, "name");
    if (name !== undefined && name !== "") {
      tally.breakToolCalls();
      any = tally.addText("toolCalls", `${name} `) || any;
    }
    any = tally.addText("toolCalls", textAt(call, "arguments")) || any;
  }
  return any;
}

/** A usage object of zeros says nothing; one with prompt tokens and no output yet does. */
function readUsage(usage: JsonRecord | undefined): ExtraFigures | undefined {
  const input = amountAt(usage, "prompt_tokens");
  const output = amountAt(usage, "completion_tokens");
  if ((input ?? 0) === 0 && (output ?? 0) === 0) return undefined;
  const cached = amountAt(recordAt(usage, "prompt_tokens_details"), "cached_tokens");
  const reasoning = amountAt(recordAt(usage, "completion_tokens_details"), "reasoning_tokens");
  return {
    figures: {
      ...(input !== undefined && { inputTokens: input }),
      ...(output !== undefined && { outputTokens: output }),
      ...(cached !== undefined && { cachedTokens: cached }),
      ...(reasoning !== undefined && { reasoningTokens: reasoning }),
    },
    ...(output !== undefined && { tokensSoFar: output, countKey: "completion_tokens" }),
  };
}
