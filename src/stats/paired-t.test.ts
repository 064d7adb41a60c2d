import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectClose, ofKind } from "../../test/fakes/expectations.ts";
import fixture from "../../test/fixtures/stats/paired.json" with { type: "json" };
import { pairedT } from "./paired-t.ts";

describe("the paired t test", () => {
  it("agrees with scipy", () => {
    for (const row of fixture.cases) {
      const test = ofKind(pairedT(row.differences), "tested");
      expectClose(test.statistic, row.statistic);
      expectClose(test.p, row.p);
      expectClose(test.interval.low, row.interval[0]);
      expectClose(test.interval.high, row.interval[1]);
      expect(test.freedom).toBe(row.differences.length - 1);
    }
  });

  it("has no answer when every pair differs by the same, or there is one pair", () => {
    expect(pairedT([2.5, 2.5, 2.5])).toEqual({ kind: "no-variance", difference: 2.5 });
    expect(pairedT([1])).toEqual({ kind: "too-few", needed: 2 });
  });

  it("turns its sign with the order of the pair", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -99, max: 99 }), { minLength: 2, maxLength: 20 }),
        (differences) => {
          const test = pairedT(differences);
          if (test.kind !== "tested") return;
          const turned = ofKind(pairedT(differences.map((difference) => -difference)), "tested");
          expect(turned.p).toBe(test.p);
          expect(turned.interval.low).toBe(-test.interval.high);
        },
      ),
    );
  });
});
