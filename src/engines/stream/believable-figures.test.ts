import { expect, test } from "vitest";
import type { DecodedStream, EngineKind } from "../engine.ts";
import { ollamaEventReader } from "../ollama/events.ts";
import { openAiEventReader } from "../openai/events.ts";
import { createEngine } from "../registry.ts";
import { realClock } from "../../core/clock.ts";
import { readLlamaServerTimings } from "../llama-server/llama-server.ts";
import { EventStreamDecoder } from "./event-decoder.ts";

const MOST_TOKENS = 10_000_000;

const said = (content: string, usage?: object): object => ({
  choices: [{ delta: { content } }],
  ...(usage !== undefined && { usage }),
});
const FINISH = { choices: [{ delta: {}, finish_reason: "stop" }] };
const usage = (prompt_tokens: number, completion_tokens: number): object => ({
  choices: [],
  usage: { prompt_tokens, completion_tokens },
});
const FOUR = [said("a"), said("b"), said("c"), said("d")];

function openAi(events: readonly object[], maxTokens?: number): DecodedStream {
  const reader = openAiEventReader({ read: readLlamaServerTimings });
  const decoder = new EventStreamDecoder("sse", reader, { maxTokens });
  for (const event of events) decoder.push(Buffer.from(`data: ${JSON.stringify(event)}\n\n`), 1, false);
  decoder.push(Buffer.from("data: [DONE]\n\n"), 1, false);
  return decoder.finish(false);
}

function ollama(done: object): DecodedStream {
  const decoder = new EventStreamDecoder("ndjson", ollamaEventReader);
  const lines = [
    { message: { content: "a" }, done: false },
    { message: { content: "" }, done: true, ...done },
  ];
  decoder.push(Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join("")), 1, false);
  return decoder.finish(false);
}

test("a count of zero beside text is no count", () => {
  const decoded = openAi([...FOUR, FINISH, usage(12, 0)]);
  expect(decoded.outputTokens).toBeUndefined();
  expect(decoded).toMatchObject({ inputTokens: 12, events: { text: 4 } });
  expect(decoded.discardedCounts).toBeUndefined();
});

test("no prompt has zero tokens", () => {
  const decoded = openAi([...FOUR, FINISH, usage(0, 4)]);
  expect(decoded.inputTokens).toBeUndefined();
  expect(decoded.outputTokens).toBe(4);
});

test("an answer without text may have zero tokens", () => {
  expect(openAi([FINISH, usage(12, 0)])).toMatchObject({ inputTokens: 12, outputTokens: 0 });
});

test("zeros that are streamed beside the text are no counts of its events", () => {
  const zero = { prompt_tokens: 12, completion_tokens: 0 };
  const decoded = openAi([said("a", zero), said("b", zero), FINISH, usage(12, 2)]);
  expect(decoded.textTokens).toBeUndefined();
  expect(decoded.firstEventTokens).toBeUndefined();
  expect(decoded.outputTokens).toBe(2);
});

test("Ollama's zeros are as unknown as what it leaves out", () => {
  for (const done of [{}, { eval_count: 0, prompt_eval_count: 0, eval_duration: 5e6 }]) {
    const decoded = ollama(done);
    expect(decoded.outputTokens).toBeUndefined();
    expect(decoded.inputTokens).toBeUndefined();
    expect(decoded.split?.decodeTokens).toBeUndefined();
    expect(decoded.split?.prefillTokens).toBeUndefined();
  }
  expect(ollama({ eval_count: 3, eval_duration: 5e6 })).toMatchObject({
    outputTokens: 3,
    split: { decodeTokens: 3, decodeMs: 5 },
  });
});

test("more tokens than the request allowed are not believed, and it is said", () => {
  const decoded = openAi([...FOUR, FINISH, usage(12, 17)], 16);
  expect(decoded.outputTokens).toBeUndefined();
  expect(decoded.inputTokens).toBe(12);
  expect(decoded.discardedCounts).toBe("output 17 (at most 16)");
  expect(openAi([...FOUR, FINISH, usage(12, 16)], 16)).toMatchObject({ outputTokens: 16 });
});

