import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Completion, DecodedStream } from "../engines/engine.ts";
import { toRequestRecord } from "./to-record.ts";

const ORIGIN_NS = 1_000_000_000;

function decoded(extra: Partial<DecodedStream> = {}): DecodedStream {
  return {
    content: "ab",
    reasoning: "",
    toolCalls: "",
    events: { text: 2, role: 1, empty: 0, keepAlive: 0, usage: 1, finish: 1, other: 0 },
    firstTokenNs: ORIGIN_NS + 300,
    firstVisibleNs: ORIGIN_NS + 300,
    lastTokenNs: ORIGIN_NS + 5_300,
    textStampsNs: Float64Array.of(ORIGIN_NS + 300, ORIGIN_NS + 5_300),
    sharedStampEvents: 0,
    ...extra,
  };
}

function lines(stream: DecodedStream, completion: Partial<Completion> = {}) {
  return toRequestRecord({
    completion: {
      sentNs: ORIGIN_NS + 100,
      firstByteNs: ORIGIN_NS + 200,
      endNs: ORIGIN_NS + 6_000,
      decoded: stream,
      outcome: { kind: "ok" },
      simulated: false,
      ...completion,
    },
    requestId: "t1/alone/0",
    trialId: "t1",
    agent: "alone",
    phase: "measured",
    position: 0,
    step: "summarise",
    endpoint: "a",
    engine: "ollama",
    model: "m",
    originNs: ORIGIN_NS,
    scheduledNs: ORIGIN_NS + 50,
    promptCold: false,
    promptHash: "0123456789abcdef",
  });
}

describe("toRequestRecord", () => {
  it("counts every stamp from the trial's origin", () => {
    const { record, chunks } = lines(decoded());
    expect(record.stamps).toEqual({
      scheduledNs: 50,
      sentNs: 100,
      firstByteNs: 200,
      firstTokenNs: 300,
      firstVisibleNs: 300,
      lastTokenNs: 5_300,
      endNs: 6_000,
    });
    expect(chunks).toEqual({ v: 1, requestId: "t1/alone/0", firstNs: 300, gapsUs: [5] });
  });

  it("keeps which counts of the server were discarded, and nothing where none were", () => {
    const words = "output 900 (at most 16)";
    expect(lines(decoded({ discardedCounts: words })).record.discardedCounts).toBe(words);
    expect(lines(decoded()).record).not.toHaveProperty("discardedCounts");
  });

  it("leaves out stamps that never happened instead of writing zeros", () => {
    const silent = lines(
      {
        content: "",
        reasoning: "",
        toolCalls: "",
        events: { text: 0, role: 0, empty: 0, keepAlive: 0, usage: 0, finish: 0, other: 0 },
        textStampsNs: new Float64Array(0),
        sharedStampEvents: 0,
      },
      { outcome: { kind: "failed", code: "ENDPOINT_REFUSED", message: "refused", afterFirstToken: false } },
    );
    expect(Object.keys(silent.record.stamps)).toEqual(["scheduledNs", "sentNs", "firstByteNs", "endNs"]);
    expect(silent.record.tokens).toEqual({});
    expect(silent.chunks).toBeUndefined();
  });

  it("prefers the engine's own count and calls the number of text events an estimate", () => {
    expect(lines(decoded({ outputTokens: 7 })).record.tokens).toEqual({ output: 7, outputSource: "engine" });
    expect(lines(decoded()).record.tokens).toEqual({ output: 2, outputSource: "estimated" });
  });

  it("keeps the engine's count of zero: that one is known", () => {
    expect(lines(decoded({ outputTokens: 0 })).record.tokens.output).toBe(0);
  });

  it("keeps the tokens of each event where the server streamed them", () => {
    expect(lines(decoded({ textTokens: Uint32Array.of(1, 3) })).chunks?.tokens).toEqual([1, 3]);
  });

  it("never lets rounded gaps drift from the true end of the stream", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 50_000_000 }), { minLength: 1, maxLength: 400 }),
        (steps) => {
          const stamps: number[] = [ORIGIN_NS];
          for (const step of steps) stamps.push((stamps.at(-1) as number) + step);
          const { chunks } = lines(decoded({ textStampsNs: Float64Array.from(stamps) }));
          const sumUs = (chunks?.gapsUs ?? []).reduce((sum, gap) => sum + gap, 0);
          const trueUs = ((stamps.at(-1) as number) - ORIGIN_NS) / 1000;
          expect(Math.abs(sumUs - trueUs)).toBeLessThanOrEqual(0.5);
          expect(chunks?.gapsUs.every((gap) => Number.isInteger(gap) && gap >= 0)).toBe(true);
        },
      ),
    );
  });
});
