import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePrinted, printedNumber } from "./printed-number.ts";

describe("a printed number", () => {
  it.each([
    ["4.20", 4.2, 0.005],
    ["4.2", 4.2, 0.05],
    ["-82.1", -82.1, 0.05],
    ["+2.48", 2.48, 0.005],
    ["10322", 10322, 0.5],
    ["400", 400, 0.5],
    ["6.4e-5", 6.4e-5, 5e-7],
    ["0.0006", 0.0006, 5e-5],
    ["~1800", 1800, 50],
    ["~42", 42, 0.5],
    ["~3.4", 3.4, 0.05],
  ])("%s is %d, give or take %d", (text, value, halfUnit) => {
    const printed = parsePrinted(text);
    expect(printed?.value).toBe(value);
    expect(printed?.halfUnit).toBeCloseTo(halfUnit, 12);
  });

  it("lies within half of its last place of what was rounded to it", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.integer({ min: 0, max: 6 }),
        (exact, places) => {
          const printed = parsePrinted(exact.toFixed(places));
          return printed !== undefined && Math.abs(printed.value - exact) <= printed.halfUnit * (1 + 1e-6);
        },
      ),
    );
  });

  it.each(["", "n/a", "1,800", "12 %", "~", "1e", "--1", "0x10"])("is not %j", (text) => {
    expect(parsePrinted(text)).toBeUndefined();
  });

  it("is exact where the file has a bare number, and refused where its text is none", () => {
    expect(printedNumber.parse(2257)).toEqual({ text: "2257", value: 2257, halfUnit: 0 });
    expect(printedNumber.safeParse("about 5").error?.issues[0]?.message).toBe(
      '"about 5" is not a printed number',
    );
  });
});
