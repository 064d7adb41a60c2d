import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectClose } from "../../test/fakes/expectations.ts";
import { mean, quantile, sortedNumbers } from "./quantile.ts";
import { meanFigure, percentileFigures } from "./resampled-figures.ts";

const trialsOf = fc.array(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 6 }), {
  minLength: 1,
  maxLength: 8,
});

describe("the figures that are resampled", () => {
  it("take a trial as often as it was drawn", () => {
    expect(meanFigure([1, 10, 100])(Uint32Array.from([0, 2, 2]))).toBe(67);
    // 5, 5, 7, 9: the median of four lies between the second and the third.
    const figure = percentileFigures([[9], [5, 7], [5]])(0.5);
    expect(figure(Uint32Array.from([2, 1, 0]))).toBe(6);
    expect(figure(Uint32Array.from([2, 2, 2, 0]))).toBe(5);
  });

  it("do not exist where nothing was drawn", () => {
    expect(meanFigure([1])(new Uint32Array(0))).toBeUndefined();
    expect(percentileFigures([[], [4]])(0.9)(Uint32Array.from([0, 0]))).toBeUndefined();
  });

  it("are the plain mean and the type 7 percentile of what was drawn", () => {
    const places = fc.array(fc.nat(), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(trialsOf, places, fc.double({ min: 0, max: 1, noNaN: true }), (trials, drawn, q) => {
        const indices = Uint32Array.from(drawn, (place) => place % trials.length);
        const pooled = Array.from(indices, (trial) => trials[trial] as number[]).flat();
        const figure = percentileFigures(trials)(q)(indices);
        if (pooled.length === 0) expect(figure).toBeUndefined();
        else expect(figure).toBe(quantile(sortedNumbers(pooled), q));
        const sizes = trials.map((requests) => requests.length);
        expectClose(meanFigure(sizes)(indices), mean(Array.from(indices, (trial) => sizes[trial] as number)));
      }),
    );
  });

  it("find a rank among many requests as well as among few", () => {
    const many = fc.array(fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 90, maxLength: 200 }), {
      minLength: 2,
      maxLength: 5,
    });
    const places = fc.array(fc.nat(), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(many, places, fc.double({ min: 0, max: 1, noNaN: true }), (trials, drawn, q) => {
        const indices = Uint32Array.from(drawn, (place) => place % trials.length);
        const pooled = Array.from(indices, (trial) => trials[trial] as number[]).flat();
        expect(percentileFigures(trials)(q)(indices)).toBe(quantile(sortedNumbers(pooled), q));
      }),
    );
  });
});
