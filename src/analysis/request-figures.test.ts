import { describe, expect, it } from "vitest";
import { madeRun } from "../../test/fakes/recorded-run.ts";
import type { RequestRecord } from "../record/request-record.ts";
import {
  coldLoadMs,
  decodePart,
  firstVisibleMs,
  latencyMs,
  meanItlMs,
  responseLatencyMs,
  responseTtftMs,
  ttftMs,
} from "./request-figures.ts";

const MS = 1_000_000;
const stamps = {
  scheduledNs: 100 * MS,
  sentNs: 130 * MS,
  firstByteNs: 140 * MS,
  firstTokenNs: 180 * MS,
  firstVisibleNs: 250 * MS,
  lastTokenNs: 580 * MS,
  endNs: 600 * MS,
};
const base = madeRun([{ kind: "solo", agents: { a: [{ ttftMs: 1, tokens: 2, decodeMs: 1 }] } }])
  .requests[0] as RequestRecord;
const request = (changes: Partial<RequestRecord>): RequestRecord => ({ ...base, stamps, ...changes });

describe("the figures of one request", () => {
  it("count from sending, and from the intended start beside it", () => {
    const record = request({});
    expect([ttftMs(record), responseTtftMs(record)]).toEqual([50, 80]);
    expect([latencyMs(record), responseLatencyMs(record)]).toEqual([470, 500]);
    expect(firstVisibleMs(record)).toBe(120);
  });

  it("are unknown, not 0, where a stamp is missing", () => {
    const silent = request({ stamps: { scheduledNs: 0, sentNs: 10, endNs: 20 } });
    expect([ttftMs(silent), firstVisibleMs(silent), meanItlMs(silent), decodePart(silent)]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    const unsent = request({ stamps: { scheduledNs: 0, endNs: 20 * MS } });
    expect([latencyMs(unsent), responseLatencyMs(unsent)]).toEqual([undefined, 20]);
  });

  it("spread the time between first and last token over the tokens after the first", () => {
    expect(meanItlMs(request({ tokens: { output: 41 } }))).toBe(10);
    expect(meanItlMs(request({ tokens: { output: 1 } }))).toBeUndefined();
  });

  it("leave the tokens of the first event out of decoding", () => {
    expect(decodePart(request({ tokens: { output: 41, firstEvent: 5 } }))).toEqual({ tokens: 36, ms: 400 });
    expect(decodePart(request({ tokens: { output: 41 } }))).toEqual({ tokens: 40, ms: 400 });
    expect(decodePart(request({ tokens: { output: 5, firstEvent: 5 } }))).toBeUndefined();
  });

  it("tell loading a model from finding it loaded", () => {
    expect(coldLoadMs(request({ split: { loadMs: 45 } }))).toBe(0);
    expect(coldLoadMs(request({ split: { loadMs: 2_300 } }))).toBe(2_300);
    expect(coldLoadMs(request({}))).toBe(0);
  });
});
