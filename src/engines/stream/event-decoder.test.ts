import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_CHUNK_STAMPS } from "../../core/limits.ts";
import type { DecodedStream, StreamDecoder } from "../engine.ts";
import { readLlamaServerTimings } from "../llama-server/llama-server.ts";
import { ollamaEventReader } from "../ollama/events.ts";
import { openAiEventReader } from "../openai/events.ts";
import { EventStreamDecoder, JsonBodyDecoder } from "./event-decoder.ts";

const chat = (options: { fastPath?: boolean; maxLineBytes?: number } = {}): EventStreamDecoder =>
  new EventStreamDecoder("sse", openAiEventReader({ read: readLlamaServerTimings }), options);

/** Each piece is one read, 1 ms after the one before. */
function decode(decoder: StreamDecoder, pieces: readonly (string | Buffer)[], broken = false): DecodedStream {
  pieces.forEach((piece, index) =>
    decoder.push(Buffer.from(piece as Buffer), (index + 1) * 1_000_000, false),
  );
  return decoder.finish(broken);
}

const said = (content: string): string =>
  `data: ${JSON.stringify({ id: "c1", choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;
const DONE = "data: [DONE]\n\n";

test("a character whose bytes arrive in two reads is one character, on either path", () => {
  const body = Buffer.from(said("a") + said("Grüße 🚢") + said("漢字") + DONE);
  for (let place = 0; place <= body.length; place++) {
    const decoded = decode(chat(), [body.subarray(0, place), body.subarray(place)]);
    expect(decoded.content).toBe("aGrüße 🚢漢字");
    expect(decoded.invalidUtf8Events).toBeUndefined();
  }
});

test("halves of a surrogate pair in two events join", () => {
  const half = (escape: string): string => `data: {"choices":[{"delta":{"content":"${escape}"}}]}\n\n`;
  const decoded = decode(chat(), [half("x"), half("\\ud83d"), half("\\udea2"), DONE]);
  expect(decoded.content).toBe("x🚢");
});

test("bytes that are no UTF-8 read as U+FFFD and are counted", () => {
  const bad = Buffer.concat([
    Buffer.from('data: {"choices":[{"delta":{"content":"'),
    Buffer.from([0xc3, 0x28]),
    Buffer.from('"}}]}\n\n'),
  ]);
  const decoded = decode(chat(), [said("ok"), bad, bad.subarray(0, 41), bad.subarray(41), DONE]);
  expect(decoded.content).toBe("ok\u{fffd}(\u{fffd}(");
  expect(decoded.invalidUtf8Events).toBe(2);
  expect(decoded.fault).toBeUndefined();
});

test("every text event has the stamp of its read, and those of one read share it", () => {
  const decoded = decode(chat(), [said("a"), said("b") + said("c") + said("d"), said("e") + DONE]);
  expect([...decoded.textStampsNs]).toEqual([1e6, 2e6, 2e6, 2e6, 3e6]);
  expect(decoded.sharedStampEvents).toBe(2);
  expect(decoded).toMatchObject({ firstTokenNs: 1e6, firstVisibleNs: 1e6, lastTokenNs: 3e6 });
});

test("a read that the transport delivered in two calls is one read", () => {
  const decoder = chat();
  decoder.push(Buffer.from(said("a")), 5, false);
  decoder.push(Buffer.from(said("b")), 5, true);
  decoder.push(Buffer.from(DONE), 6, false);
  expect(decoder.finish(false).sharedStampEvents).toBe(1);
});

test("more events than stamps are kept are still counted and timed at the end", () => {
  const decoder = chat();
  const event = Buffer.from(said("x"));
  for (let index = 0; index < MAX_CHUNK_STAMPS + 3; index++) decoder.push(event, index, false);
  const decoded = decoder.finish(true);
  expect(decoded.events.text).toBe(MAX_CHUNK_STAMPS + 3);
  expect(decoded.textStampsNs.length).toBe(MAX_CHUNK_STAMPS);
  expect(decoded.lastTokenNs).toBe(MAX_CHUNK_STAMPS + 2);
  expect(decoded.content.length).toBe(MAX_CHUNK_STAMPS + 3);
});

test("a line over the limit is a fault, and what came before is kept", () => {
  const decoded = decode(chat({ maxLineBytes: 1000 }), [said("kept"), `data: "${"x".repeat(2000)}`]);
  expect(decoded.content).toBe("kept");
  expect(decoded.fault).toEqual({
    code: "LINE_TOO_LONG",
    message: "a line of the stream is longer than 1000 bytes",
  });
});

test("an event that is not JSON is a fault that shows it", () => {
  const decoded = decode(chat(), [said("kept"), 'data: {"choices":[{"del\n\n', said("not read")]);
  expect(decoded.content).toBe("kept");
  expect(decoded.fault).toEqual({
    code: "STREAM_MALFORMED",
    message: 'an event is not JSON: {"choices":[{"del',
  });
});

test("a stream that ends without its closing event is truncated, a broken one is not judged", () => {
  const pieces = [said("a"), 'data: {"choices":[{"del'];
  expect(decode(chat(), pieces).fault).toEqual({
    code: "STREAM_TRUNCATED",
    message: "the stream ended without its closing event (events so far: 1)",
  });
  expect(decode(chat(), pieces, true).fault).toBeUndefined();
  expect(decode(chat(), []).fault?.message).toBe("the stream ended without a single event");
});

