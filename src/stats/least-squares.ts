/**
 * Weighted non-linear least squares: the parameters that make Σ w·(y − f(x, θ))² least, by the method
 * of Levenberg and Marquardt. D. W. Marquardt, "An algorithm for least-squares estimation of nonlinear
 * parameters", Journal of the Society for Industrial and Applied Mathematics 11 (1963).
 *
 * Bounds are kept by projection: a parameter that its bound holds back is left out of the step. A
 * transform (squares, sines) would do it with less code, but its slope is 0 on the bound, and "no
 * serial share at all", s = 0, is an answer that scaling laws do give.
 */
import { assert } from "../core/assert.ts";
import { choleskyFactor, choleskySolve } from "./cholesky.ts";
import type { Fit } from "./fit-result.ts";
import { convergedFit } from "./fit-result.ts";
import type { CurveProblem, NormalEquations, Parameter, Point } from "./linearised-model.ts";
import { evaluate, normalEquations } from "./linearised-model.ts";
import { tooFew } from "./no-answer.ts";

/** A well-posed law of three parameters takes about ten; what needs more does not settle. */
const MOST_ITERATIONS = 200;

/** Damping starts between Gauss–Newton (0) and a short step downhill (large). */
const FIRST_DAMPING = 1e-3;
const LEAST_DAMPING = 1e-12;
const MOST_DAMPING = 1e12;
const DAMPING_FACTOR = 10;

/** Cosine between the residuals and the nearest direction that a parameter can move the model in. */
const FLAT_COSINE = 1e-10;
/** What slopes by difference and rounding may leave of it where no step goes down. */
const NEARLY_FLAT_COSINE = 1e-5;

/** A step that moves no parameter by more than this share of it. */
const SMALLEST_STEP = 1e-13;

/** Residuals below this share of the values are what rounding leaves of a perfect fit. */
const ROUNDING_SHARE = 1e-14;

/** Never throws for data that cannot be fitted: `kind` says whether and why not. */
export function fitLeastSquares<Input>(problem: CurveProblem<Input>): Fit {
  const count = problem.parameters.length;
  if (problem.observations.length < count) return tooFew(count);
  assertSound(problem);
  const start = Float64Array.from(problem.parameters, (parameter) => parameter.start);
  const first = evaluate(problem, start);
  return first === undefined ? { kind: "model-undefined", parameters: [...start] } : settle(problem, first);
}

function settle<Input>(problem: CurveProblem<Input>, first: Point): Fit {
  let point = first;
  const floor = roundingFloor(problem);
  let damping = FIRST_DAMPING;
  for (let iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
    const equations = normalEquations(problem, point);
    if (equations === undefined) return { kind: "model-undefined", parameters: [...point.parameters] };
    const free = freeParameters(problem, point, equations);
    if (point.squares <= floor || isFlat(point, equations, free, FLAT_COSINE))
      return convergedFit(problem, point, equations, free, iteration);
    const better = descend(problem, point, equations, free, damping);
    if (better === undefined) {
      // No step goes down any further. At a minimum the digits of the sum of squares are used up.
      if (!isFlat(point, equations, free, NEARLY_FLAT_COSINE)) return notConverged(point, iteration);
      return convergedFit(problem, point, equations, free, iteration);
    }
    const still = hardlyMoved(point.parameters, better.point.parameters);
    point = better.point;
    damping = Math.max(better.damping / DAMPING_FACTOR, LEAST_DAMPING);
    if (still) return convergedFit(problem, point, equations, free, iteration + 1);
  }
  return notConverged(point, MOST_ITERATIONS);
}

function notConverged({ parameters, squares }: Point, iterations: number): Fit {
  return { kind: "not-converged", parameters: [...parameters], weightedSquares: squares, iterations };
}

function assertSound<Input>({ observations, parameters }: CurveProblem<Input>): void {
  for (const { start, low = -Infinity, high = Infinity } of parameters)
    assert(low <= start && start <= high && low < high, "a parameter starts within its bounds");
  for (const { value, weight = 1 } of observations)
    assert(
      Number.isFinite(value) && weight > 0 && weight < Infinity,
      "an observation and its weight are finite",
    );
}

function roundingFloor<Input>({ observations }: CurveProblem<Input>): number {
  return observations.reduce((sum, { value, weight = 1 }) => sum + weight * (ROUNDING_SHARE * value) ** 2, 0);
}

/** Those that may move: not on a bound that the way down would cross, and with any effect on the model. */
function freeParameters<Input>(
  { parameters }: CurveProblem<Input>,
  point: Point,
  { descent, matrix }: NormalEquations,
): number[] {
  return parameters.flatMap(({ low, high }, index) => {
    const value = point.parameters[index] as number;
    const downhill = descent[index] as number;
    const held = (value === low && downhill <= 0) || (value === high && downhill >= 0);
    return held || matrix[index * parameters.length + index] === 0 ? [] : [index];
  });
}

function isFlat(
  point: Point,
  { descent, matrix }: NormalEquations,
  free: readonly number[],
  cosine: number,
): boolean {
  const size = descent.length;
  return free.every((index) => {
    const length = Math.sqrt((matrix[index * size + index] as number) * point.squares);
    return Math.abs(descent[index] as number) <= cosine * length;
  });
}

/** Raises the damping until a step lowers the sum of squares. */
function descend<Input>(
  problem: CurveProblem<Input>,
  point: Point,
  equations: NormalEquations,
  free: readonly number[],
  firstDamping: number,
): { readonly point: Point; readonly damping: number } | undefined {
  for (let damping = firstDamping; damping <= MOST_DAMPING; damping *= DAMPING_FACTOR) {
    const step = dampedStep(equations, free, damping);
    if (step === undefined) continue;
    const moved = Float64Array.from(point.parameters);
    free.forEach((index, place) => {
      const { low = -Infinity, high = Infinity } = problem.parameters[index] as Parameter;
      const value = (moved[index] as number) + (step[place] as number);
      moved[index] = Math.min(Math.max(value, low), high);
    });
    const next = evaluate(problem, moved);
    if (next !== undefined && next.squares < point.squares) return { point: next, damping };
  }
  return undefined;
}

/** (JᵀJ + damping · diag JᵀJ) · step = Jᵀr over the free parameters: Marquardt's scaling knows no units. */
function dampedStep(
  { matrix, descent }: NormalEquations,
  free: readonly number[],
  damping: number,
): Float64Array | undefined {
  const size = descent.length;
  const damped = new Float64Array(free.length ** 2);
  free.forEach((from, row) =>
    free.forEach((to, column) => {
      const factor = row === column ? 1 + damping : 1;
      damped[row * free.length + column] = (matrix[from * size + to] as number) * factor;
    }),
  );
  const factor = choleskyFactor(damped, free.length);
  return (
    factor &&
    choleskySolve(
      factor,
      Float64Array.from(free, (index) => descent[index] as number),
    )
  );
}

function hardlyMoved(before: Float64Array, after: Float64Array): boolean {
  return before.every(
    (value, index) =>
      Math.abs((after[index] as number) - value) <=
      SMALLEST_STEP * Math.max(Math.abs(value), Math.abs(after[index] as number)),
  );
}
