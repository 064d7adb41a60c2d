import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defined } from "../core/assert.ts";
import { describeWithin, NOT_NEGATIVE, UNBOUNDED } from "./bounded.ts";

const intervalOf = (...given: Parameters<typeof describeWithin>) => {
  const { spread } = defined(describeWithin(...given), "a description");
  return spread.kind === "known" ? spread.ci95 : undefined;
};

describe("the interval of a bounded figure", () => {
  it("ends where the figure does, and says at which end", () => {
    // t(0.975, 2) = 4.3027. Mean 0.9 and sd 0.1: 0.9 ± 0.2484.
    const jain = intervalOf([0.8, 0.9, 1], { low: 0.5, high: 1 });
    expect(jain).toEqual({ low: expect.closeTo(0.6516, 4), high: 1, clipped: "high" });
    expect(intervalOf([100, 200, 600], NOT_NEGATIVE)).toMatchObject({ low: 0, clipped: "low" });
  });

  it("is the whole range where two trials say no more", () => {
    // t(0.975, 1) = 12.706: 0.9 ± 1.27.
    expect(intervalOf([0.8, 1], { low: 0.5, high: 1 })).toEqual({ low: 0.5, high: 1, clipped: "both" });
  });

  it("is Student's, unmarked, where no bound is reached", () => {
    expect(intervalOf([10, 11, 12], NOT_NEGATIVE)).toEqual({
      low: expect.closeTo(11 - 4.3027 / Math.sqrt(3), 3),
      high: expect.closeTo(11 + 4.3027 / Math.sqrt(3), 3),
    });
    expect(intervalOf([-5, 5], UNBOUNDED)).not.toHaveProperty("clipped");
  });

  it("never leaves the bounds, and always holds the mean", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(share, { minLength: 2, maxLength: 6 }), (values) => {
        const described = defined(describeWithin(values, { low: 0, high: 1 }), "a description");
        if (described.spread.kind !== "known") return;
        const { low, high } = described.spread.ci95;
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(described.mean);
        expect(high).toBeGreaterThanOrEqual(described.mean);
      }),
    );
  });
});
