import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectClose, ofKind } from "../../test/fakes/expectations.ts";
import fixture from "../../test/fixtures/stats/fits.json" with { type: "json" };
import { fitLeastSquares } from "./least-squares.ts";
import type { CurveProblem, Parameter } from "./linearised-model.ts";

type Model = CurveProblem<number>["model"];

const at = (parameters: Float64Array, index: number): number => parameters[index] as number;
const usl: Model = (n, p) => (at(p, 0) * n) / (1 + at(p, 1) * (n - 1) + at(p, 2) * n * (n - 1));
const amdahl: Model = (n, p) => (at(p, 0) * n) / (1 + at(p, 1) * (n - 1));
const decay: Model = (n, p) => at(p, 0) * Math.exp(-at(p, 1) * n) + at(p, 2);
const line: Model = (x, p) => at(p, 0) + at(p, 1) * x;

const LAWS: Record<string, { readonly model: Model; readonly parameters: readonly Parameter[] }> = {
  usl: {
    model: usl,
    parameters: [
      { start: 100, low: 0 },
      { start: 0.1, low: 0, high: 1 },
      { start: 0.001, low: 0 },
    ],
  },
  amdahl: {
    model: amdahl,
    parameters: [
      { start: 50, low: 0 },
      { start: 0.5, low: 0, high: 1 },
    ],
  },
  decay: {
    model: decay,
    parameters: [
      { start: 5, low: 0 },
      { start: 1, low: 0 },
      { start: 1, low: 0 },
    ],
  },
};

const LEVELS = [1, 2, 4, 8, 16, 32];
const observe = (model: Model, truth: readonly number[]) =>
  LEVELS.map((input) => ({ input, value: model(input, Float64Array.from(truth)) }));
const valuesOf = (fit: ReturnType<typeof fitLeastSquares>): number[] =>
  ofKind(fit, "converged").parameters.map(({ value }) => value);

