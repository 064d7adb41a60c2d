import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PrintedNumber } from "./printed-number.ts";
import { parsePrinted } from "./printed-number.ts";
import { agreement, exactly, reproduce } from "./reproduce.ts";

const printed = (text: string): PrintedNumber => parsePrinted(text) as PrintedNumber;
const difference = ({ a, b }: { readonly a: readonly number[]; readonly b: readonly number[] }): number =>
  (a[0] ?? 0) - (b[0] ?? 0);

describe("a reproduction", () => {
  it("carries the rounding of every input", () => {
    const found = reproduce({ a: [printed("309.3")], b: [printed("177.3")] }, difference);
    // Each may be off by 0.05, so the difference by 0.1.
    expect(found).toMatchObject({ kind: "value" });
    expect(found.low).toBeCloseTo(131.9, 9);
    expect(found.high).toBeCloseTo(132.1, 9);
  });

  it("holds every value that a linear formula takes within the rounding", () => {
    const within = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -999, max: 999 }), within), { minLength: 1, maxLength: 8 }),
        (parts) => {
          const inputs = parts.map(([tenths]) => printed((tenths / 10).toFixed(1)));
          const weighted = (values: readonly number[]): number =>
            values.reduce((sum, value, index) => sum + (index % 2 === 0 ? value : -2 * value), 0);
          const found = reproduce({ inputs }, (values) => weighted(values.inputs));
          const moved = weighted(
            inputs.map((input, index) => input.value + (parts[index]?.[1] ?? 0) * input.halfUnit),
          );
          return moved >= found.low - 1e-9 && moved <= found.high + 1e-9;
        },
      ),
    );
  });
});

describe("agreement", () => {
  const delta = reproduce({ a: [printed("309.3")], b: [printed("177.3")] }, difference);
  it.each([
    ["132.0", "reproduced"],
    ["131.9", "within-rounding"],
    ["131.7", "differs"],
  ] as const)("of %s with 309.3 − 177.3: %s", (text, expected) => {
    expect(agreement(printed(text), delta)).toBe(expected);
  });

  it("takes a tie in the last place either way, whatever binary fractions make of it", () => {
    expect(agreement(printed("2.68"), exactly(2.675))).toBe("reproduced");
    expect(agreement(printed("2.67"), exactly(2.675))).toBe("reproduced");
  });

  it("with bounds says whether the figure lies within", () => {
    const bounds = { kind: "range", low: 0, high: 2.5 } as const;
    expect(agreement(printed("2.1"), bounds)).toBe("possible");
    expect(agreement(printed("3.81"), bounds)).toBe("differs");
  });
});
