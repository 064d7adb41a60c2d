import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rank } from "./ranks.ts";

describe("ranks", () => {
  it("are shared by equal values", () => {
    const { ranks, tieTerm } = rank([30, 10, 20, 10, 10]);
    expect([...ranks]).toEqual([5, 2, 4, 2, 2]);
    expect(tieTerm).toBe(24);
  });

  it("sum to n(n + 1)/2 and follow the order of the values", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 40 }), (values) => {
        const { ranks } = rank(values);
        expect(ranks.reduce((sum, one) => sum + one, 0)).toBe((values.length * (values.length + 1)) / 2);
        values.forEach((a, i) =>
          values.forEach((b, j) =>
            expect(Math.sign((ranks[i] as number) - (ranks[j] as number))).toBe(Math.sign(a - b)),
          ),
        );
      }),
    );
  });
});
