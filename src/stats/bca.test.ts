import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectClose, ofKind } from "../../test/fakes/expectations.ts";
import fixture from "../../test/fixtures/stats/bootstraps.json" with { type: "json" };
import { bcaInterval } from "./bca.ts";
import { momentsOf } from "./sample.ts";
import { mean, median, quantile, sortedNumbers } from "./quantile.ts";

type Figure = (values: readonly number[]) => number;

const FIGURES: Record<string, Figure> = {
  mean: (values) => mean(values) as number,
  median: (values) => median(values) as number,
  deviation: (values) => Math.sqrt(momentsOf(values).variance),
};

/** Each character of a row is one drawn place, "a" being the first. */
const drawn = (values: readonly number[], row: string): number[] =>
  Array.from(row, (letter) => values[letter.charCodeAt(0) - 97] as number);

const without = (values: readonly number[], place: number): number[] =>
  values.filter((_, index) => index !== place);

/** Any figure of any trials; whole numbers, so that a shift loses no digits. */
const resampled = fc
  .record({
    estimate: fc.integer({ min: -100, max: 100 }),
    replicates: fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 20, maxLength: 60 }),
    left: fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 3, maxLength: 12 }),
  })
  .filter(({ replicates }) => new Set(replicates).size > 1)
  .map(({ estimate, replicates, left }) => ({
    estimate,
    replicates: Float64Array.from(replicates),
    jackknife: [Float64Array.from(left)],
  }));

