import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectClose } from "../../test/fakes/expectations.ts";
import fixture from "../../test/fixtures/stats/distributions.json" with { type: "json" };
import {
  binomialCdf,
  noncentralTCdf,
  normalCdf,
  normalQuantile,
  tCdf,
  tQuantile,
  tTwoSidedP,
} from "./distributions.ts";

const freedoms = fc.integer({ min: 1, max: 200 });
const statistics = fc.double({ min: -50, max: 50, noNaN: true });

describe("the distributions", () => {
  it("of Student's t agree with scipy, far into the tails", () => {
    for (const { t, freedom, value } of fixture.tCdf) expectClose(tCdf(t, freedom), value);
    for (const { p, freedom, value } of fixture.tQuantile)
      if (p === 0.5) expect(Math.abs(tQuantile(p, freedom))).toBeLessThan(1e-15);
      else expectClose(tQuantile(p, freedom), value);
  });

  it("of the normal agree with scipy, down to p = 1e-300", () => {
    for (const { z, value } of fixture.normalCdf) expectClose(normalCdf(z), value);
    for (const { p, value } of fixture.normalQuantile)
      if (p === 0.5) expect(Math.abs(normalQuantile(p))).toBeLessThan(1e-15);
      else expectClose(normalQuantile(p), value);
  });

  it("of the binomial agree with scipy", () => {
    for (const { k, n, p, value } of fixture.binomialCdf) expectClose(binomialCdf(k, n, p), value);
  });

  it("of the noncentral t agree with another quadrature over the other variable", () => {
    for (const { t, freedom, noncentrality, cdf } of fixture.noncentralT)
      expectClose(noncentralTCdf(t, freedom, noncentrality), cdf);
  });

  it("without noncentrality are the central ones", () => {
    fc.assert(
      fc.property(fc.double({ min: -7, max: 7, noNaN: true }), freedoms, (t, freedom) =>
        expectClose(noncentralTCdf(t, freedom, 0), tCdf(t, freedom)),
      ),
      { numRuns: 50 },
    );
  });

  it("of the noncentral t rise with t and fall with the noncentrality", () => {
    const delta = fc.double({ min: -6, max: 6, noNaN: true });
    fc.assert(
      fc.property(
        statistics,
        freedoms,
        delta,
        fc.double({ min: 0, max: 3, noNaN: true }),
        (t, v, d, more) => {
          const here = noncentralTCdf(t, v, d);
          expect(noncentralTCdf(t + more, v, d)).toBeGreaterThanOrEqual(here * (1 - 1e-12));
          expect(noncentralTCdf(t, v, d + more)).toBeLessThanOrEqual(here * (1 + 1e-12));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("give a two-sided p that falls as |t| grows and does not see its sign", () => {
    fc.assert(
      fc.property(statistics, statistics, freedoms, (a, b, freedom) => {
        const [near, far] = Math.abs(a) < Math.abs(b) ? [a, b] : [b, a];
        expect(tTwoSidedP(far, freedom)).toBeLessThanOrEqual(tTwoSidedP(near, freedom));
        expect(tTwoSidedP(-a, freedom)).toBe(tTwoSidedP(a, freedom));
      }),
    );
  });

  it("refuse arguments outside of their domain instead of giving NaN", () => {
    expect(() => tCdf(1, 0)).toThrow("domain");
    expect(() => normalQuantile(1.5)).toThrow("domain");
    expect(() => noncentralTCdf(Number.NaN, 4, 1)).toThrow("domain");
  });
});
