import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectClose, ofKind } from "../../test/fakes/expectations.ts";
import fixture from "../../test/fixtures/stats/powers.json" with { type: "json" };
import type { Design } from "./power.ts";
import { detectableEffect, neededSize, powerOf } from "./power.ts";

const designs = fc.constantFrom<Design>("two-samples", "pairs");

describe("power", () => {
  it("agrees with quadrature and statsmodels in the effects that n values can find", () => {
    for (const row of fixture.detectable) {
      const effect = ofKind(
        detectableEffect(row.n, { design: row.design as Design, alpha: row.alpha }),
        "known",
      );
      expectClose(effect.criticalD, row.criticalD);
      expectClose(effect.detectableD, row.detectableD);
    }
  });

  it("agrees with quadrature and statsmodels in the chance to find an effect", () => {
    for (const row of fixture.power)
      expectClose(
        ofKind(powerOf(row.d, row.n, { design: row.design as Design, alpha: row.alpha }), "known").power,
        row.power,
      );
  });

  it("agrees with statsmodels in the n that an effect needs", () => {
    for (const row of fixture.needed)
      expect(neededSize(row.d, { design: row.design as Design, power: row.power })).toMatchObject({
        n: row.n,
      });
  });

  it("has the kernel study's minimum detectable effects at n = 6 and 5, and corrects those at 3 and 2", () => {
    const critical = (n: number, design: Design = "two-samples"): number =>
      ofKind(detectableEffect(n, { design }), "known").criticalD;
    expect(critical(6)).toBeCloseTo(1.286, 3);
    expect(critical(5)).toBeCloseTo(1.458, 3);
    // Published: 2.484 and 6.314. The published formula gives t(0.975, 4)·√(2/3) and t(0.975, 2);
    // 2.484 is t(0.975, 2) ÷ √3, which belongs to three pairs, and 6.314 is t(0.95, 1).
    expect(critical(3)).toBeCloseTo(2.267, 3);
    expect(critical(2)).toBeCloseTo(4.303, 3);
    expect(critical(3, "pairs")).toBeCloseTo(2.484, 3);
  });

  it("finds an effect of the critical size about half of the time, not with certainty", () => {
    for (const n of [3, 5, 6, 30]) {
      const { criticalD } = ofKind(detectableEffect(n), "known");
      const { power } = ofKind(powerOf(criticalD, n), "known");
      expect(power).toBeGreaterThan(0.45);
      expect(power).toBeLessThan(0.6);
    }
  });

  it("says which questions have no answer", () => {
    expect(detectableEffect(1)).toEqual({ kind: "too-few", needed: 2 });
    expect(powerOf(1, 1)).toEqual({ kind: "too-few", needed: 2 });
    expect(detectableEffect(2, { design: "pairs", alpha: 1e-6 })).toEqual({ kind: "too-few", needed: 3 });
    expect(neededSize(0)).toEqual({ kind: "out-of-reach", most: 1_000_000 });
    expect(neededSize(0.001)).toEqual({ kind: "out-of-reach", most: 1_000_000 });
  });

  it("is alpha without an effect, and near certainty is certain", () => {
    for (const design of ["two-samples", "pairs"] as const) {
      expectClose(ofKind(powerOf(0, 5, { design, alpha: 0.01 }), "known").power, 0.01);
      expect(powerOf(1e9, 2, { design })).toEqual({ kind: "known", power: 1 });
    }
  });

  it("grows with the effect and with n, and does not see the effect's sign", () => {
    const effects = fc.double({ min: 0, max: 4, noNaN: true });
    fc.assert(
      fc.property(designs, effects, fc.integer({ min: 2, max: 60 }), (design, d, n) => {
        const power = (effect: number, size: number): number =>
          ofKind(powerOf(effect, size, { design }), "known").power;
        expect(power(-d, n)).toBe(power(d, n));
        expect(power(d + 0.1, n)).toBeGreaterThanOrEqual(power(d, n) * (1 - 1e-12));
        expect(power(d, n + 1)).toBeGreaterThanOrEqual(power(d, n) * (1 - 1e-12));
      }),
      { numRuns: 50 },
    );
  });

  it("needs the least n that reaches the asked power, and no less", () => {
    fc.assert(
      fc.property(designs, fc.double({ min: 0.15, max: 5, noNaN: true }), (design, d) => {
        const { n, power } = ofKind(neededSize(d, { design }), "known");
        expect(power).toBeGreaterThanOrEqual(0.8);
        if (n > 2) expect(ofKind(powerOf(d, n - 1, { design }), "known").power).toBeLessThan(0.8);
      }),
      { numRuns: 50 },
    );
  });
});
