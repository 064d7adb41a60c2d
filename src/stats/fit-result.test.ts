import { describe, expect, it } from "vitest";
import { expectClose, ofKind } from "../../test/fakes/expectations.ts";
import type { ConvergedFit } from "./fit-result.ts";
import { correctedAkaike } from "./fit-result.ts";
import { fitLeastSquares } from "./least-squares.ts";

const noisyLine = [1, 2, 3, 4, 5, 6, 7, 8].map((input) => ({
  input,
  value: 3 + 2 * input + (input % 2 === 0 ? 0.5 : -0.5),
}));

function polynomial(degree: number): ConvergedFit {
  const parameters = Array.from({ length: degree + 1 }, () => ({ start: 0 }));
  const model = (x: number, p: Float64Array): number =>
    p.reduce((sum, factor, power) => sum + factor * x ** power, 0);
  return ofKind(fitLeastSquares({ observations: noisyLine, model, parameters }), "converged");
}

describe("the corrected criterion of Akaike", () => {
  it("follows its formula", () => {
    const fit: ConvergedFit = {
      kind: "converged",
      parameters: [],
      weightedSquares: 8,
      freedom: 8,
      iterations: 1,
    };
    // n = 8, K = 1: 8 · ln 1 + 2 + 4 ÷ 6.
    expectClose(correctedAkaike(fit), 2 + 4 / 6);
  });

  it("prefers the line to a constant, and to a cubic that follows the noise", () => {
    const [constant, line, cubic] = [0, 1, 3].map((degree) => correctedAkaike(polynomial(degree)) as number);
    expect(line).toBeLessThan(constant as number);
    expect(line).toBeLessThan(cubic as number);
    expect(polynomial(3).weightedSquares).toBeLessThan(polynomial(1).weightedSquares);
  });

  it("does not exist with too few observations or without any residual", () => {
    expect(correctedAkaike({ ...polynomial(1), freedom: 1 })).toBeUndefined();
    expect(correctedAkaike({ ...polynomial(1), weightedSquares: 0 })).toBeUndefined();
  });
});
