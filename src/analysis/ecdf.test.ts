import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { madeRun, steadyRequest } from "../../test/fakes/recorded-run.ts";
import { LogHistogram } from "../stats/log-histogram.ts";
import { EcdfFold, ecdfOf, ecdfOfHistogram } from "./ecdf.ts";

describe("an empirical distribution function", () => {
  it("counts the share at or below each value", () => {
    expect(ecdfOf([30, 10, 20, 20])?.points).toEqual([
      { value: 10, share: 0.25 },
      { value: 20, share: 0.5 },
      { value: 20, share: 0.75 },
      { value: 30, share: 1 },
    ]);
  });

  it("does not exist for no values", () => {
    expect(ecdfOf([])).toBeUndefined();
    expect(ecdfOfHistogram(new LogHistogram())).toBeUndefined();
  });

  it("is cut down to points of the same function, both ends among them", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 900 }),
        (values) => {
          const ecdf = ecdfOf(values);
          const points = ecdf?.points ?? [];
          expect(points.length).toBeLessThanOrEqual(160);
          expect(points[0]?.value).toBe(Math.min(...values));
          expect(points.at(-1)).toEqual({ value: Math.max(...values), share: 1 });
          for (const { value, share } of points) {
            const below = values.filter((one) => one < value).length / values.length;
            const upTo = values.filter((one) => one <= value).length / values.length;
            expect(share).toBeGreaterThan(below);
            expect(share).toBeLessThanOrEqual(upTo);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("carries only the percentiles that n carries", () => {
    const ecdf = ecdfOf(Array.from({ length: 20 }, (_, index) => index));
    expect(ecdf?.percentiles.map((one) => one.kind)).toEqual(["certified", "too-few", "too-few", "too-few"]);
  });

  it("of a histogram rises to 1 at the largest value, within a bin", () => {
    const histogram = new LogHistogram();
    for (let value = 1; value <= 100; value++) histogram.add(value);
    const last = ecdfOfHistogram(histogram)?.points.at(-1);
    expect(last?.share).toBe(1);
    expect(last?.value).toBeGreaterThan(98);
    expect(last?.value).toBeLessThanOrEqual(100);
  });
});

describe("collecting over a run", () => {
  const run = madeRun([
    { kind: "solo", agents: { a: [steadyRequest(10, 100)] }, record: { soloFor: ["a", "b"] } },
    { kind: "together", agents: { a: [steadyRequest(10, 50)], b: [steadyRequest(10, 25)] } },
  ]);
  const fold = new EcdfFold(run.trials);
  run.eachRequest((record, membership) => fold.request(record, membership));
  run.eachChunk((record, membership) => fold.chunks(record, membership));

  it("gives an agent the solo trial that stands for it", () => {
    const { ttftMs } = fold.cell("hash-made", ["a", "b"], false);
    expect(
      ttftMs.map((pair) => [pair.agent, pair.alone?.points[0]?.value, pair.together?.points[0]?.value]),
    ).toEqual([
      ["a", 10, 20],
      ["b", 10, 40],
    ]);
  });

  it("puts agents with the same work into one sample", () => {
    const { ttftMs } = fold.cell("hash-made", ["a", "b"], true);
    expect(ttftMs).toHaveLength(1);
    expect(ttftMs[0]?.agent).toBe("all 2 agents");
    expect(ttftMs[0]?.together?.n).toBe(2);
  });

  it("takes one mean per request where the server streams no token counts", () => {
    const { itlKind, itlMs } = fold.cell("hash-made", ["a", "b"], false);
    expect(itlKind).toBe("mean");
    expect(itlMs[0]?.together?.points).toEqual([{ value: 20, share: 1 }]);
  });

  it("takes every gap by its tokens where the server streams them", () => {
    const counted = madeRun([
      { kind: "together", agents: { a: [{ ttftMs: 10, decodeMs: 80, tokens: 5, chunkTokens: [1, 2, 2] }] } },
    ]);
    const own = new EcdfFold(counted.trials);
    counted.eachRequest((record, membership) => own.request(record, membership));
    counted.eachChunk((record, membership) => own.chunks(record, membership));
    const { itlKind, itlMs } = own.cell("hash-made", ["a"], false);
    expect(itlKind).toBe("chunk");
    // Two gaps of 40 ms with two tokens each.
    expect(itlMs[0]?.together?.n).toBe(4);
    expect(itlMs[0]?.together?.points[0]?.value).toBeCloseTo(20, 0);
  });
});
