import { expect, test } from "vitest";
import type { DecodedStream } from "../engine.ts";
import { EventStreamDecoder, JsonBodyDecoder } from "../stream/event-decoder.ts";
import { ollamaEventReader } from "./events.ts";

/** One line a read, 1 ms apart. */
function decode(events: readonly object[]): DecodedStream {
  const decoder = new EventStreamDecoder("ndjson", ollamaEventReader);
  events.forEach((event, index) =>
    decoder.push(Buffer.from(`${JSON.stringify(event)}\n`), (index + 1) * 1e6, false),
  );
  return decoder.finish(false);
}

const said = (message: object): object => ({
  model: "gemma3:latest",
  created_at: "2025-08-01T10:00:00.1Z",
  message: { role: "assistant", ...message },
  done: false,
});

const DONE = {
  model: "gemma3:latest",
  created_at: "2025-08-01T10:00:01Z",
  message: { role: "assistant", content: "" },
  done: true,
  done_reason: "stop",
  total_duration: 1_500_000_000,
  load_duration: 200_000_000,
  prompt_eval_count: 31,
  prompt_eval_duration: 300_000_000,
  eval_count: 20,
  eval_duration: 900_000_000,
};

test("text is content or thinking, and the last line has counts and durations in nanoseconds", () => {
  const decoded = decode([
    said({ content: "", thinking: "hm" }),
    said({ content: "Hel" }),
    said({ content: "lo" }),
    DONE,
  ]);
  expect(decoded).toMatchObject({
    content: "Hello",
    reasoning: "hm",
    firstTokenNs: 1e6,
    firstVisibleNs: 2e6,
    lastTokenNs: 3e6,
    events: { text: 3, finish: 1 },
    inputTokens: 31,
    outputTokens: 20,
    finishReason: "stop",
    model: "gemma3:latest",
    split: { loadMs: 200, prefillMs: 300, prefillTokens: 31, decodeMs: 900, decodeTokens: 20, totalMs: 1500 },
  });
  expect(decoded.fault).toBeUndefined();
});

test("a count or duration that is left out is unknown, not zero", () => {
  const { prompt_eval_count: _, load_duration: __, ...rest } = DONE;
  const decoded = decode([said({ content: "a" }), { ...rest, prompt_eval_duration: 0 }]);
  expect(decoded.inputTokens).toBeUndefined();
  expect(decoded.split).toEqual({ decodeMs: 900, decodeTokens: 20, totalMs: 1500 });
});

test("generate's text is in response", () => {
  const part = (response: string): object => ({ model: "m", response, done: false });
  const decoded = decode([part("a"), part("b"), part(""), { ...DONE, message: undefined, response: "" }]);
  expect(decoded).toMatchObject({ content: "ab", events: { text: 2, empty: 1, finish: 1 } });
});

test("a tool call comes whole", () => {
  const decoded = decode([
    said({ content: "", tool_calls: [{ function: { name: "now", arguments: { zone: "UTC" } } }] }),
    DONE,
  ]);
  expect(decoded.toolCalls).toBe('now {"zone":"UTC"}');
  expect(decoded.events.text).toBe(1);
});

test("an error line is a fault, a missing last line a truncated stream", () => {
  expect(
    decode([
      said({ content: "a" }),
      { error: "model requires more system memory (9.1 GiB) than is available (4.0 GiB)" },
    ]).fault,
  ).toEqual({
    code: "SERVER_OUT_OF_MEMORY",
    message:
      "the server reported an error in the stream: model requires more system memory (9.1 GiB) than is available (4.0 GiB)",
  });
  expect(decode([said({ content: "a" })]).fault?.code).toBe("STREAM_TRUNCATED");
});

test("a non-streaming answer is its last line with the whole text", () => {
  const decoder = new JsonBodyDecoder(ollamaEventReader);
  decoder.push(
    Buffer.from(JSON.stringify({ ...DONE, message: { role: "assistant", content: "Hello" } })),
    4e6,
    false,
  );
  expect(decoder.finish(false)).toMatchObject({
    content: "Hello",
    events: { text: 1 },
    outputTokens: 20,
    firstEventTokens: 20,
    firstTokenNs: 4e6,
    split: { decodeMs: 900 },
  });
});

test("a stream without its last line says when Ollama is known to cut one", () => {
  const { fault } = decode([{ message: { content: "a" }, done: false }]);
  expect(fault).toEqual({
    code: "STREAM_TRUNCATED",
    message:
      "the stream ended without its closing event (events so far: 1); Ollama also ends one so when a model repeats a token more than 30 times",
  });
});
