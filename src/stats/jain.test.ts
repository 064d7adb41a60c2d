import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jainIndex } from "./jain.ts";

const shares = fc.array(fc.double({ min: 0.001, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 30 });

describe("Jain's index", () => {
  it("is 0.9 for shares of 1 and 2", () => {
    // (1 + 2)² ÷ (2 · (1 + 4))
    expect(jainIndex([1, 2])).toBeCloseTo(0.9, 12);
  });

  it("does not exist where nobody got anything", () => {
    expect(jainIndex([])).toBeUndefined();
    expect(jainIndex([0, 0])).toBeUndefined();
  });

  it("lies between 1/n and 1, is 1 for equal shares, and ignores the unit", () => {
    fc.assert(
      fc.property(shares, fc.double({ min: 0.01, max: 100, noNaN: true }), (values, factor) => {
        const index = jainIndex(values) as number;
        expect(index).toBeGreaterThanOrEqual(1 / values.length - 1e-9);
        expect(index).toBeLessThanOrEqual(1 + 1e-9);
        expect(jainIndex(values.map((value) => value * factor))).toBeCloseTo(index, 9);
        expect(jainIndex(values.map(() => factor))).toBeCloseTo(1, 9);
      }),
    );
  });
});
