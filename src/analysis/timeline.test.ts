import { describe, expect, it } from "vitest";
import type { MadeRun, MadeTrial } from "../../test/fakes/recorded-run.ts";
import { madeRun, steadyRequest } from "../../test/fakes/recorded-run.ts";
import type { TrialTimeline } from "./timeline.ts";
import { TimelineFold, typicalTrials } from "./timeline.ts";

function timelineOf(run: MadeRun): TrialTimeline {
  const fold = new TimelineFold(typicalTrials(run.trials));
  run.eachRequest((record, membership) => fold.request(record, membership));
  run.eachChunk((record, membership) => fold.chunks(record, membership));
  const [timeline] = fold.finish();
  if (timeline === undefined) throw new Error("there is a together trial");
  return timeline;
}

const together = (agents: MadeTrial["agents"], repeat = 0): MadeTrial => ({
  kind: "together",
  repeat,
  agents,
});

describe("the timeline of a trial", () => {
  it("has each request's own phases, from the barrier", () => {
    const { lanes, intervalMs, wallMs } = timelineOf(
      madeRun([together({ a: [{ ttftMs: 30, decodeMs: 70, tokens: 8 }] })]),
    );
    expect(wallMs).toBe(100);
    expect(intervalMs).toBeUndefined();
    expect(lanes).toEqual([
      {
        agent: "a",
        requests: 1,
        segments: [
          { phase: "prefill", fromMs: 0, toMs: 30 },
          { phase: "decode", fromMs: 30, toMs: 100 },
        ],
        totalMs: { wait: 0, prefill: 30, decode: 70, stall: 0, lost: 0 },
      },
    ]);
  });

  it("is that of the repeat with the median length", () => {
    const run = madeRun([
      together({ a: [steadyRequest(5, 100)] }, 0),
      together({ a: [steadyRequest(50, 100)] }, 1),
      together({ a: [steadyRequest(20, 100)] }, 2),
    ]);
    expect(timelineOf(run).trialId).toBe("made-r2-together");
  });

  it("shows the time of a failed request as lost", () => {
    const failed = {
      kind: "failed",
      code: "REQUEST_TIMEOUT",
      message: "late",
      afterFirstToken: true,
    } as const;
    const { lanes } = timelineOf(
      madeRun([together({ a: [{ ttftMs: 30, decodeMs: 70, tokens: 8, record: { outcome: failed } }] })]),
    );
    expect(lanes[0]?.totalMs).toEqual({ wait: 0, prefill: 0, decode: 0, stall: 0, lost: 100 });
  });

  it("shows a request that the end of a set time cut off as the work it was", () => {
    const outcome = { kind: "cancelled", reason: "window-ended" } as const;
    const { lanes } = timelineOf(
      madeRun([together({ a: [{ ttftMs: 30, decodeMs: 70, tokens: 8, record: { outcome } }] })]),
    );
    expect(lanes[0]?.totalMs).toEqual({ wait: 0, prefill: 30, decode: 70, stall: 0, lost: 0 });
  });

  it("takes a stall out of decoding: a gap that is long, and long for this answer", () => {
    const run = madeRun([together({ a: [{ ttftMs: 10, decodeMs: 440, tokens: 5 }] })]);
    const [chunk] = run.chunks;
    if (chunk === undefined) throw new Error("there is a chunk");
    const stalled = { ...chunk, gapsUs: [10_000, 10_000, 410_000, 10_000] };
    const { lanes } = timelineOf({ ...run, eachChunk: (visit) => visit(stalled, "finished") });
    expect(lanes[0]?.totalMs).toMatchObject({ decode: 30, stall: 410 });
    expect(lanes[0]?.segments).toContainEqual({ phase: "stall", fromMs: 30, toMs: 440 });
  });

  it("keeps a bounded number of segments of a long trial, and the sums exactly", () => {
    const requests = Array.from({ length: 2_000 }, () => ({ ttftMs: 30, decodeMs: 70, tokens: 8 }));
    const { lanes, intervalMs } = timelineOf(madeRun([together({ a: requests, b: requests })]));
    expect(intervalMs).toBeCloseTo(200_000 / 450, 6);
    expect(lanes[0]?.segments.length).toBeLessThanOrEqual(450);
    expect(lanes[0]?.segments.every((segment) => segment.phase === "decode")).toBe(true);
    expect(lanes[0]?.totalMs.prefill).toBeCloseTo(60_000, 6);
  });

  it("leaves unfinished attempts and warm-up out", () => {
    const run = madeRun([together({ a: [{ ttftMs: 30, decodeMs: 70, tokens: 8 }] })]);
    const fold = new TimelineFold(typicalTrials(run.trials));
    run.eachRequest((record) => {
      fold.request(record, "unfinished");
      fold.request({ ...record, phase: "warm-up" }, "finished");
    });
    expect(fold.finish()[0]?.lanes[0]?.requests).toBe(0);
  });
});
