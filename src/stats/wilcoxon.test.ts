import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectClose, ofKind } from "../../test/fakes/expectations.ts";
import fixture from "../../test/fixtures/stats/paired.json" with { type: "json" };
import { wilcoxonSignedRank } from "./wilcoxon.ts";

describe("Wilcoxon's signed ranks", () => {
  it("agree with scipy, exact up to 50 pairs and approximated beyond", () => {
    for (const row of fixture.cases) {
      const test = ofKind(wilcoxonSignedRank(row.differences), "tested");
      expectClose(Math.min(test.positiveSum, test.negativeSum), row.signedRankSum);
      expectClose(test.p, row.signedRankP);
      expect(test.method).toBe(row.differences.length <= 50 ? "exact" : "normal");
    }
  });

  it("agree with scipy where sizes tie and zeros are left out", () => {
    for (const row of fixture.ties) {
      const test = ofKind(wilcoxonSignedRank(row.differences), "tested");
      expectClose(Math.min(test.positiveSum, test.negativeSum), row.signedRankSum);
      expectClose(test.p, Math.max(row.signedRankP, test.smallestP));
    }
  });

  it("of five pairs that all point one way cannot go below 1/16", () => {
    expect(wilcoxonSignedRank([1, 2, 3, 4, 5])).toMatchObject({ p: 0.0625, smallestP: 0.0625 });
  });

  it("have no answer when no pair differs, or there is none", () => {
    expect(wilcoxonSignedRank([0, 0])).toEqual({ kind: "no-variance" });
    expect(wilcoxonSignedRank([])).toEqual({ kind: "too-few", needed: 1 });
  });

  it("do not see the unit or the order of the pairs", () => {
    const values = fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 1, maxLength: 25 });
    fc.assert(
      fc.property(values, (differences) => {
        const test = wilcoxonSignedRank(differences);
        expect(wilcoxonSignedRank([...differences].reverse().map((value) => value * 4))).toEqual(test);
      }),
    );
  });
});