describe("the BCa interval", () => {
  it("of the same resamples agrees with scipy's", () => {
    for (const { figure: name, values, indices, interval } of fixture.oneSample) {
      const figure = FIGURES[name] as Figure;
      const result = bcaInterval({
        estimate: figure(values),
        replicates: Float64Array.from(indices, (row) => figure(drawn(values, row))),
        jackknife: [Float64Array.from(values, (_, place) => figure(without(values, place)))],
        confidence: 0.95,
      });
      const known = ofKind(result, "known");
      expect(known.method.kind).toBe("bca");
      expectClose(known.low, interval[0]);
      expectClose(known.high, interval[1]);
    }
  });

  it("of a ratio of two samples drawn apart agrees with scipy's", () => {
    for (const { first, second, indices, interval } of fixture.ratios) {
      const ratio = (a: readonly number[], b: readonly number[]): number =>
        (mean(a) as number) / (mean(b) as number);
      const pooled = [...first, ...second];
      const known = ofKind(
        bcaInterval({
          estimate: ratio(first, second),
          replicates: Float64Array.from(indices, (row) => {
            const values = drawn(pooled, row);
            return ratio(values.slice(0, first.length), values.slice(first.length));
          }),
          jackknife: [
            Float64Array.from(first, (_, place) => ratio(without(first, place), second)),
            Float64Array.from(second, (_, place) => ratio(first, without(second, place))),
          ],
          confidence: 0.95,
        }),
        "known",
      );
      expectClose(known.low, interval[0]);
      expectClose(known.high, interval[1]);
    }
  });

  it("of replicates that lie evenly about the estimate is the plain percentile interval", () => {
    const replicates = Float64Array.from({ length: 2001 }, (_, index) => index - 1000);
    const jackknife = [Float64Array.from([-1, 0, 1])];
    const known = ofKind(bcaInterval({ estimate: 0, replicates, jackknife, confidence: 0.95 }), "known");
    const sorted = sortedNumbers(replicates);
    expect(known.low).toBeCloseTo(quantile(sorted, 0.025) as number, 6);
    expect(known.high).toBeCloseTo(quantile(sorted, 0.975) as number, 6);
    expect(known.method).toMatchObject({ kind: "bca", acceleration: 0 });
  });

  it("stays within the replicates, and is narrower where less confidence is asked for", () => {
    fc.assert(
      fc.property(resampled, ({ estimate, replicates, jackknife }) => {
        const of = (confidence: number) =>
          ofKind(bcaInterval({ estimate, replicates, jackknife, confidence }), "known");
        const wide = of(0.95);
        expect(wide.low).toBeGreaterThanOrEqual(Math.min(...replicates));
        expect(wide.high).toBeLessThanOrEqual(Math.max(...replicates));
        expect(wide.low).toBeLessThanOrEqual(wide.high);
        const narrow = of(0.8);
        // A fall back to percentiles at one of the two is another interval altogether.
        if (narrow.method.kind !== wide.method.kind) return;
        expect(narrow.low).toBeGreaterThanOrEqual(wide.low);
        expect(narrow.high).toBeLessThanOrEqual(wide.high);
      }),
    );
  });

  it("moves and stretches with the figure, and turns round when its sign does", () => {
    const shifts = fc.integer({ min: -500, max: 500 });
    const scales = fc.integer({ min: -20, max: 20 }).filter((scale) => scale !== 0);
    fc.assert(
      fc.property(resampled, shifts, scales, (sample, shift, scale) => {
        const change = (value: number): number => scale * value + shift;
        const before = ofKind(bcaInterval({ ...sample, confidence: 0.95 }), "known");
        const after = ofKind(
          bcaInterval({
            estimate: change(sample.estimate),
            replicates: sample.replicates.map(change),
            jackknife: sample.jackknife.map((list) => list.map(change)),
            confidence: 0.95,
          }),
          "known",
        );
        const ends = [change(before.low), change(before.high)].sort((a, b) => a - b);
        expect(after.low).toBeCloseTo(ends[0] as number, 6);
        expect(after.high).toBeCloseTo(ends[1] as number, 6);
        expect(after.method.kind).toBe(before.method.kind);
      }),
    );
  });

  it("does not depend on the order of the replicates or of the trials", () => {
    fc.assert(
      fc.property(resampled, ({ estimate, replicates, jackknife }) => {
        const plan = { estimate, confidence: 0.95 };
        const before = ofKind(bcaInterval({ ...plan, replicates, jackknife }), "known");
        const after = ofKind(
          bcaInterval({
            ...plan,
            replicates: replicates.toReversed(),
            jackknife: jackknife.map((list) => list.toReversed()),
          }),
          "known",
        );
        expect(after.low).toBeCloseTo(before.low, 6);
        expect(after.high).toBeCloseTo(before.high, 6);
      }),
    );
  });

  it("falls back to percentiles, and says why", () => {
    const replicates = Float64Array.from({ length: 201 }, (_, index) => index);
    const plan = { replicates, confidence: 0.95, jackknife: [Float64Array.from([1, 2, 4])] };
    const of = (change: Partial<Parameters<typeof bcaInterval>[0]>) =>
      bcaInterval({ estimate: 100, ...plan, ...change });
    const outside = ofKind(of({ estimate: -1 }), "known");
    expect(outside.method).toEqual({ kind: "percentile", reason: "estimate-outside-replicates" });
    expectClose(outside.low, 5);
    expectClose(outside.high, 195);
    expect(of({ jackknife: undefined })).toMatchObject({ method: { reason: "jackknife-undefined" } });
    expect(of({ jackknife: [Float64Array.from([7, 7, 7])] })).toMatchObject({
      method: { reason: "no-jackknife-spread" },
    });
    // One trial that carries everything: a = 1/6 · 0.3, and an estimate above 199 of 201 replicates.
    const lone = Float64Array.from({ length: 60 }, (_, index) => (index === 0 ? -1 : 0));
    expect(of({ jackknife: [lone], estimate: 199.5, confidence: 1 - 1e-9 })).toMatchObject({
      method: { reason: "correction-unstable" },
    });
  });

  it("does not exist where all replicates are the same", () => {
    const replicates = new Float64Array(100).fill(3);
    expect(bcaInterval({ estimate: 3, replicates, jackknife: [], confidence: 0.95 })).toEqual({
      kind: "no-variance",
    });
  });
});
