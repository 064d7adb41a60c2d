import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { madeRun } from "../../test/fakes/recorded-run.ts";
import type { ChunkRecord, RequestRecord } from "../record/request-record.ts";
import { chunkTokensInWindow, tokensInWindow } from "./token-window.ts";

/** First token at 100 ns, last at 200 ns, 11 tokens. */
const made = madeRun([{ kind: "solo", agents: { a: [{ ttftMs: 1, tokens: 11, decodeMs: 1 }] } }]);
const request: RequestRecord = {
  ...(made.requests[0] as RequestRecord),
  stamps: { scheduledNs: 0, sentNs: 0, firstTokenNs: 100, lastTokenNs: 200, endNs: 210 },
};
const chunks = (gapsUs: readonly number[], tokens?: readonly number[]): ChunkRecord => ({
  v: 1,
  requestId: "x/a/0",
  firstNs: 100_000,
  gapsUs,
  ...(tokens === undefined ? {} : { tokens }),
});

describe("tokens inside a window, by the request's own stamps", () => {
  it("are all of them when the stream lies inside, edges included", () => {
    expect(tokensInWindow(request, { fromNs: 100, toNs: 200 })).toEqual({ tokens: 11, basis: "counted" });
  });

  it("are none when it lies outside, even if the request was waiting inside", () => {
    expect(tokensInWindow(request, { fromNs: 0, toNs: 99 })).toEqual({ tokens: 0, basis: "counted" });
  });

  it("are the first token and an even share of the rest when the stream crosses the end", () => {
    expect(tokensInWindow(request, { fromNs: 0, toNs: 150 })).toEqual({ tokens: 6, basis: "share" });
  });

  it("leave the first token out when the stream crosses the beginning", () => {
    expect(tokensInWindow(request, { fromNs: 150, toNs: 300 })).toEqual({ tokens: 5, basis: "share" });
  });

  it("are unknown without a token count", () => {
    expect(tokensInWindow({ ...request, tokens: {} }, { fromNs: 0, toNs: 300 })).toBeUndefined();
  });

  it("of two windows that meet between tokens add up to the whole", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), (edge) => {
        const before = tokensInWindow(request, { fromNs: 0, toNs: edge + 0.5 })?.tokens as number;
        const after = tokensInWindow(request, { fromNs: edge + 0.5, toNs: 1000 })?.tokens as number;
        expect(before + after).toBeCloseTo(11, 9);
      }),
    );
  });
});

describe("tokens inside a window, by the stamps of events", () => {
  // Events at 100, 110, 120 and 200 µs.
  const gaps = [10, 10, 80];

  it("count events, each an equal part of the engine's count", () => {
    expect(chunkTokensInWindow(chunks(gaps), 8, { fromNs: 0, toNs: 150_000 })).toBe(6);
  });

  it("weigh events by their tokens where the server says how many", () => {
    expect(chunkTokensInWindow(chunks(gaps, [1, 1, 1, 5]), 8, { fromNs: 0, toNs: 150_000 })).toBe(3);
  });
});
