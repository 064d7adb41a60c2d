/** What the OpenAI API sends: stream events, the whole answer, usage, and llama-server's `timings`. */
import { NS_PER_MS } from "../../core/units.ts";
import type { RequestTimings } from "../../predict/simulate/simulated-request.ts";
import type { FinishReason } from "./host.ts";

export type Form = "chat" | "completion";

/** llama-server's `timings`: never, in the last event, or in every event that carries text. */
export type TimingsWanted = "never" | "last" | "each";

export interface Call {
  readonly form: Form;
  readonly id: string;
  readonly model: string;
  readonly createdS: number;
  readonly includeUsage: boolean;
  readonly timings: TimingsWanted;
}

export interface Frames {
  /** The role alone, before the first text, as llama-server and vLLM send it. */
  readonly opening: string;
  text(piece: string, timings: RequestTimings): string;
  closing(timings: RequestTimings, finish: FinishReason): string;
}

/** Stands where the text goes while the rest of the event is put together; no word contains it. */
const TEXT_MARK = "\u0001";

export function framesOf(call: Call): Frames {
  const chat = call.form === "chat";
  const head = {
    id: call.id,
    object: chat ? "chat.completion.chunk" : "text_completion",
    created: call.createdS,
    model: call.model,
  };
  const event = (choices: readonly unknown[], more: object = {}): string =>
    `data: ${JSON.stringify({ ...head, choices, ...more })}\n\n`;
  const choice = (text: string, more: object): object =>
    chat
      ? { index: 0, delta: { ...more, content: text }, logprobs: null, finish_reason: null }
      : { index: 0, text, logprobs: null, finish_reason: null };
  // Only the text differs between two events, so the rest is put together once.
  const [before = "", after = ""] = event([choice(TEXT_MARK, {})]).split(JSON.stringify(TEXT_MARK));
  return {
    opening: chat ? event([choice("", { role: "assistant" })]) : "",
    text: (piece, timings) =>
      call.timings === "each"
        ? event([choice(piece, {})], { timings: llamaTimings(timings) })
        : `${before}${JSON.stringify(piece)}${after}`,
    closing: (timings, finish) => {
      const last = chat ? { index: 0, delta: {} } : { index: 0, text: "" };
      const extra = call.timings === "never" ? {} : { timings: llamaTimings(timings) };
      const closing = [{ ...last, logprobs: null, finish_reason: finish }];
      const events = call.includeUsage
        ? event(closing) + event([], { usage: usageOf(timings), ...extra })
        : event(closing, extra);
      return `${events}data: [DONE]\n\n`;
    },
  };
}

export function wholeAnswer(call: Call, text: string, timings: RequestTimings, finish: FinishReason): object {
  const chat = call.form === "chat";
  const said = chat ? { message: { role: "assistant", content: text } } : { text };
  return {
    id: call.id,
    object: chat ? "chat.completion" : "text_completion",
    created: call.createdS,
    model: call.model,
    choices: [{ index: 0, ...said, logprobs: null, finish_reason: finish }],
    usage: usageOf(timings),
    ...(call.timings === "never" ? {} : { timings: llamaTimings(timings) }),
  };
}

function usageOf(timings: RequestTimings): object {
  return {
    prompt_tokens: timings.promptTokens,
    completion_tokens: timings.outputTokens,
    total_tokens: timings.promptTokens + timings.outputTokens,
    prompt_tokens_details: { cached_tokens: timings.cachedTokens },
  };
}

/** Prefill without the cached tokens; decode from the first token to the latest, as llama-server counts them. */
function llamaTimings(timings: RequestTimings): object {
  const promptTokens = timings.promptTokens - timings.cachedTokens;
  const promptMs = (timings.firstTokenNs - timings.startedNs) / NS_PER_MS;
  const predictedMs = (timings.latestTokenNs - timings.firstTokenNs) / NS_PER_MS;
  return {
    cache_n: timings.cachedTokens,
    prompt_n: promptTokens,
    prompt_ms: promptMs,
    prompt_per_token_ms: promptMs / promptTokens,
    prompt_per_second: (promptTokens * 1000) / promptMs,
    predicted_n: timings.outputTokens,
    predicted_ms: predictedMs,
    predicted_per_token_ms: predictedMs / timings.outputTokens,
    predicted_per_second: predictedMs > 0 ? (timings.outputTokens * 1000) / predictedMs : null,
  };
}
