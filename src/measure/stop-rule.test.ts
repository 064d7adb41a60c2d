import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { halfWidthPct } from "./stop-rule.ts";

describe("how closely a throughput is known from parts of the time", () => {
  it("is unknown until ten parts follow the first, which is left out", () => {
    expect(halfWidthPct([0, ...Array<number>(9).fill(100)])).toBeUndefined();
    expect(halfWidthPct([0, ...Array<number>(10).fill(100)])).toBe(0);
  });

  it("is Student's half interval of the parts, as long as neighbours know nothing of each other", () => {
    // Mean 100, sd 2.108 (40/9 under the root), n 10, t(0.975, 9) = 2.262: 2.262 x 2.108 / 3.162 = 1.508.
    // The pairs are all 200: their interval is 0 and the wider one counts.
    const parts = [102, 98, 102, 98, 102, 98, 102, 98, 102, 98];
    expect(halfWidthPct([7, ...parts])).toBeCloseTo(1.508, 3);
  });

  it("is that of pairs where neighbours are alike, which single parts take for knowledge", () => {
    // Pairs 204 196 204 196 204: mean 200.8, sd 4.382, n 5, t(0.975, 4) = 2.776: 5.441, which is 2.710 %.
    const parts = [102, 102, 98, 98, 102, 102, 98, 98, 102, 102];
    expect(halfWidthPct([7, ...parts])).toBeCloseTo(2.71, 2);
  });

  it("is unknown where nothing came", () => {
    expect(halfWidthPct(Array<number>(20).fill(0))).toBeUndefined();
  });

  it("does not depend on the unit that is counted", () => {
    const parts = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 11, maxLength: 40 });
    fc.assert(
      fc.property(parts, fc.constantFrom(2, 8, 1024), (given, factor) => {
        const scaled = halfWidthPct(given.map((one) => one * factor));
        expect(scaled).toBeCloseTo(halfWidthPct(given) as number, 9);
      }),
    );
  });
});
