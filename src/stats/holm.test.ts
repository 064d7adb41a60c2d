import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectClose, ofKind } from "../../test/fakes/expectations.ts";
import fixture from "../../test/fixtures/stats/families.json" with { type: "json" };
import { holm } from "./holm.ts";

const family = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 });

describe("Holm's step-down", () => {
  it("agrees with statsmodels", () => {
    for (const row of fixture.holm)
      holm(row.family).forEach((result, place) => {
        const test = ofKind(result, "adjusted");
        expectClose(test.adjustedP, row.adjusted[place]);
        expect(test.rejected).toBe(row.rejected[place]);
      });
  });

  it("holds the first of six tests to 0.05 ÷ 6, also where four of them have no p", () => {
    // The kernel study's family: one p of 6.4e-5, one of 1, four without variance.
    const results = holm([6.4e-5, undefined, undefined, undefined, undefined, 1]);
    const first = ofKind(results[0] ?? { kind: "undefined" }, "adjusted");
    expectClose(first.threshold, 0.05 / 6);
    expectClose(first.adjustedP, 6 * 6.4e-5);
    expect(results.map((result) => result.kind === "adjusted" && result.rejected)).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(results[1]).toEqual({ kind: "undefined" });
  });

  it("of no tests is nothing", () => {
    expect(holm([])).toEqual([]);
  });

  it("never lowers a p, keeps their order, and rejects no more than the plain level does", () => {
    fc.assert(
      fc.property(family, (ps) => {
        const results = holm(ps).map((result) => ofKind(result, "adjusted"));
        for (const a of results) {
          expect(a.adjustedP).toBeGreaterThanOrEqual(a.p);
          expect(a.adjustedP).toBeLessThanOrEqual(1);
          if (a.rejected) expect(a.p).toBeLessThanOrEqual(0.05);
          for (const b of results) if (a.p < b.p) expect(a.adjustedP).toBeLessThanOrEqual(b.adjustedP);
        }
      }),
    );
  });

  it("rejects at least what Bonferroni does", () => {
    fc.assert(
      fc.property(family, (ps) => {
        holm(ps).forEach((result, place) => {
          if ((ps[place] as number) * ps.length <= 0.05) expect(result).toMatchObject({ rejected: true });
        });
      }),
    );
  });

  it("refuses what is no p", () => {
    expect(() => holm([0.5, 1.2])).toThrow("not within 0 and 1");
    expect(() => holm([Number.NaN])).toThrow("not within 0 and 1");
  });
});
