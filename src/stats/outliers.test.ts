import { describe, expect, it } from "vitest";
import { tukeyFences } from "./outliers.ts";

describe("Tukey's fences", () => {
  it("lie 1.5 interquartile ranges beyond the quartiles", () => {
    // numpy 2.4.6: percentile(x, [25, 75]) = 51.765, 52.48
    const fences = tukeyFences([52.46, 52.46, 51.13, 52.5, 60, 52.4, 40]);
    expect(fences?.low).toBeCloseTo(50.6925, 10);
    expect(fences?.high).toBeCloseTo(53.5525, 10);
  });

  it("do not exist for three values", () => {
    expect(tukeyFences([1, 2, 300])).toBeUndefined();
  });
});
