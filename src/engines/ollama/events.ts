/**
 * Reading one line of Ollama's `/api/chat` and `/api/generate`. Text is in `message.content` or
 * `response`, reasoning in `thinking`; the line with `done: true` has the durations, nanoseconds.
 * A non-streaming answer is one such line with the whole text.
 */
import { nsToMs } from "../../core/units.ts";
import { classifyFault } from "../fault.ts";
import { type JsonRecord, amountAt, asRecord, listAt, recordAt, textAt } from "../json-shape.ts";
import type { EventReader } from "../stream/event-decoder.ts";
import type { PlainField } from "../stream/line-template.ts";
import type { Tally } from "../stream/tally.ts";

const CONTENT: PlainField = { key: "content", channel: "content" };
const RESPONSE: PlainField = { key: "response", channel: "content" };
const THINKING: PlainField = { key: "thinking", channel: "reasoning" };

export const ollamaEventReader: EventReader = {
  // Seen in 0.17.4, with models of random weights.
  knownTruncation: "Ollama also ends one so when a model repeats a token more than 30 times",
  read(parsed, tally) {
    const event = asRecord(parsed);
    if (event === undefined) {
      tally.count("other");
      return undefined;
    }
    if (event["error"] !== undefined) {
      const fault = classifyFault(undefined, JSON.stringify(event));
      tally.count("other");
      tally.fail(fault.code, fault.message);
      return undefined;
    }
    const done = event["done"] === true;
    if (done) readDone(event, tally);
    const model = textAt(event, "model");
    if (model !== undefined && tally.figures.model === undefined) tally.report({ model });
    return readText(event, done, tally);
  },
};

function readText(event: JsonRecord, done: boolean, tally: Tally): PlainField | undefined {
  const message = recordAt(event, "message");
  const content = tally.addText("content", textAt(message, "content"));
  const response = tally.addText("content", textAt(event, "response"));
  const thinking = tally.addText("reasoning", textAt(message ?? event, "thinking"));
  const tools = readToolCalls(message, tally);
  if (!content && !response && !thinking && !tools) {
    tally.count(done ? "finish" : message === undefined && !("response" in event) ? "other" : "empty");
    return undefined;
  }
  tally.countText(done ? countAt(event, "eval_count") : undefined);
  if (done || tools || Number(content) + Number(response) + Number(thinking) !== 1) return undefined;
  return content ? CONTENT : response ? RESPONSE : THINKING;
}

/** Ollama sends a call whole, with its arguments as an object. */
function readToolCalls(message: JsonRecord | undefined, tally: Tally): boolean {
  let any = false;
  for (const item of listAt(message, "tool_calls")) {
    const call = recordAt(asRecord(item), "function");
    const name = textAt(call, "name");
    if (name === undefined) continue;
    tally.breakToolCalls();
    any = tally.addText("toolCalls", `${name} ${JSON.stringify(call?.["arguments"] ?? {})}`) || any;
  }
  return any;
}

/** Counts and durations of zero are left out by the server, so a zero here is as unknown as an absence. */
function readDone(event: JsonRecord, tally: Tally): void {
  tally.closed = true;
  tally.complete = true;
  const inputTokens = countAt(event, "prompt_eval_count");
  const outputTokens = countAt(event, "eval_count");
  const finishReason = textAt(event, "done_reason");
  const loadMs = durationMs(event, "load_duration");
  const prefillMs = durationMs(event, "prompt_eval_duration");
  const decodeMs = durationMs(event, "eval_duration");
  const totalMs = durationMs(event, "total_duration");
  tally.report({
    ...(inputTokens !== undefined && { inputTokens }),
    ...(outputTokens !== undefined && { outputTokens }),
    ...(finishReason !== undefined && { finishReason }),
    split: {
      ...(loadMs !== undefined && { loadMs }),
      ...(prefillMs !== undefined && { prefillMs }),
      ...(inputTokens !== undefined && { prefillTokens: inputTokens }),
      ...(decodeMs !== undefined && { decodeMs }),
      ...(outputTokens !== undefined && { decodeTokens: outputTokens }),
      ...(totalMs !== undefined && { totalMs }),
    },
  });
}

function durationMs(event: JsonRecord, key: string): number | undefined {
  const ns = countAt(event, key);
  return ns === undefined ? undefined : nsToMs(ns);
}

function countAt(event: JsonRecord, key: string): number | undefined {
  const amount = amountAt(event, key);
  return amount === 0 ? undefined : amount;
}
