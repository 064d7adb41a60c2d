import { describe, expect, it } from "vitest";
import { expectClose, ofKind } from "../../test/fakes/expectations.ts";
import fixture from "../../test/fixtures/stats/two-samples.json" with { type: "json" };
import { differenceOfMeans } from "./difference.ts";

describe("the difference of two means", () => {
  it("has scipy's interval of Welch's test, and decides where that leaves out 0", () => {
    for (const { first, second, interval } of fixture.cases) {
      const [low = Number.NaN, high = Number.NaN] = interval;
      const result = ofKind(differenceOfMeans(first, second), "known");
      expectClose(result.ci95.low, low);
      expectClose(result.ci95.high, high);
      expectClose(result.difference, (low + high) / 2);
      expect(result.decided).toBe(low > 0 || high < 0);
    }
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
