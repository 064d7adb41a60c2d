import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectClose } from "../../test/fakes/expectations.ts";
import fixture from "../../test/fixtures/stats/descriptions.json" with { type: "json" };
import { mean, median, quantile, sortedNumbers } from "./quantile.ts";

const finite = fc.double({ min: -1e9, max: 1e9, noNaN: true });

describe("quantiles", () => {
  it("interpolate as numpy does by default", () => {
    for (const { values, mean: average, shares, quantiles } of fixture.samples) {
      const sorted = sortedNumbers(values);
      shares.forEach((share, index) => expectClose(quantile(sorted, share), quantiles[index]));
      expectClose(mean(values), average);
      expectClose(median(values), quantiles[shares.indexOf(0.5)]);
    }
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
