import { describe, expect, it } from "vitest";
import { madeRun } from "../../test/fakes/recorded-run.ts";
import { isContended, PUBLISHED_THRESHOLD_MS, ttftBaseline } from "./contention.ts";
import type { RequestRows } from "./request-table.ts";
import { RunFold } from "./run-fold.ts";

function rowsOf(ttftsMs: readonly number[], coldLoads: readonly (number | undefined)[] = []): RequestRows {
  const run = madeRun([
    {
      kind: "solo",
      agents: {
        a: ttftsMs.map((ttftMs, index) => {
          const loadMs = coldLoads[index];
          return {
            ttftMs,
            tokens: 10,
            decodeMs: 100,
            ...(loadMs === undefined ? {} : { record: { split: { loadMs } } }),
          };
        }),
      },
    },
  ]);
  const fold = new RunFold(run.trials);
  run.eachRequest((record) => fold.request(record));
  return fold.finish().trials[0]?.agents.get("a")?.rows as RequestRows;
}

describe("contention by the published rule", () => {
  const baseline = ttftBaseline([rowsOf([500, 300]), rowsOf([600, 310]), rowsOf([700, 900])]);

  it("takes the median solo TTFT of each position as the baseline", () => {
    expect([...baseline]).toEqual([
      [0, 600],
      [1, 310],
    ]);
  });

  it("is a TTFT more than 3,000 ms above it, not 3,000 ms itself", () => {
    expect(isContended(rowsOf([3_600, 310]), baseline, PUBLISHED_THRESHOLD_MS)).toBe(false);
    expect(isContended(rowsOf([3_601, 310]), baseline, PUBLISHED_THRESHOLD_MS)).toBe(true);
    // 3,400 is within reach of the first position's baseline and beyond the second's.
    expect(isContended(rowsOf([600, 3_400]), baseline, PUBLISHED_THRESHOLD_MS)).toBe(true);
  });

  it("obeys another threshold", () => {
    expect(isContended(rowsOf([1_200, 310]), baseline, 500)).toBe(true);
  });

  it("leaves solo requests that loaded the model out of the baseline", () => {
    expect([...ttftBaseline([rowsOf([9_000], [8_500]), rowsOf([500])])]).toEqual([[0, 500]]);
  });

  it("is unknown for requests that have no baseline", () => {
    expect(isContended(rowsOf([9_000]), new Map(), PUBLISHED_THRESHOLD_MS)).toBeUndefined();
  });
});
