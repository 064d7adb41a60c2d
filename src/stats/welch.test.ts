import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectClose, ofKind } from "../../test/fakes/expectations.ts";
import fixture from "../../test/fixtures/stats/two-samples.json" with { type: "json" };
import { momentsOf } from "./sample.ts";
import { welchFromMoments, welchTest } from "./welch.ts";

const sample = fc.array(fc.integer({ min: -500, max: 500 }), { minLength: 2, maxLength: 12 });

describe("Welch's test", () => {
  it("agrees with scipy in statistic, freedom, p and interval", () => {
    for (const row of fixture.cases) {
      const test = ofKind(welchTest(row.first, row.second), "tested");
      expectClose(test.statistic, row.statistic);
      expectClose(test.freedom, row.freedom);
      expectClose(test.p, row.p);
      expectClose(test.interval.low, row.interval[0]);
      expectClose(test.interval.high, row.interval[1]);
      const wide = ofKind(welchTest(row.first, row.second, 0.99), "tested");
      expectClose(wide.interval.low, row.interval99[0]);
      expectClose(wide.interval.high, row.interval99[1]);
    }
  });

  it("repeats the kernel study's drop of a 1B model from one agent to eight", () => {
    // Published there: p = 1.1e-05.
    const test = ofKind(welchTest([159.98, 160.44, 160.91], [28.86, 27.21, 30.32]), "tested");
    expect(test.p).toBeCloseTo(1.1e-5, 6);
  });

  it("works from published means and deviations alone", () => {
    const [first, second] = [
      [3, 5, 9],
      [1, 2, 2, 7],
    ] as const;
    const whole = welchTest(first, second);
    expect(welchFromMoments(momentsOf(first), momentsOf(second))).toEqual(whole);
  });

  it("has no answer where neither sample varies, or one has a single value", () => {
    expect(welchTest([4, 4], [9, 9, 9])).toEqual({ kind: "no-variance", difference: -5 });
    expect(welchTest([0.1, 0.1, 0.1], [0.1, 0.1])).toEqual({ kind: "no-variance", difference: 0 });
    expect(welchTest([4], [1, 2])).toEqual({ kind: "too-few", needed: 2 });
    expect(welchTest([], [])).toEqual({ kind: "too-few", needed: 2 });
  });

  it("is undone by swapping the samples, holds its estimate, and excludes 0 exactly when p < 0.05", () => {
    fc.assert(
      fc.property(sample, sample, (first, second) => {
        const test = welchTest(first, second);
        if (test.kind !== "tested") return;
        const swapped = ofKind(welchTest(second, first), "tested");
        expect(swapped.statistic).toBe(-test.statistic);
        expect(swapped.p).toBe(test.p);
        expect(test.freedom).toBeLessThanOrEqual((first.length + second.length - 2) * (1 + 1e-12));
        expect(test.freedom).toBeGreaterThanOrEqual(Math.min(first.length, second.length) - 1 - 1e-9);
        const { low, high } = test.interval;
        expect(low <= test.difference && test.difference <= high).toBe(true);
        if (Math.abs(test.p - 0.05) > 1e-9) expect(low > 0 || high < 0).toBe(test.p < 0.05);
      }),
    );
  });

  it("knows no unit: tiny and huge values test alike", () => {
    fc.assert(
      fc.property(sample, sample, fc.integer({ min: -130, max: 130 }), (first, second, power) => {
        const test = welchTest(first, second);
        if (test.kind !== "tested") return;
        const scaled = (values: readonly number[]): number[] => values.map((value) => value * 2 ** power);
        expectClose(ofKind(welchTest(scaled(first), scaled(second)), "tested").p, test.p);
      }),
    );
  });

  it("refuses a sample with a hole in it", () => {
    expect(() => welchTest([1, Number.NaN], [1, 2])).toThrow("not finite");
    expect(() => welchTest([1, 2], [1, Number.POSITIVE_INFINITY])).toThrow("not finite");
  });
});
