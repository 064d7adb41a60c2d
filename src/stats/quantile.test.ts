import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mean, median, quantile, sortedNumbers } from "./quantile.ts";

const finite = fc.double({ min: -1e9, max: 1e9, noNaN: true });

describe("quantiles", () => {
  it("interpolate as numpy.percentile does by default", () => {
    const sorted = sortedNumbers([3.1, -4.1, 5.9, 2.6, 5.3, 5.8, 9.7, 9.3, 2.4]);
    // numpy 2.4.6: np.percentile(x, [5, 25, 50, 75, 95])
    const expected = [-1.5, 2.6, 5.3, 5.9, 9.54];
    [0.05, 0.25, 0.5, 0.75, 0.95].forEach((q, index) =>
      expect(quantile(sorted, q)).toBeCloseTo(expected[index] as number, 12),
    );
  });

  it("of nothing do not exist", () => {
    expect(quantile(sortedNumbers([]), 0.5)).toBeUndefined();
    expect(median([])).toBeUndefined();
    expect(mean([])).toBeUndefined();
  });

  it("rise with q and stay between the extremes", () => {
    fc.assert(
      fc.property(
        fc.array(finite, { minLength: 1, maxLength: 40 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, a, b) => {
          const sorted = sortedNumbers(values);
          const low = quantile(sorted, Math.min(a, b)) as number;
          const high = quantile(sorted, Math.max(a, b)) as number;
          const slack = 1e-6;
          return (
            low <= high + slack && low >= Math.min(...values) - slack && high <= Math.max(...values) + slack
          );
        },
      ),
    );
  });

  it("leave the values they were given in their order", () => {
    const values = [3, 1, 2];
    expect(median(values)).toBe(2);
    expect(values).toEqual([3, 1, 2]);
  });
});
