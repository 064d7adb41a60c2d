import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectClose } from "../../test/fakes/expectations.ts";
import { chanceUpTo, mannWhitneyChances, signedRankChances } from "./rank-distributions.ts";

const sizes = fc.integer({ min: 1, max: 60 });

describe("the exact distributions of ranks", () => {
  it("count the orders of two and two values: 1, 1, 2, 1, 1 of 6", () => {
    expect([...mannWhitneyChances(2, 2)].map((chance) => Math.round(chance * 6))).toEqual([1, 1, 2, 1, 1]);
  });

  it("count the signs of three ranks: sums 0 … 6 in 1, 1, 1, 2, 1, 1, 1 of 8 ways", () => {
    expect([...signedRankChances(3)].map((chance) => chance * 8)).toEqual([1, 1, 1, 2, 1, 1, 1]);
  });

  it("sum to 1, have their mean in the middle and the known variance", () => {
    fc.assert(
      fc.property(sizes, sizes, (m, n) => {
        expectMoments(mannWhitneyChances(m, n), (m * n) / 2, (m * n * (m + n + 1)) / 12);
        expectMoments(signedRankChances(n), (n * (n + 1)) / 4, (n * (n + 1) * (2 * n + 1)) / 24);
      }),
      { numRuns: 40 },
    );
  });

  it("do not care which sample is called the first", () => {
    expect(mannWhitneyChances(4, 9)).toEqual(mannWhitneyChances(9, 4));
  });
});

function expectMoments(chances: Float64Array, centre: number, variance: number): void {
  expectClose(chanceUpTo(chances, chances.length - 1), 1, 1e-12);
  expectClose(
    chances.reduce((sum, chance, value) => sum + chance * value, 0),
    centre,
    1e-10,
  );
  expectClose(
    chances.reduce((sum, chance, value) => sum + chance * (value - centre) ** 2, 0),
    variance,
    1e-9,
  );
}
