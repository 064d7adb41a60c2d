import { describe, expect, it } from "vitest";
import { formatBytes, formatDurationMs, formatNumber, msToNs, nsToMs, sToNs } from "./units.ts";

describe("what people read", () => {
  it("is a duration in the unit they would say", () => {
    expect([0.4, 34, 999, 1000, 59_940, 125_000, -85_241].map(formatDurationMs)).toEqual([
      "0.4 ms",
      "34 ms",
      "999 ms",
      "1.0 s",
      "59.9 s",
      "2 min 05 s",
      "−85.2 s",
    ]);
  });

  it("is memory in binary units", () => {
    expect(formatBytes(-700 * 2 ** 20)).toBe("−700 MiB");
    expect([2048, 5 * 2 ** 20, 9 * 2 ** 30, 24 * 2 ** 30].map(formatBytes)).toEqual([
      "2 KiB",
      "5 MiB",
      "9216 MiB",
      "24.0 GiB",
    ]);
  });

  it("is a dash where nothing is known, never a zero", () => {
    for (const text of [
      formatDurationMs(undefined),
      formatBytes(undefined),
      formatNumber(undefined),
      formatNumber(Number.NaN),
    ])
      expect(text).toBe("–");
  });
});

describe("conversions", () => {
  it("go there and back", () => {
    expect(nsToMs(msToNs(12.345678))).toBe(12.345678);
    expect(sToNs(0.000000001)).toBe(1);
  });
});
