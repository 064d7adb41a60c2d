import { expect, test } from "vitest";
import type { DecodedStream } from "../engine.ts";
import { EventStreamDecoder, JsonBodyDecoder } from "../stream/event-decoder.ts";
import { openAiEventReader } from "./events.ts";

/** Each inner list arrives in one read; reads are 1 ms apart. `[DONE]` closes the stream. */
function decode(reads: readonly (readonly unknown[])[]): DecodedStream {
  const decoder = new EventStreamDecoder("sse", openAiEventReader());
  reads.forEach((events, index) => {
    const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
    decoder.push(Buffer.from(body), (index + 1) * 1e6, false);
  });
  decoder.push(Buffer.from("data: [DONE]\n\n"), (reads.length + 1) * 1e6, false);
  return decoder.finish(false);
}

const delta = (fields: object, rest: object = {}): object => ({
  model: "m",
  choices: [{ index: 0, delta: fields, finish_reason: null, ...rest }],
});

test("a role alone and an empty content are no tokens", () => {
  const decoded = decode([
    [delta({ role: "assistant" })],
    [delta({ role: "assistant", content: "" })],
    [delta({ content: "" })],
    [delta({ content: "x" })],
  ]);
  expect(decoded.events).toEqual({ text: 1, role: 2, empty: 1, keepAlive: 0, usage: 0, finish: 0, other: 1 });
  expect(decoded.firstTokenNs).toBe(4e6);
});

test("a role together with content is a token (Ollama's first chunk)", () => {
  const decoded = decode([[delta({ role: "assistant", content: "Hi" })]]);
  expect(decoded).toMatchObject({ content: "Hi", events: { text: 1, role: 0 }, firstTokenNs: 1e6 });
});

test("reasoning under either name is a token, and content is the first that is visible", () => {
  for (const name of ["reasoning", "reasoning_content"]) {
    const decoded = decode([
      [delta({ role: "assistant", content: "", [name]: "hm" })],
      [delta({ content: "", [name]: "m" })],
      [delta({ content: "Yes" })],
    ]);
    expect(decoded).toMatchObject({
      reasoning: "hmm",
      content: "Yes",
      events: { text: 3 },
      firstTokenNs: 1e6,
      firstVisibleNs: 3e6,
    });
  }
});

test("reasoning under both names at once is read once", () => {
  expect(decode([[delta({ reasoning: "hm", reasoning_content: "hm" })]]).reasoning).toBe("hm");
});

test("two chunks written back to back share one stamp, which the result says", () => {
  const decoded = decode([[delta({ reasoning: "so" }), delta({ content: "4" })], [delta({ content: "2" })]]);
  expect([...decoded.textStampsNs]).toEqual([1e6, 1e6, 2e6]);
  expect(decoded.sharedStampEvents).toBe(1);
});

test("a usage-only frame and a finish with an empty delta are no tokens and set no stamp", () => {
  const decoded = decode([
    [delta({ content: "a" })],
    [delta({}, { finish_reason: "length" })],
    [
      {
        choices: [],
        usage: {
          prompt_tokens: 12,
          completion_tokens: 1,
          prompt_tokens_details: { cached_tokens: 8 },
          completion_tokens_details: { reasoning_tokens: 0 },
        },
      },
    ],
  ]);
  expect(decoded).toMatchObject({
    events: { text: 1, finish: 1, usage: 1 },
    lastTokenNs: 1e6,
    finishReason: "length",
    inputTokens: 12,
    cachedTokens: 8,
    outputTokens: 1,
    reasoningTokens: 0,
  });
  expect(decoded.textTokens).toBeUndefined();
});

test("a usage object of zeros is no count (Ollama's completion chunks)", () => {
  const zero = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
  const decoded = decode([
    [{ choices: [{ text: "a", index: 0, finish_reason: null }], usage: zero }],
    [{ choices: [], usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 } }],
    [{ choices: [], usage: zero }],
  ]);
  expect(decoded).toMatchObject({ content: "a", inputTokens: 5, outputTokens: 7 });
  expect(decoded.textTokens).toBeUndefined();
});

test("where usage comes with every chunk, each chunk's tokens are known (vLLM)", () => {
  const at = (completion_tokens: number): object => ({ usage: { prompt_tokens: 9, completion_tokens } });
  const decoded = decode([
    [{ ...delta({ role: "assistant", content: "" }), ...at(0) }],
    [{ ...delta({ content: "one two three" }), ...at(3) }],
    [{ ...delta({ content: "" }), ...at(5) }],
    [{ ...delta({ content: "four" }), ...at(6) }],
    [{ ...delta({ content: "five" }, { finish_reason: "stop" }), ...at(7) }],
    [{ choices: [], ...at(7) }],
  ]);
  // The two tokens of the empty chunk (held back by the server) come out with the next text.
  expect([...(decoded.textTokens ?? [])]).toEqual([3, 3, 1]);
  expect(decoded).toMatchObject({ firstEventTokens: 3, outputTokens: 7, finishReason: "stop" });
});

