import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectClose, ofKind } from "../../test/fakes/expectations.ts";
import fixture from "../../test/fixtures/stats/paired.json" with { type: "json" };
import { signTest } from "./sign-test.ts";

describe("the sign test", () => {
  it("agrees with scipy's exact binomial test, zeros left out", () => {
    for (const row of [...fixture.cases, ...fixture.ties])
      expectClose(ofKind(signTest(row.differences), "tested").p, row.signP);
  });

  it("needs six pairs that point one way to get below 0.05", () => {
    expect(signTest([1, 1, 1, 1, 1])).toMatchObject({ p: 0.0625, smallestP: 0.0625 });
    expect(signTest([1, 1, 1, 1, 1, 1])).toMatchObject({ p: 0.03125, smallestP: 0.03125 });
  });

  it("has no answer when no pair differs, or there is none", () => {
    expect(signTest([0, 0, 0])).toEqual({ kind: "no-variance" });
    expect(signTest([])).toEqual({ kind: "too-few", needed: 1 });
  });

  it("counts every pair once and treats both sides alike", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 1, maxLength: 60 }),
        (differences) => {
          const test = signTest(differences);
          if (test.kind !== "tested") return;
          expect(test.positive + test.negative + test.equal).toBe(differences.length);
          expect(signTest(differences.map((value) => -value))).toMatchObject({ p: test.p });
        },
      ),
    );
  });
});
