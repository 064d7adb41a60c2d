import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectClose, ofKind } from "../../test/fakes/expectations.ts";
import fixture from "../../test/fixtures/stats/two-samples.json" with { type: "json" };
import { cohensD, effectClass } from "./cohens-d.ts";
import { welchTest } from "./welch.ts";

describe("Cohen's d", () => {
  it("agrees with numpy's pooled deviation", () => {
    for (const row of fixture.cases) expectClose(ofKind(cohensD(row.first, row.second), "known").d, row.d);
  });

  it("repeats the kernel study's 114.64 for a 1B model", () => {
    const effect = ofKind(cohensD([159.98, 160.44, 160.91], [28.86, 27.21, 30.32]), "known");
    expect(effect.d).toBeCloseTo(114.64, 0);
    expect(effect.size).toBe("large");
    // 1 − 3 ÷ (4·4 − 1)
    expectClose(effect.correctedD, effect.d * 0.8);
  });

  it.each([
    [0, "negligible"],
    [-0.199, "negligible"],
    [0.2, "small"],
    [-0.5, "medium"],
    [0.79, "medium"],
    [-0.8, "large"],
    [300, "large"],
  ] as const)("of %d is %s", (d, size) => {
    expect(effectClass(d)).toBe(size);
  });

  it("does not exist where nothing varies, equal or not", () => {
    expect(cohensD([1, 1, 1], [1, 1, 1])).toEqual({ kind: "no-variance" });
    expect(cohensD([1, 1, 1], [2, 2, 2])).toEqual({ kind: "no-variance" });
    expect(cohensD([1], [2, 3])).toEqual({ kind: "too-few", needed: 2 });
  });

  it("is |t| ÷ √(n/2) for samples of one size", () => {
    const sizes = fc.integer({ min: 2, max: 10 }).chain((n) => {
      const values = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: n, maxLength: n });
      return fc.tuple(values, values);
    });
    fc.assert(
      fc.property(sizes, ([first, second]) => {
        const test = welchTest(first, second);
        if (test.kind !== "tested") return;
        const { d } = ofKind(cohensD(first, second), "known");
        expectClose(Math.abs(d) * Math.sqrt(first.length / 2), Math.abs(test.statistic));
      }),
    );
  });
});