describe("the least squares fit", () => {
  it("agrees with scipy in parameters, standard errors and squares, weighted or not", () => {
    for (const row of fixture.fits) {
      const observations = row.inputs.map((input, index) => ({
        input,
        value: row.values[index] as number,
        weight: row.weights[index] as number,
      }));
      const law = LAWS[row.model];
      if (law === undefined) throw new Error(`no law ${row.model}`);
      const fit = ofKind(fitLeastSquares({ ...law, observations }), "converged");
      expectClose(fit.weightedSquares, row.weightedSquares, 1e-9);
      fit.parameters.forEach((parameter, index) => {
        expectClose(parameter.value, row.parameters[index], 1e-6);
        expectClose(parameter.standardError, row.standardErrors[index], 1e-6);
      });
    }
  });

  it("of a straight line is the one of the textbook", () => {
    // Slope Σ(x − x̄)(y − ȳ) ÷ Σ(x − x̄)² = 6 ÷ 10, intercept 4 − 0.6 · 3; its error √(2.4/3 ÷ 10).
    const observations = [2, 4, 5, 4, 5].map((value, index) => ({ input: index + 1, value }));
    const fit = ofKind(
      fitLeastSquares({ observations, model: line, parameters: [{ start: 0 }, { start: 0 }] }),
      "converged",
    );
    expect(fit.parameters[0]?.value).toBeCloseTo(2.2, 9);
    expect(fit.parameters[1]?.value).toBeCloseTo(0.6, 9);
    expect(fit.parameters[1]?.standardError).toBeCloseTo(Math.sqrt(0.08), 9);
    expect(fit.explainedShare).toBeCloseTo(0.6, 9);
    expect(fit.freedom).toBe(3);
  });

  it("takes given slopes to the same place as differences", () => {
    const observations = observe(amdahl, [90, 0.2]).map(({ input, value }, index) => ({
      input,
      value: value * (index % 2 === 0 ? 1.02 : 0.98),
    }));
    const problem = { ...(LAWS["amdahl"] as (typeof LAWS)[string]), observations };
    const slopes = (n: number, p: Float64Array): number[] => {
      const below = 1 + at(p, 1) * (n - 1);
      return [n / below, (-at(p, 0) * n * (n - 1)) / below ** 2];
    };
    const [gain, serial] = valuesOf(fitLeastSquares(problem));
    const [sameGain, sameSerial] = valuesOf(fitLeastSquares({ ...problem, slopes }));
    expectClose(sameGain, gain, 1e-8);
    expectClose(sameSerial, serial, 1e-8);
  });

  it("ends on a bound where the data pull beyond it: perfect scaling has no serial share", () => {
    const observations = LEVELS.map((n) => ({ input: n, value: 160 * n * (1 + 0.002 * n) }));
    const fit = ofKind(
      fitLeastSquares({ ...(LAWS["usl"] as (typeof LAWS)[string]), observations }),
      "converged",
    );
    const [gain, sigma, kappa] = fit.parameters;
    expect(sigma).toEqual({ value: 0, bound: "low" });
    expect(kappa).toEqual({ value: 0, bound: "low" });
    // With both at 0 the law is a line through 0: Σ xy ÷ Σ x².
    const best =
      observations.reduce((sum, { input, value }) => sum + input * value, 0) /
      LEVELS.reduce((sum, n) => sum + n * n, 0);
    expectClose(gain?.value, best, 1e-9);
    expect(gain?.standardError).toBeGreaterThan(0);
  });

  it("says when the data do not tell parameters apart", () => {
    const observations = [5, 6, 7].map((value) => ({ input: 4, value }));
    const law = LAWS["amdahl"] as (typeof LAWS)[string];
    expect(fitLeastSquares({ ...law, observations })).toMatchObject({ kind: "undetermined" });
  });

  it("says when there are fewer observations than parameters, or the model has no value", () => {
    const law = LAWS["usl"] as (typeof LAWS)[string];
    expect(fitLeastSquares({ ...law, observations: observe(usl, [1, 0, 0]).slice(0, 2) })).toEqual({
      kind: "too-few",
      needed: 3,
    });
    const nowhere = {
      model: () => Number.NaN,
      parameters: [{ start: 1 }],
      observations: [{ input: 1, value: 1 }],
    };
    expect(fitLeastSquares(nowhere)).toEqual({ kind: "model-undefined", parameters: [1] });
  });

  it("does not pretend to have converged where the way down never ends", () => {
    const observations = [1, 2, 3].map((input) => ({ input, value: 0 }));
    const fit = fitLeastSquares({
      observations,
      model: (x, p) => x * Math.exp(-at(p, 0)),
      parameters: [{ start: 0 }],
    });
    expect(fit.kind === "converged" ? fit.weightedSquares : 0).toBeLessThan(1e-12);
    const rough = fitLeastSquares({
      observations,
      model: (x, p) => x * (2 + Math.abs(at(p, 0) - 0.3)),
      parameters: [{ start: 5 }],
    });
    expect(rough.kind).toBe("not-converged");
  });

  it("passes through as many points as it has parameters, without a standard error", () => {
    const observations = observe(amdahl, [80, 0.1]).slice(0, 2);
    const fit = ofKind(
      fitLeastSquares({ ...(LAWS["amdahl"] as (typeof LAWS)[string]), observations }),
      "converged",
    );
    expect(fit.freedom).toBe(0);
    expect(fit.parameters.every(({ standardError }) => standardError === undefined)).toBe(true);
    expectClose(fit.parameters[1]?.value, 0.1, 1e-6);
  });

  it("finds the truth in data without noise, whatever the weights", () => {
    const truths = fc.tuple(
      fc.double({ min: 5, max: 500, noNaN: true }),
      fc.double({ min: 0.01, max: 0.9, noNaN: true }),
      fc.double({ min: 1e-4, max: 0.05, noNaN: true }),
    );
    const weights = fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(truths, weights, (truth, weighed) => {
        const observations = observe(usl, truth).map((row, index) => ({
          ...row,
          weight: weighed[index] as number,
        }));
        const found = valuesOf(fitLeastSquares({ ...(LAWS["usl"] as (typeof LAWS)[string]), observations }));
        found.forEach((value, index) => expectClose(value, truth[index], 1e-6));
      }),
    );
  });

  it("counts a weight of two as two equal observations", () => {
    const once = observe(amdahl, [70, 0.3]).map((row, index) => ({
      ...row,
      value: row.value + (index % 3) - 1,
    }));
    const law = LAWS["amdahl"] as (typeof LAWS)[string];
    const weighted = valuesOf(
      fitLeastSquares({
        ...law,
        observations: once.map((row, index) => ({ ...row, weight: index === 3 ? 2 : 1 })),
      }),
    );
    const repeated = valuesOf(
      fitLeastSquares({ ...law, observations: [...once, once[3] as (typeof once)[number]] }),
    );
    weighted.forEach((value, index) => expectClose(value, repeated[index], 1e-8));
  });
});
