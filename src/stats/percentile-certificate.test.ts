import fc from "fast-check";
import { describe, expect, it } from "vitest";
import fixture from "../../test/fixtures/stats/shares.json" with { type: "json" };
import { certifiedPercentile, neededForPercentile } from "./percentile-certificate.ts";
import { sortedNumbers } from "./quantile.ts";

const counting = (n: number): Float64Array =>
  sortedNumbers(Array.from({ length: n }, (_, index) => index + 1));

describe("the percentile certificate", () => {
  it("asks for the least n that scipy's binomial tail allows", () => {
    for (const { q, needed } of fixture.certificates) expect(neededForPercentile(q)).toBe(needed);
  });

  it("says how many values are missing instead of printing a percentile of too few", () => {
    expect(certifiedPercentile(counting(10), 0.5)).toEqual({ kind: "too-few", n: 10, needed: 11 });
    expect(certifiedPercentile(counting(11), 0.5)).toEqual({ kind: "certified", value: 6, n: 11 });
    expect(certifiedPercentile(counting(661), 0.99)).toMatchObject({ kind: "too-few", needed: 662 });
  });

  it("asks for more the further out the percentile lies", () => {
    const tail = fc.double({ min: 0.5, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(
        tail,
        tail,
        (a, b) => neededForPercentile(Math.min(a, b)) <= neededForPercentile(Math.max(a, b)),
      ),
    );
  });
});
