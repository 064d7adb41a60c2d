import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectClose } from "../../test/fakes/expectations.ts";
import fixture from "../../test/fixtures/stats/descriptions.json" with { type: "json" };
import { tukeyFences } from "./outliers.ts";
import { median } from "./quantile.ts";

/** Quarters of whole numbers are exact in a double, so that what should be equal is. */
const sample = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 4, maxLength: 30 });

const fencesOf = (values: readonly number[]): { low: number; high: number } => {
  const fences = tukeyFences(values);
  if (fences === undefined) throw new Error("four values have fences");
  return fences;
};

describe("Tukey's fences", () => {
  it("lie where numpy's quartiles and scipy's interquartile range put them", () => {
    for (const { values, fences } of fixture.samples) {
      const own = tukeyFences(values);
      expect(own === undefined).toBe(fences === undefined);
      if (fences === undefined) continue;
      expectClose(own?.low, fences[0]);
      expectClose(own?.high, fences[1]);
    }
  });

  it("do not exist for three values", () => {
    expect(tukeyFences([1, 2, 300])).toBeUndefined();
  });

  it("close on the value itself where all are equal", () => {
    expect(tukeyFences([7, 7, 7, 7])).toEqual({ low: 7, high: 7 });
  });

  it("hold the median and at least half of the values, in whatever order they come", () => {
    fc.assert(
      fc.property(sample, (values) => {
        const { low, high } = fencesOf(values);
        const middle = median(values) as number;
        expect(low).toBeLessThanOrEqual(middle);
        expect(high).toBeGreaterThanOrEqual(middle);
        const inside = values.filter((value) => value >= low && value <= high);
        expect(inside.length).toBeGreaterThanOrEqual(values.length / 2);
        expect(fencesOf(values.toReversed())).toEqual({ low, high });
      }),
    );
  });

  it("move with the values, stretch with them, and turn round when their sign does", () => {
    fc.assert(
      fc.property(
        sample,
        fc.integer({ min: -1000, max: 1000 }),
        fc.integer({ min: 1, max: 50 }),
        (values, shift, scale) => {
          const { low, high } = fencesOf(values);
          const moved = fencesOf(values.map((value) => scale * value + shift));
          expect(moved.low).toBeCloseTo(scale * low + shift, 6);
          expect(moved.high).toBeCloseTo(scale * high + shift, 6);
          const turned = fencesOf(values.map((value) => -value));
          expect(turned.low).toBeCloseTo(-high, 6);
          expect(turned.high).toBeCloseTo(-low, 6);
        },
      ),
    );
  });

  it("do not care how far out the largest value lies, once it is beyond the upper quartile", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 7, maxLength: 30 }),
        fc.integer({ min: 1001, max: 1_000_000 }),
        (values, far) => {
          expect(fencesOf([...values, far])).toEqual(fencesOf([...values, 1001]));
        },
      ),
    );
  });
});
