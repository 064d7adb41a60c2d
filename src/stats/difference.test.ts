import { describe, expect, it } from "vitest";
import { differenceOfMeans } from "./difference.ts";

describe("the difference of two means", () => {
  it("has Welch's interval", () => {
    const result = differenceOfMeans([503, 512, 498, 530, 505], [333, 420, 361, 350]);
    if (result.kind !== "known") throw new Error("both sides vary");
    // scipy 1.17.1: ttest_ind(a, b, equal_var=False).confidence_interval(.95), df 3.5245
    expect(result.difference).toBeCloseTo(143.6, 10);
    expect(result.ci95.low).toBeCloseTo(85.85683272884481, 8);
    expect(result.ci95.high).toBeCloseTo(201.34316727115524, 8);
    expect(result.decided).toBe(true);
  });

  it("decides nothing when the interval holds 0", () => {
    expect(differenceOfMeans([10, 20, 30], [12, 19, 31])).toMatchObject({ kind: "known", decided: false });
  });

  it("needs two trials on each side", () => {
    expect(differenceOfMeans([1, 2, 3], [4])).toEqual({ kind: "too-few", needed: 2 });
  });

  it("is undefined in its interval, not in its value, where nothing varies", () => {
    expect(differenceOfMeans([5, 5], [3, 3])).toEqual({ kind: "no-variance", difference: 2 });
  });
});
