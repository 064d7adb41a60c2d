import { choleskyFactor, inverseDiagonal } from "./cholesky.ts";
import type { CurveProblem, NormalEquations, Point } from "./linearised-model.ts";
import type { TooFew } from "./no-answer.ts";

export interface FittedParameter {
  readonly value: number;
  /**
   * √(s² · (JᵀWJ)⁻¹), s² = weighted squares ÷ freedom; absent without freedom, and for a parameter on
   * its bound, where no such approximation holds. Others are then given that it stays there.
   */
  readonly standardError?: number;
  readonly bound: "none" | "low" | "high";
}

export interface ConvergedFit {
  readonly kind: "converged";
  readonly parameters: readonly FittedParameter[];
  /** Σ w · (y − f)². */
  readonly weightedSquares: number;
  /** Observations − parameters. */
  readonly freedom: number;
  /** 1 − weighted squares ÷ those about the weighted mean; absent where the values do not vary. */
  readonly explainedShare?: number;
  readonly iterations: number;
}

export type Fit =
  | ConvergedFit
  | {
      readonly kind: "not-converged";
      readonly parameters: readonly number[];
      readonly weightedSquares: number;
      readonly iterations: number;
    }
  /** The data do not tell these parameters apart: several sets of them fit equally well. */
  | {
      readonly kind: "undetermined";
      readonly parameters: readonly number[];
      readonly weightedSquares: number;
    }
  /** The model, or its slope, is not a number at these parameters. */
  | { readonly kind: "model-undefined"; readonly parameters: readonly number[] }
  | TooFew;

export function convergedFit<Input>(
  problem: CurveProblem<Input>,
  point: Point,
  { matrix }: NormalEquations,
  free: readonly number[],
  iterations: number,
): Fit {
  const { observations, parameters } = problem;
  const size = parameters.length;
  const inside = free.filter((index) => boundOf(problem, point, index) === "none");
  const kept = new Float64Array(inside.length ** 2);
  inside.forEach((from, row) =>
    inside.forEach((to, column) => {
      kept[row * inside.length + column] = matrix[from * size + to] as number;
    }),
  );
  const factor = choleskyFactor(kept, inside.length);
  // All parameters count here, also those on a bound: a direction without any slope has no answer in it.
  if (factor === undefined || choleskyFactor(matrix, size) === undefined)
    return { kind: "undetermined", parameters: [...point.parameters], weightedSquares: point.squares };
  const freedom = observations.length - size;
  const spread = inverseDiagonal(factor, inside.length);
  const explainedShare = explainedShareOf(problem, point);
  return {
    kind: "converged",
    parameters: parameters.map((_, index) => {
      const place = inside.indexOf(index);
      const known = place >= 0 && freedom > 0;
      return {
        value: point.parameters[index] as number,
        bound: boundOf(problem, point, index),
        ...(known && { standardError: Math.sqrt((point.squares / freedom) * (spread[place] as number)) }),
      };
    }),
    weightedSquares: point.squares,
    freedom,
    ...(explainedShare !== undefined && { explainedShare }),
    iterations,
  };
}

function boundOf<Input>(
  { parameters }: CurveProblem<Input>,
  point: Point,
  index: number,
): FittedParameter["bound"] {
  const value = point.parameters[index];
  if (value === parameters[index]?.low) return "low";
  return value === parameters[index]?.high ? "high" : "none";
}

function explainedShareOf<Input>({ observations }: CurveProblem<Input>, point: Point): number | undefined {
  const weights = observations.reduce((sum, { weight = 1 }) => sum + weight, 0);
  const centre = observations.reduce((sum, { value, weight = 1 }) => sum + weight * value, 0) / weights;
  const total = observations.reduce((sum, { value, weight = 1 }) => sum + weight * (value - centre) ** 2, 0);
  return total === 0 ? undefined : 1 - point.squares / total;
}

/**
 * Akaike's criterion with its small-sample correction, n·ln(squares ÷ n) + 2K + 2K(K + 1) ÷ (n − K − 1),
 * K = parameters + 1 for the variance: the law with the smallest value is best supported, and two that
 * differ by less than 2 are not told apart. C. M. Hurvich and C.-L. Tsai, Biometrika 76 (1989). Only
 * fits of the same observations with the same weights compare. `undefined` with too few observations,
 * and for a fit without any residual.
 */
export function correctedAkaike(fit: ConvergedFit): number | undefined {
  const n = fit.freedom + fit.parameters.length;
  const terms = fit.parameters.length + 1;
  if (n - terms - 1 <= 0 || fit.weightedSquares === 0) return undefined;
  return n * Math.log(fit.weightedSquares / n) + 2 * terms + (2 * terms * (terms + 1)) / (n - terms - 1);
}
