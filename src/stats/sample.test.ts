import { describe, expect, it } from "vitest";
import { momentsOf } from "./sample.ts";

describe("the moments of a sample", () => {
  it("are its size, mean and variance", () => {
    expect(momentsOf([2, 4, 9])).toEqual({ n: 3, mean: 5, variance: 13 });
  });

  it("of equal values have a variance of exactly 0, also where their mean rounds", () => {
    expect(momentsOf([0.1, 0.1, 0.1])).toEqual({ n: 3, mean: 0.1, variance: 0 });
    expect(momentsOf([7])).toEqual({ n: 1, mean: 7, variance: 0 });
  });

  it("do not exist for nothing, and not for what is no number", () => {
    expect(() => momentsOf([])).toThrow("empty");
    expect(() => momentsOf([1, Number.NaN])).toThrow("value 1");
    expect(() => momentsOf([1e300, 1])).toThrow("value 0");
  });
});
