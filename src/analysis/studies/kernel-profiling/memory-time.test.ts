import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cohensD } from "../../../stats/cohens-d.ts";
import { welchTest } from "../../../stats/welch.ts";
import type { PrintedNumber } from "../printed-number.ts";
import { parsePrinted } from "../printed-number.ts";
import { memoryTimeBounds } from "./memory-time.ts";

const printed = (text: string): PrintedNumber => parsePrinted(text) as PrintedNumber;
const bounds = memoryTimeBounds({
  alone: printed("177.3"),
  together: printed("309.3"),
  alonePerModel: [printed("109.3"), printed("245.4")],
  runsPerModel: 3,
  cohensD: printed("3.81"),
});

describe("the memory-time test of the study", () => {
  it("has a spread that its printed d leaves no room for", () => {
    // Six values, three of 109.3 and three of 245.4: sd = 68.05 · √(6/5).
    expect(bounds.perModel?.leastSdMs).toBeCloseTo(68.05 * Math.sqrt(6 / 5), 9);
    // √2 · 132.0 ÷ 3.805.
    expect(bounds.perModel?.sdAllowedByPrintedDMs).toBeCloseTo((Math.SQRT2 * 132) / 3.805, 9);
    // scipy 1.17: the least p over all spreads of the second sample.
    expect(bounds.perModel?.leastP).toBeCloseTo(0.0055, 4);
  });

  it("cannot exceed the bound on d whatever the single runs were", () => {
    const off = fc.double({ min: -60, max: 60, noNaN: true });
    const three = fc.tuple(off, off, off);
    const around = (mean: number, [a, b, c]: readonly [number, number, number]): readonly number[] => {
      const shift = (a + b + c) / 3;
      return [mean + a - shift, mean + b - shift, mean + c - shift];
    };
    fc.assert(
      fc.property(three, three, three, three, (small, large, other, more) => {
        const alone = [...around(109.3, small), ...around(245.4, large)];
        const together = [...around(309.3, other), ...around(309.3, more)];
        const effect = cohensD(together, alone);
        const test = welchTest(together, alone);
        expect(effect.kind === "known" && effect.d).toBeLessThanOrEqual((bounds.perModel?.mostD ?? 0) + 1e-9);
        expect(test.kind === "tested" && test.p).toBeGreaterThanOrEqual(
          (bounds.perModel?.leastP ?? 1) * 0.999,
        );
      }),
    );
  });

  it("has a p between those of the fewest and the most degrees of freedom", () => {
    // scipy 1.17: 2·t.sf(3.815·√3, 10) and 2·t.sf(3.805·√3, 5).
    expect(bounds.leastPOfPrintedD).toBeCloseTo(6.019e-5, 8);
    expect(bounds.mostPOfPrintedD).toBeCloseTo(1.2082e-3, 7);
  });
});
