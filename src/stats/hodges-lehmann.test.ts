import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectClose, ofKind } from "../../test/fakes/expectations.ts";
import fixture from "../../test/fixtures/stats/shifts.json" with { type: "json" };
import type { Shift } from "./hodges-lehmann.ts";
import { hodgesLehmann, hodgesLehmannPaired } from "./hodges-lehmann.ts";
import { mannWhitney } from "./mann-whitney.ts";

const sample = fc.uniqueArray(fc.integer({ min: -300, max: 300 }), { minLength: 1, maxLength: 12 });

describe("the Hodges–Lehmann shift", () => {
  it("agrees with an interval counted out over every order of the ranks", () => {
    for (const row of fixture.unpaired) expectRow(hodgesLehmann(row.first, row.second, row.confidence), row);
    for (const row of fixture.paired) expectRow(hodgesLehmannPaired(row.differences, row.confidence), row);
  });

  it("of three against three has no 95 % interval: the widest covers 90 %", () => {
    const { interval } = ofKind(hodgesLehmann([5, 6, 7], [1, 2, 3]), "known");
    expectClose(ofKind(interval, "too-few").widestCoverage, 0.9);
  });

  it("of nothing does not exist", () => {
    expect(hodgesLehmann([], [1])).toEqual({ kind: "too-few", needed: 1 });
    expect(hodgesLehmannPaired([])).toEqual({ kind: "too-few", needed: 1 });
  });

  it("follows a shift of one sample, and lies within its interval", () => {
    fc.assert(
      fc.property(sample, sample, fc.integer({ min: -1000, max: 1000 }), (first, second, by) => {
        const before = ofKind(hodgesLehmann(first, second), "known");
        const moved = first.map((value) => value + by);
        const after = ofKind(hodgesLehmann(moved, second), "known");
        expect(after.shift).toBe(before.shift + by);
        expect(after.interval.kind).toBe(before.interval.kind);
        if (before.interval.kind !== "known" || after.interval.kind !== "known") return;
        expect(after.interval.low).toBe(before.interval.low + by);
        expect(before.interval.low <= before.shift && before.shift <= before.interval.high).toBe(true);
        expect(before.interval.coverage).toBeGreaterThanOrEqual(0.95);
      }),
    );
  });

  it("leaves 0 out of its interval exactly when the rank test is below 0.05", () => {
    fc.assert(
      fc.property(sample, sample, (first, taken) => {
        // Halves keep all values apart: the two rules are one only without ties.
        const second = taken.map((value) => value + 0.5);
        const test = ofKind(mannWhitney(first, second), "tested");
        const { interval } = ofKind(hodgesLehmann(first, second), "known");
        if (test.method.kind !== "exact" || interval.kind !== "known") return;
        expect(interval.low > 0 || interval.high < 0).toBe(test.p <= 0.05);
      }),
    );
  });

  it("of many values has an interval near that of the normal shift", () => {
    const first = Array.from({ length: 150 }, (_, index) => index * 7.01);
    const second = Array.from({ length: 150 }, (_, index) => index * 7 + 100);
    const { interval, shift } = ofKind(hodgesLehmann(first, second), "known");
    const known = ofKind(interval, "known");
    expect(known.low).toBeLessThan(shift);
    expect(known.high).toBeGreaterThan(shift);
    // Half width of a t interval for the same data, 1.97 · 303 · √(2 ÷ 150) = 69; ranks of a flat
    // distribution are as efficient as means.
    expect((known.high - known.low) / 2).toBeGreaterThan(60);
    expect((known.high - known.low) / 2).toBeLessThan(80);
  });
});

interface Row {
  readonly shift: number;
  readonly interval?: number[];
  readonly coverage?: number;
  readonly widestCoverage?: number;
}

function expectRow(result: Shift, row: Row): void {
  const { shift, interval } = ofKind(result, "known");
  expectClose(shift, row.shift);
  if (row.interval === undefined)
    return expectClose(ofKind(interval, "too-few").widestCoverage, row.widestCoverage);
  const known = ofKind(interval, "known");
  expectClose(known.low, row.interval[0]);
  expectClose(known.high, row.interval[1]);
  expectClose(known.coverage, row.coverage);
}
