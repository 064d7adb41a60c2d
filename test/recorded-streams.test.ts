/**
 * Bodies that real servers sent (`test/fixtures/recorded`: Ollama 0.17.4 and llama-server at
 * llama.cpp de3ff81, both serving the model of test/fakes/tiny-gguf.ts), replayed byte for byte.
 * Where no real server can be had these stand for it.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { realClock } from "../src/core/clock.ts";
import type { DecodedStream, EngineKind } from "../src/engines/engine.ts";
import { createEngine } from "../src/engines/registry.ts";

/** Expected values were read off the recorded lines by eye. */
const RECORDINGS = [
  {
    file: "ollama-0.17.4-chat.ndjson",
    kind: "ollama",
    expected: { inputTokens: 22, outputTokens: 12, finishReason: "length", events: { text: 12, finish: 1 } },
    split: { loadMs: 292.487101, prefillMs: 14.248941, decodeMs: 4987.640439, totalMs: 5296.365356 },
  },
  {
    file: "ollama-0.17.4-generate.ndjson",
    kind: "ollama",
    expected: { inputTokens: 6, outputTokens: 12, finishReason: "length", events: { text: 12, finish: 1 } },
    split: { loadMs: 7.79507, prefillMs: 755.902276, decodeMs: 4459.872178, totalMs: 5229.544209 },
  },
  {
    file: "llama-server-de3ff81-chat.sse",
    kind: "llama-server",
    expected: { inputTokens: 22, outputTokens: 12, finishReason: "length", events: { text: 12, role: 1 } },
    split: { prefillTokens: 22, prefillMs: 2.37, decodeTokens: 12, decodeMs: 2.637 },
  },
  {
    file: "llama-server-de3ff81-completion.sse",
    kind: "llama-server",
    expected: {
      inputTokens: 6,
      cachedTokens: 1,
      outputTokens: 12,
      finishReason: "length",
      events: { text: 12 },
    },
    split: { prefillTokens: 5, prefillMs: 0.669, decodeTokens: 12, decodeMs: 3.997 },
  },
] as const;

function bytesOf(file: string): Buffer {
  return readFileSync(new URL(`fixtures/recorded/${file}`, import.meta.url));
}

/** The body in reads that end at the given offsets, 1 ms apart. */
async function replay(kind: EngineKind, body: Buffer, cuts: readonly number[]): Promise<DecodedStream> {
  const engine = await createEngine(
    { name: "replay", url: "http://127.0.0.1:9", engine: kind },
    { clock: realClock, env: {} },
  );
  try {
    const decoder = engine.createDecoder({ stream: true });
    const ends = [...cuts.toSorted((one, other) => one - other), body.length];
    ends.reduce((from, end, read) => {
      decoder.push(body.subarray(from, end), (read + 1) * 1_000_000, false);
      return end;
    }, 0);
    return decoder.finish(false);
  } finally {
    await engine.close();
  }
}

/** The text by another road than our decoders': every JSON line parsed whole. */
function textByParsing(body: Buffer): string {
  return body
    .toString("utf8")
    .split("\n")
    .map((line) => line.replace(/^data: /, ""))
    .filter((line) => line.startsWith("{"))
    .map((line) => {
      const event = JSON.parse(line) as {
        readonly response?: string;
        readonly message?: { readonly content?: string };
        readonly choices?: readonly {
          readonly text?: string;
          readonly delta?: { readonly content?: string };
        }[];
      };
      const choice = event.choices?.[0];
      return event.response ?? event.message?.content ?? choice?.text ?? choice?.delta?.content ?? "";
    })
    .join("");
}

it.each(RECORDINGS)("reads $file as the server meant it", async ({ file, kind, expected, split }) => {
  const body = bytesOf(file);
  const decoded = await replay(kind, body, []);
  expect(decoded.fault).toBeUndefined();
  expect(decoded).toMatchObject(expected);
  expect(decoded.split).toMatchObject(split);
  expect(decoded.content).toBe(textByParsing(body));
});

it.each(RECORDINGS)("reads $file the same wherever the network cuts it", async ({ file, kind }) => {
  const body = bytesOf(file);
  const { content, events, outputTokens, split } = await replay(kind, body, []);
  const whole = { content, events, outputTokens, split };
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: body.length }), { maxLength: 40 }), async (cuts) => {
      expect(await replay(kind, body, cuts)).toMatchObject(whole);
    }),
    { numRuns: 50 },
  );
});