test("lines that are no field are counted and ignored; JSON in place of a stream is a fault", () => {
  const tolerated = decode(chat(), ["garbage\n\n", said("a"), DONE]);
  expect(tolerated).toMatchObject({ content: "a", events: { text: 1, other: 2 } });
  expect(decode(chat(), ['{"object":"chat.completion"}\n']).fault).toEqual({
    code: "STREAM_MALFORMED",
    message: 'expected server-sent events, got a JSON body: {"object":"chat.completion"}',
  });
  expect(decode(chat(), ['{"error":"model not found"}\n']).fault?.code).toBe("MODEL_NOT_FOUND");
  expect(decode(chat(), ['error: {"error":{"message":"boom"}}\n\n']).fault).toEqual({
    code: "SERVER_ERROR",
    message: "the server reported an error in the stream: boom",
  });
});

test("a JSON body that is no JSON says so", () => {
  const body = (text: string): DecodedStream => decode(new JsonBodyDecoder(openAiEventReader()), [text]);
  expect(body("").fault?.message).toBe("the response is not JSON: it is empty");
  expect(body("<html>").fault?.message).toBe("the response is not JSON: <html>");
  expect(body("{}").fault?.code).toBe("STREAM_TRUNCATED");
});

/** Bytes of events as servers write them, some of them odd, some damaged in one byte. */
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.constantFrom("", "\n", '"', "\\", "\ud83d", "\ude00", "é", "漢", '"content":"x"', "\u0000"),
);
/** What is no JSON ends a stream, so it is rare: most streams should get past the first events. */
const rarely = (usual: fc.Arbitrary<string>, ...odd: string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 40, arbitrary: usual }, { weight: 1, arbitrary: fc.constantFrom(...odd) });
const created = rarely(fc.constantFrom("1", "17", "170", "0", "1.5", "1e3"), "017", "");
const figure = rarely(
  fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 40 }).map(String) },
    fc.constantFrom("0", "-1", "0.5", "1e2", "12.25e-3", "null", "1e400"),
  ),
  "00",
  "1.",
);
const anyEvent = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant("content") },
      fc.constantFrom("reasoning", "text", "role", "tool"),
    ),
    anyText,
    created,
    fc.boolean(),
    fc.oneof(
      { weight: 40, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.tuple(fc.nat(400), fc.nat(255)) },
    ),
    fc.oneof(
      { weight: 2, arbitrary: fc.constant(undefined) },
      fc.tuple(fc.constantFrom("usage", "timings", "both"), figure, figure),
    ),
  )
  .map(([kind, value, at, asciiOnly, damage, figures]) => {
    const quoted = JSON.stringify(value);
    const string = asciiOnly
      ? quoted.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      : quoted;
    const bodies: Record<string, string> = {
      content: `"delta":{"content":${string}},"finish_reason":null`,
      reasoning: `"delta":{"content":null,"reasoning":${string}},"finish_reason":null`,
      text: `"text":${string},"finish_reason":null`,
      role: `"delta":{"role":"assistant","content":${string}},"finish_reason":null`,
      tool: `"delta":{"tool_calls":[{"index":0,"function":{"arguments":${string}}}]}`,
    };
    const [which, one, other] = figures ?? ["none", "", ""];
    const usage = `,"usage":{"prompt_tokens":${other},"completion_tokens":${one}}`;
    const timings = `,"timings":{"cache_n":${other},"prompt_n":3,"predicted_n":${one},"predicted_ms":${other}}`;
    const extra = { usage, timings, both: usage + timings, none: "" }[which];
    const line = Buffer.from(
      `{"id":"c","created":${at},"model":"m","choices":[{"index":0,${bodies[kind]}}]${extra}}`,
    );
    if (damage !== null) line[damage[0] % line.length] = damage[1];
    return Buffer.concat([Buffer.from("data: "), line, Buffer.from("\n\n")]);
  });

test("the fast path gives exactly what parsing every event gives", () => {
  fc.assert(
    fc.property(
      fc.array(anyEvent, { maxLength: 25 }),
      fc.array(fc.nat(), { maxLength: 6 }),
      (events, places) => {
        const body = Buffer.concat(events);
        const cuts = [0, ...places.map((place) => place % (body.length + 1)), body.length].sort(
          (a, b) => a - b,
        );
        const pieces = cuts.slice(1).map((end, index) => body.subarray(cuts[index], end));
        expect(decode(chat(), pieces)).toEqual(decode(chat({ fastPath: false }), pieces));
      },
    ),
    { numRuns: 2000 },
  );
});

test("the figures of events that were not parsed are those of the last one", () => {
  const counted = (content: string, completion_tokens: number): string =>
    `data: ${JSON.stringify({ choices: [{ delta: { content } }], usage: { prompt_tokens: 4, completion_tokens } })}\n\n`;
  const decoded = decode(chat(), [counted("a", 1), counted("b", 4), counted("c", 6)], true);
  expect([...(decoded.textTokens ?? [])]).toEqual([1, 3, 2]);
  expect(decoded).toMatchObject({ content: "abc", inputTokens: 4, outputTokens: 6 });
});

test("the fast path gives the same on Ollama's lines, whose creation time changes in length", () => {
  const line = fc
    .tuple(fc.constantFrom("content", "thinking"), anyText, fc.constantFrom("1", "12", "123456789"))
    .map(([key, value, fraction]) => {
      const message = { role: "assistant", ...(key === "thinking" && { content: "" }), [key]: value };
      return `${JSON.stringify({ model: "m", created_at: `2025-01-01T00:00:00.${fraction}Z`, message, done: false })}\n`;
    });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 25 }), (lines) => {
      const ollama = (fastPath: boolean): EventStreamDecoder =>
        new EventStreamDecoder("ndjson", ollamaEventReader, { fastPath });
      expect(decode(ollama(true), lines)).toEqual(decode(ollama(false), lines));
    }),
    { numRuns: 500 },
  );
});
