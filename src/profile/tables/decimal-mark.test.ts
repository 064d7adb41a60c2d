import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DecimalMark } from "./decimal-mark.ts";
import { DecimalMarkEvidence, parseNumber } from "./decimal-mark.ts";

function markOf(...texts: readonly string[]): DecimalMark | undefined {
  const evidence = new DecimalMarkEvidence();
  for (const text of texts) evidence.add(text);
  return evidence.mark;
}

describe("the decimal mark of a file", () => {
  it.each([
    [".", ["1,234.5"]],
    [",", ["1.234,5"]],
    [",", ["27.595.520"]],
    [".", ["27,595,520"]],
    [".", ["4,963", "0.5"]],
    [",", ["4.963", "0,5"]],
    [".", ["4,963", "12"]],
    [".", ["1234.567"]],
    [".", ["(256, 1, 1)", "a,b", "3.1"]],
  ] as const)("is %s for %j", (mark, texts) => {
    expect(markOf(...texts)).toBe(mark);
  });

  it("is not decided where both stand in one file", () => {
    expect(markOf("0.5", "0,5")).toBeUndefined();
  });

  it("gives back every number that a locale printed", () => {
    const number = fc
      .double({ min: 0, max: 1e12, noNaN: true })
      .map((value) => Math.round(value * 1000) / 1000);
    fc.assert(
      fc.property(number, (value) => {
        const english = value.toLocaleString("en-US", { maximumFractionDigits: 3 });
        const german = value.toLocaleString("de-DE", { maximumFractionDigits: 3 });
        expect(parseNumber(english, ".")).toBe(value);
        expect(parseNumber(german, ",")).toBe(value);
      }),
    );
  });

  it.each(["", "n/a", "-", "nan", "inf", "1x", "(1)"])("makes no number of %j", (text) => {
    expect(parseNumber(text, ".")).toBeUndefined();
  });
});
