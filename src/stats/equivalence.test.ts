import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectClose, ofKind } from "../../test/fakes/expectations.ts";
import fixture from "../../test/fixtures/stats/equivalences.json" with { type: "json" };
import { equivalence, pairedEquivalence } from "./equivalence.ts";

const sample = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 2, maxLength: 20 });

describe("the test of equivalence", () => {
  it("agrees with statsmodels", () => {
    for (const row of fixture.unpaired) {
      const test = ofKind(equivalence(row.first, row.second, row), "tested");
      expectClose(test.pAboveLow, row.pAboveLow);
      expectClose(test.pBelowHigh, row.pBelowHigh);
      expectClose(test.p, row.p);
    }
    for (const row of fixture.paired) {
      const test = ofKind(pairedEquivalence(row.differences, row), "tested");
      expectClose(test.pAboveLow, row.pAboveLow);
      expectClose(test.pBelowHigh, row.pBelowHigh);
    }
  });

  it("shows what a missing significance does not: three noisy trials are not equivalent", () => {
    const margin = { low: -5, high: 5 };
    expect(equivalence([40, 50, 60], [41, 49, 61], margin)).toMatchObject({ equivalent: false });
    expect(equivalence([50, 50.1, 49.9], [50, 50.2, 49.8], margin)).toMatchObject({ equivalent: true });
  });

  it("has no answer where nothing varies", () => {
    const margin = { low: -1, high: 1 };
    expect(equivalence([1, 1], [1, 1], margin)).toEqual({ kind: "no-variance", difference: 0 });
    expect(equivalence([1], [1, 2], margin)).toEqual({ kind: "too-few", needed: 2 });
    expect(pairedEquivalence([1], margin)).toEqual({ kind: "too-few", needed: 2 });
  });

  it("says equivalent exactly when its 90 % interval lies within the margin", () => {
    fc.assert(
      fc.property(sample, sample, fc.double({ min: 0.1, max: 60, noNaN: true }), (first, second, reach) => {
        const test = equivalence(first, second, { low: -reach, high: reach });
        if (test.kind !== "tested" || Math.abs(test.p - 0.05) < 1e-9) return;
        expect(test.equivalent).toBe(-reach < test.interval.low && test.interval.high < reach);
      }),
    );
  });

  it("is only easier to show within a wider margin", () => {
    fc.assert(
      fc.property(sample, sample, fc.integer({ min: 1, max: 30 }), (first, second, reach) => {
        const narrow = equivalence(first, second, { low: -reach, high: reach });
        const wide = equivalence(first, second, { low: -2 * reach, high: 2 * reach });
        if (narrow.kind === "tested" && wide.kind === "tested") expect(wide.p).toBeLessThanOrEqual(narrow.p);
      }),
    );
  });
});
