import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStream } from "../core/random.ts";
import { expectClose, ofKind } from "../../test/fakes/expectations.ts";
import fixture from "../../test/fixtures/stats/permutations.json" with { type: "json" };
import { pairedPermutationTest, permutationTest } from "./permutation.ts";

const choice = () => ({ random: randomStream(7, "permutation test") });
const sample = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 });

describe("the permutation test of two samples", () => {
  it("looks at every arrangement of few values, and agrees with scipy's count", () => {
    for (const row of fixture.unpaired) {
      const test = ofKind(permutationTest(row.first, row.second, choice()), "tested");
      expect(test.method).toBe("exact");
      expectClose(test.p, row.p);
    }
  });

  it("of three against three without overlap is 2 of 20", () => {
    const test = permutationTest([160.1, 160.4, 160.9], [28.9, 27.2, 30.3], choice());
    expect(test).toMatchObject({ p: 0.1, smallestP: 0.1, arrangements: 20 });
  });

  it("counts an arrangement with the same sum in another order of adding as just as far out", () => {
    // {0.1, 0.2} against {0.3, 0.4}: 0.1 + 0.2 and its mirror image are the two most extreme of six.
    expect(permutationTest([0.1, 0.2], [0.3, 0.4], choice())).toMatchObject({ p: 2 / 6 });
    expect(permutationTest([0.1, 0.4], [0.2, 0.3], choice())).toMatchObject({ p: 1 });
  });

  it("draws where there are too many, the same from the same seed, near the exact p", () => {
    const [first, second] = [counting(20, 0), counting(20, 6)];
    const test = ofKind(permutationTest(first, second, choice()), "tested");
    expect(test).toMatchObject({ method: "monte-carlo", arrangements: 10_000, smallestP: 1e-4 });
    expect(permutationTest(first, second, choice())).toEqual(test);
    // scipy 1.17.1: permutation_test with a million resamples gives 0.0033, here ± 0.0006.
    expect(Math.abs(test.p - 0.0033)).toBeLessThan(0.002);
  });

  it("never gives a p of 0, however far apart the samples are", () => {
    const test = permutationTest(counting(30, 0), counting(30, 1e6), { ...choice(), draws: 199 });
    expect(test).toMatchObject({ p: 1 / 200 });
  });

  it("has no answer for equal values or for nothing", () => {
    expect(permutationTest([3, 3], [3], choice())).toEqual({ kind: "no-variance" });
    expect(permutationTest([], [3], choice())).toEqual({ kind: "too-few", needed: 1 });
  });

  it("is blind to the order of values and to which sample comes first", () => {
    fc.assert(
      fc.property(sample, sample, (first, second) => {
        const test = permutationTest(first, second, choice());
        if (test.kind !== "tested") return;
        const turned = ofKind(
          permutationTest([...second].reverse(), [...first].reverse(), choice()),
          "tested",
        );
        expectClose(turned.p, test.p);
        expect(turned.difference).toBeCloseTo(-test.difference, 12);
        expect(test.p).toBeGreaterThanOrEqual(test.smallestP);
        expect(test.p).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("a permutation test of one tail", () => {
  const above = () => ({ ...choice(), tail: "above" as const });

  it("counts only the arrangements that lie as far above", () => {
    expect(permutationTest([160.1, 160.4, 160.9], [28.9, 27.2, 30.3], above())).toMatchObject({
      p: 1 / 20,
      smallestP: 1 / 20,
    });
    expect(permutationTest([28.9, 27.2, 30.3], [160.1, 160.4, 160.9], above())).toMatchObject({ p: 1 });
    // Of C(6, 4) = 15 choices of four out of {0, 0, 0, 0, 1, 1} those with both ones: C(4, 2) = 6.
    expect(permutationTest([1, 1, 0, 0], [0, 0], above())).toMatchObject({ p: 6 / 15, smallestP: 1 / 15 });
  });

  it("is half of both tails for pairs, whose signs mirror each other", () => {
    expect(pairedPermutationTest([1, 2, 3], above())).toMatchObject({ p: 1 / 8, smallestP: 1 / 8 });
    expect(pairedPermutationTest([-1, -2, -3], above())).toMatchObject({ p: 1 });
  });
});

describe("the permutation test of pairs", () => {
  it("looks at every choice of signs, and agrees with scipy's count", () => {
    for (const row of fixture.paired) {
      const test = ofKind(pairedPermutationTest(row.differences, choice()), "tested");
      expect(test.method).toBe("exact");
      expectClose(test.p, row.p);
    }
  });

  it("of three pairs that all point one way is 2 of 8", () => {
    expect(pairedPermutationTest([1, 2, 3], choice())).toMatchObject({ p: 0.25, smallestP: 0.25 });
  });

  it("draws signs for many pairs, the same from the same seed", () => {
    const differences = counting(40, -16);
    const test = ofKind(pairedPermutationTest(differences, choice()), "tested");
    expect(test.method).toBe("monte-carlo");
    expect(pairedPermutationTest(differences, choice())).toEqual(test);
    // numpy 2.4.6: a million draws of signs give 0.0683, here ± 0.0025.
    expect(Math.abs(test.p - 0.0683)).toBeLessThan(0.009);
  });

  it("has no answer when no pair differs", () => {
    expect(pairedPermutationTest([0, 0], choice())).toEqual({ kind: "no-variance" });
    expect(pairedPermutationTest([], choice())).toEqual({ kind: "too-few", needed: 1 });
  });
});

function counting(n: number, from: number): number[] {
  return Array.from({ length: n }, (_, index) => from + index);
}