test("counts that are missing for one chunk, or run backwards, are no counts per chunk", () => {
  const counted = (content: string, completion_tokens: number): object => ({
    ...delta({ content }),
    usage: { prompt_tokens: 1, completion_tokens },
  });
  expect(decode([[counted("a", 1)], [delta({ content: "b" })]]).textTokens).toBeUndefined();
  expect(decode([[counted("a", 5)], [counted("b", 2)]]).textTokens).toBeUndefined();
});

test("an empty finish reason finishes nothing", () => {
  const decoded = decode([
    [delta({ content: "a" }, { finish_reason: "" })],
    [delta({}, { finish_reason: "stop" })],
  ]);
  expect(decoded).toMatchObject({ finishReason: "stop", events: { text: 1, finish: 1 } });
});

test("tool calls are text of their own: one call a line, its arguments as they come", () => {
  const call = (index: number, fields: object): object =>
    delta({ tool_calls: [{ index, function: fields }] });
  const decoded = decode([
    [call(0, { name: "read_file", arguments: "" })],
    [call(0, { arguments: '{"path":' })],
    [call(0, { arguments: '"a"}' })],
    [call(1, { name: "now", arguments: "{}" })],
    [delta({}, { finish_reason: "tool_calls" })],
  ]);
  expect(decoded.toolCalls).toBe('read_file {"path":"a"}\nnow {}');
  expect(decoded).toMatchObject({ content: "", events: { text: 4, finish: 1 }, firstTokenNs: 1e6 });
  expect(decoded.firstVisibleNs).toBeUndefined();
});

test("an error inside a stream that began well is a fault, and the text before it is kept", () => {
  const decoded = decode([
    [delta({ content: "par" })],
    [{ error: { message: "CUDA error: out of memory", type: "server_error", code: 500 } }],
    [delta({ content: "never read" })],
  ]);
  expect(decoded.content).toBe("par");
  expect(decoded.fault).toEqual({
    code: "SERVER_OUT_OF_MEMORY",
    message: "the server reported an error in the stream: CUDA error: out of memory (server_error)",
  });
  expect(
    decode([[{ error: "Incomplete generation", error_type: "incomplete_generation" }]]).fault?.code,
  ).toBe("SERVER_ERROR");
});

test("a finish reason closes the stream of a server that sends no [DONE]", () => {
  const decoder = new EventStreamDecoder("sse", openAiEventReader());
  const events = [delta({ content: "a" }), delta({}, { finish_reason: "stop" })];
  decoder.push(Buffer.from(events.map((event) => `data:${JSON.stringify(event)}\n\n`).join("")), 1, false);
  expect(decoder.finish(false)).toMatchObject({ content: "a", finishReason: "stop" });
  expect(decoder.fault).toBeUndefined();
});

test("a non-streaming answer has the same shape: one event with all its tokens", () => {
  const decoder = new JsonBodyDecoder(openAiEventReader());
  const body = {
    model: "m",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: "Hello", reasoning_content: "hm" },
        finish_reason: "stop",
      },
    ],
    usage: { prompt_tokens: 4, completion_tokens: 6 },
  };
  decoder.push(Buffer.from(JSON.stringify(body)), 5e6, false);
  expect(decoder.finish(false)).toEqual({
    content: "Hello",
    reasoning: "hm",
    toolCalls: "",
    events: { text: 1, role: 0, empty: 0, keepAlive: 0, usage: 0, finish: 0, other: 0 },
    firstTokenNs: 5e6,
    firstVisibleNs: 5e6,
    lastTokenNs: 5e6,
    textStampsNs: Float64Array.of(5e6),
    textTokens: Uint32Array.of(6),
    firstEventTokens: 6,
    sharedStampEvents: 0,
    inputTokens: 4,
    outputTokens: 6,
    finishReason: "stop",
    model: "m",
  });
});

test("events that are no object, or carry nothing known, are counted as other", () => {
  const decoded = decode([[17, [], "text", null, {}, { choices: [{ index: 0, delta: {} }] }]]);
  expect(decoded.events.other).toBe(7);
  expect(decoded.fault).toBeUndefined();
});