test("a server that ignores the limit shows it by its events, and its count is believed", () => {
  expect(openAi([...FOUR, FINISH, usage(12, 4)], 2)).toMatchObject({ outputTokens: 4 });
  expect(openAi([...FOUR, FINISH, usage(12, 5)], 2).outputTokens).toBeUndefined();
});

test("without a limit, hidden thinking is believed and the impossible is not", () => {
  // Four bytes of text, and thinking of one whole context that is not shown.
  expect(openAi([...FOUR, FINISH, usage(12, 4 + 131_072)])).toMatchObject({ outputTokens: 131_076 });
  const decoded = openAi([...FOUR, FINISH, usage(12, 4 + 131_073)]);
  expect(decoded.outputTokens).toBeUndefined();
  expect(decoded.discardedCounts).toBe("output 131077 (at most 131076)");
});

test.each([
  [12.5, "output 12.5"],
  [1e300, "output 1e+300"],
])("a count of %s tokens is none", (count, words) => {
  const decoded = openAi([...FOUR, FINISH, usage(12, count)], 1000);
  expect(decoded.outputTokens).toBeUndefined();
  expect(decoded.discardedCounts).toBe(words);
});

test("a prompt longer than any context is not believed, nor more of it cached than there is", () => {
  const decoded = openAi([...FOUR, FINISH, usage(MOST_TOKENS + 1, 4)]);
  expect(decoded.inputTokens).toBeUndefined();
  expect(decoded.discardedCounts).toBe("input 10000001 (at most 10000000)");
  const cached = openAi([
    ...FOUR,
    FINISH,
    {
      choices: [],
      usage: { prompt_tokens: 12, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 13 } },
    },
  ]);
  expect(cached.cachedTokens).toBeUndefined();
  expect(cached).toMatchObject({ inputTokens: 12, outputTokens: 4 });
});

test("counts streamed with the text fall with the last one, and so do the engine's own", () => {
  const timings = (predicted_n: number): object => ({
    timings: { prompt_n: 7, predicted_n, predicted_ms: 9 },
  });
  const decoded = openAi(
    [
      { ...said("a"), ...timings(1) },
      { ...said("b"), ...timings(900) },
      { ...FINISH, ...timings(900) },
    ],
    16,
  );
  expect(decoded.outputTokens).toBeUndefined();
  expect(decoded.textTokens).toBeUndefined();
  expect(decoded.firstEventTokens).toBeUndefined();
  expect(decoded.split).toEqual({ prefillTokens: 7, decodeMs: 9 });
  expect(decoded.discardedCounts).toBe("output 900 (at most 16), decode 900 (at most 16)");
});

test.each<[EngineKind, boolean, object]>([
  ["openai", true, usage(12, 900)],
  ["openai", false, { ...usage(12, 900), choices: [{ message: { content: "a" }, finish_reason: "stop" }] }],
  ["ollama", true, { message: { content: "a" }, done: true, eval_count: 900 }],
  ["ollama", false, { message: { content: "a" }, done: true, eval_count: 900 }],
])("the request's limit reaches the decoder (%s, stream: %s)", async (kind, stream, event) => {
  const engine = await createEngine(
    { name: "replay", url: "http://127.0.0.1:9", engine: kind },
    { clock: realClock, env: {} },
  );
  const decoder = engine.createDecoder({ stream, options: { maxTokens: 16 } });
  const prefix = kind === "openai" && stream ? "data: " : "";
  decoder.push(Buffer.from(`${prefix}${JSON.stringify(event)}\n\n`), 1, false);
  expect(decoder.finish(false).discardedCounts).toContain("output 900 (at most 16)");
  await engine.close();
});
