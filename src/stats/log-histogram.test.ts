import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LogHistogram } from "./log-histogram.ts";

function histogramOf(values: readonly number[]): LogHistogram {
  const histogram = new LogHistogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

describe("the histogram of gaps", () => {
  it("is empty until something is added", () => {
    const empty = new LogHistogram();
    expect([empty.quantile(0.5), empty.mean, empty.max]).toEqual([undefined, undefined, undefined]);
  });

  it("keeps zeros apart: three gaps of 0 in four make the median 0", () => {
    const histogram = histogramOf([0, 0, 0, 25]);
    expect(histogram.quantile(0.5)).toBe(0);
    expect(histogram.quantile(1)).toBeCloseTo(25, 0);
    expect(histogram.mean).toBe(6.25);
  });

  it("finds the value of any rank within one bin of 2 %", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1e-3, max: 1e5, noNaN: true }), { minLength: 1, maxLength: 60 }),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        (values, q) => {
          const sorted = [...values].sort((a, b) => a - b);
          const exact = sorted[Math.ceil(q * sorted.length) - 1] as number;
          const read = histogramOf(values).quantile(q) as number;
          expect(Math.abs(read / exact - 1)).toBeLessThan(0.0201);
        },
      ),
    );
  });

  it("of two parts merged is the histogram of the whole", () => {
    const values = fc.array(fc.double({ min: 0, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(values, values, (left, right) => {
        const merged = histogramOf(left);
        merged.merge(histogramOf(right));
        const whole = histogramOf([...left, ...right]);
        expect(merged.count).toBe(whole.count);
        expect(merged.max).toBe(whole.max);
        for (const q of [0.1, 0.5, 0.99]) expect(merged.quantile(q)).toBe(whole.quantile(q));
      }),
    );
  });
});
