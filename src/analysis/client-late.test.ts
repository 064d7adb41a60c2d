import { describe, expect, it } from "vitest";
import { madeRun } from "../../test/fakes/recorded-run.ts";
import type { EngineSplit, RequestRecord } from "../record/request-record.ts";
import { clientLateMs } from "./client-late.ts";

function lateMs(ttftMs: number, decodeMs: number, split?: EngineSplit): number | undefined {
  const { requests } = madeRun([
    {
      kind: "solo",
      agents: {
        a: [{ ttftMs, tokens: 64, decodeMs, ...(split === undefined ? {} : { record: { split } }) }],
      },
    },
  ]);
  return clientLateMs(requests[0] as RequestRecord);
}

describe("a late client", () => {
  it("saw prefill or decoding take less than the engine says they took", () => {
    // Decoding: 5.82 + 26 − 26 ÷ 64 for the last step, of which the client saw 0.25 + 0.4.
    expect(lateMs(0.25, 0.4, { prefillMs: 5.82, decodeMs: 26, decodeTokens: 64 })).toBeCloseTo(30.76375, 6);
    expect(lateMs(1, 600, { prefillMs: 40, decodeMs: 500 })).toBeCloseTo(39, 6);
  });

  it("is not one that adds the way to the server and back, or a little less than a scheduler's slice", () => {
    expect(lateMs(60, 610, { prefillMs: 55, decodeMs: 600 })).toBe(0);
    expect(lateMs(4, 30, { prefillMs: 5.5, decodeMs: 30 })).toBe(0);
    expect(lateMs(960, 9_800, { prefillMs: 1_000, decodeMs: 10_000 })).toBe(0);
  });

  it("is not one whose engine counts a last step that carried no text", () => {
    expect(lateMs(10, 630, { prefillMs: 10, decodeMs: 700, decodeTokens: 10 })).toBe(0);
  });

  it("cannot be told where the engine gives no times", () => {
    expect(lateMs(0.25, 0.4)).toBeUndefined();
    expect(lateMs(0.25, 0.4, { queueMs: 3 })).toBeUndefined();
  });
});
