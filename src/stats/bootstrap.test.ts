import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStream } from "../core/random.ts";
import { expectClose, ofKind } from "../../test/fakes/expectations.ts";
import { bootstrap } from "./bootstrap.ts";
import { describe as describeValues } from "./describe.ts";
import { meanFigure } from "./resampled-figures.ts";

const stream = () => randomStream(11, "bootstrap test");
const solo = [50.1, 52.3, 48.7, 51.5, 49.9, 53.2, 47.6, 50.8];

describe("the bootstrap over trials", () => {
  it("gives the same interval from the same seed, and another from another", () => {
    const plan = { strata: [solo.length], figure: meanFigure(solo), resamples: 500 };
    const first = bootstrap({ ...plan, random: stream() });
    expect(bootstrap({ ...plan, random: stream() })).toEqual(first);
    expect(bootstrap({ ...plan, random: randomStream(12, "bootstrap test") })).not.toEqual(first);
  });

  it("of a mean of many even values is near Student's interval", () => {
    const values = Array.from({ length: 135 }, (_, index) => 100 + 10 * Math.sin(index * 2.399));
    const result = bootstrap({ strata: [135], figure: meanFigure(values), random: stream() });
    const interval = ofKind(ofKind(result, "resampled").interval, "known");
    const spread = describeValues(values)?.spread;
    if (spread?.kind !== "known") throw new Error("the values vary");
    const width = spread.ci95.high - spread.ci95.low;
    expect(Math.abs(interval.low - spread.ci95.low)).toBeLessThan(0.05 * width);
    expect(Math.abs(interval.high - spread.ci95.high)).toBeLessThan(0.05 * width);
  });

  it("draws each stratum from itself only", () => {
    const strata = [3, 4];
    const seen: number[][] = [];
    bootstrap({
      strata,
      resamples: 50,
      random: stream(),
      figure: (trials) => {
        seen.push([...trials]);
        return trials[0];
      },
    });
    const draws = seen.slice(1, 51);
    for (const draw of draws) {
      expect(draw.slice(0, 3).every((trial) => trial < 3)).toBe(true);
      expect(draw.slice(3).every((trial) => trial >= 3 && trial < 7)).toBe(true);
    }
    expect(new Set(draws.flat()).size).toBe(7);
  });

  it("asks for five trials in all, and two in each stratum", () => {
    const plan = { figure: () => 1, random: stream() };
    expect(bootstrap({ ...plan, strata: [3] })).toEqual({ kind: "too-few", needed: 5 });
    expect(bootstrap({ ...plan, strata: [] })).toEqual({ kind: "too-few", needed: 5 });
    expect(bootstrap({ ...plan, strata: [5, 1] })).toEqual({ kind: "too-few", needed: 2 });
  });

  it("counts resamples for which the figure does not exist, and gives up when they are many", () => {
    // The figure exists only where trial 0 was drawn: in 1 − (7/8)⁸ = 66 % of resamples of eight.
    const picky = (trials: Uint32Array): number | undefined =>
      trials.includes(0) ? trials.length : undefined;
    const plan = { strata: [8], random: stream(), resamples: 400 };
    const result = ofKind(bootstrap({ ...plan, figure: picky }), "unstable");
    expect(Math.abs(result.undefinedResamples / 400 - 0.34)).toBeLessThan(0.1);
    expect(bootstrap({ ...plan, figure: () => undefined })).toMatchObject({ kind: "unstable" });
    const rarely = (trials: Uint32Array): number | undefined =>
      new Set(trials).size > 3 ? meanFigure(solo)(trials) : undefined;
    const kept = ofKind(bootstrap({ ...plan, figure: rarely, resamples: 2000 }), "resampled");
    expect(kept.undefinedResamples).toBeGreaterThan(0);
  });

  it("has an estimate but no interval where every trial says the same", () => {
    const result = bootstrap({ strata: [6], figure: () => 4.2, random: stream(), resamples: 100 });
    expect(result).toMatchObject({ kind: "resampled", estimate: 4.2, interval: { kind: "no-variance" } });
  });

  it("refuses a figure that is NaN", () => {
    expect(() => bootstrap({ strata: [6], figure: () => Number.NaN, random: stream() })).toThrow(
      "does not exist",
    );
  });

  it("lies within the values for a mean, and moves with them", () => {
    const values = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 5, maxLength: 20 });
    fc.assert(
      fc.property(values, (xs) => {
        const of = (ys: readonly number[]) =>
          ofKind(
            bootstrap({ strata: [ys.length], figure: meanFigure(ys), random: stream(), resamples: 200 }),
            "resampled",
          );
        const result = of(xs);
        if (result.interval.kind !== "known") return;
        expect(result.interval.low).toBeGreaterThanOrEqual(Math.min(...xs));
        expect(result.interval.high).toBeLessThanOrEqual(Math.max(...xs));
        const doubled = ofKind(of(xs.map((x) => x * 2)).interval, "known");
        expectClose(doubled.low, result.interval.low * 2);
        expectClose(doubled.high, result.interval.high * 2);
      }),
      { numRuns: 40 },
    );
  });
});
