import fc from "fast-check";
import { expect, it } from "vitest";
import { DurationTally } from "./duration-tally.ts";

it("has no figures of nothing", () => {
  expect(new DurationTally().figures()).toBeUndefined();
});

it("gives exact quantiles while lengths are few", () => {
  const tally = new DurationTally();
  for (const ns of [40, 10, 20, 30]) tally.add(ns);
  expect(tally.figures()).toEqual({
    count: 4,
    totalNs: 100,
    meanNs: 25,
    p50Ns: 25,
    p90Ns: 37,
    p99Ns: expect.closeTo(39.7, 9) as number,
    maxNs: 40,
    quantiles: "exact",
  });
});

it("stays within 2 % of them once they are many, with sum and longest exact", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 10_000_000 }), { minLength: 40, maxLength: 200 }),
      (list) => {
        const tally = new DurationTally(10);
        for (const ns of list) tally.add(ns);
        const sorted = [...list].sort((a, b) => a - b);
        const figures = tally.figures() ?? expect.fail();
        expect(figures.quantiles).toBe("within 2 %");
        expect(figures.maxNs).toBe(sorted.at(-1));
        expect(figures.totalNs).toBe(list.reduce((sum, ns) => sum + ns, 0));
        const middle = sorted[Math.ceil(0.5 * list.length) - 1] as number;
        expect(figures.p50Ns / middle).toBeGreaterThan(0.98);
        expect(figures.p50Ns / middle).toBeLessThan(1.02);
      },
    ),
  );
});
