import fc from "fast-check";
import { expect, it } from "vitest";
import { proportionInterval, trialsWithoutHit } from "./proportion.ts";

it("says after no hit in n trials how large the share may still be", () => {
  // 1 − 0.025^(1/3) and 1 − 0.025^(1/15)
  expect(proportionInterval(0, 3)).toEqual({ kind: "known", low: 0, high: expect.closeTo(0.7075982, 6) });
  expect(proportionInterval(0, 15)).toEqual({ kind: "known", low: 0, high: expect.closeTo(0.2180194, 6) });
});

it("agrees with scipy's binomtest(1, 135).proportion_ci('exact')", () => {
  const interval = proportionInterval(1, 135);
  expect(interval).toEqual({
    kind: "known",
    low: expect.closeTo(ONE_OF_135.low, 12),
    high: expect.closeTo(ONE_OF_135.high, 12),
  });
});

it("has nothing to say about no trial", () => {
  expect(proportionInterval(0, 0)).toEqual({ kind: "too-few", needed: 1 });
});

it("knows how many clean trials a limit asks for", () => {
  expect(trialsWithoutHit(0.01)).toBe(368);
  expect(proportionInterval(0, 368)).toMatchObject({ high: expect.closeTo(0.00997, 5) });
});

it("contains the share that was seen, and mirrors when hits and misses change places", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.nat({ max: 300 }), (n, draw) => {
      const hits = Math.min(draw, n);
      const own = proportionInterval(hits, n);
      const mirrored = proportionInterval(n - hits, n);
      if (own.kind !== "known" || mirrored.kind !== "known") throw new Error("both are known");
      expect(own.low).toBeLessThanOrEqual(hits / n);
      expect(own.high).toBeGreaterThanOrEqual(hits / n);
      expect(own.low).toBeCloseTo(1 - mirrored.high, 9);
    }),
  );
});

/** scipy 1.17. */
const ONE_OF_135 = { low: 0.0001875217335321901, high: 0.04057935911608692 };
