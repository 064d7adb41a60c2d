/** A model at one point of its parameters: residuals, and how each parameter moves them. */
export interface Observation<Input> {
  readonly input: Input;
  readonly value: number;
  /** 1 ÷ variance of the value, or anything proportional to it; 1 when absent. */
  readonly weight?: number;
}

export interface Parameter {
  readonly start: number;
  readonly low?: number;
  readonly high?: number;
}

export interface CurveProblem<Input> {
  readonly observations: readonly Observation<Input>[];
  /** Parameters of about the same size, 0.001 to 1,000, suit the numeric slopes best. */
  readonly parameters: readonly Parameter[];
  readonly model: (input: Input, parameters: Float64Array) => number;
  /** ∂model/∂parameter for each parameter; without it, slopes are differences. */
  readonly slopes?: (input: Input, parameters: Float64Array) => readonly number[];
}

export interface Point {
  readonly parameters: Float64Array;
  /** √w · (y − f). */
  readonly residuals: Float64Array;
  /** Σ w · (y − f)². */
  readonly squares: number;
}

export interface NormalEquations {
  /** JᵀJ, row by row, J being the slopes times √w. */
  readonly matrix: Float64Array;
  /** Jᵀr: the way in which the sum of squares falls. */
  readonly descent: Float64Array;
}

/** The cube root of a double's precision: where the two errors of a central difference are equal. */
const DIFFERENCE_SHARE = 6e-6;

/** A parameter of 0 is moved as if it had this size. */
const LEAST_SIZE = 1e-3;

/** `undefined` where the model is not a number for some observation. */
export function evaluate<Input>(problem: CurveProblem<Input>, parameters: Float64Array): Point | undefined {
  const { observations, model } = problem;
  const residuals = new Float64Array(observations.length);
  let squares = 0;
  let index = 0;
  for (const { input, value, weight = 1 } of observations) {
    const residual = Math.sqrt(weight) * (value - model(input, parameters));
    residuals[index++] = residual;
    squares += residual * residual;
  }
  return Number.isFinite(squares) ? { parameters, residuals, squares } : undefined;
}

/** `undefined` where a slope is not a number. */
export function normalEquations<Input>(
  problem: CurveProblem<Input>,
  point: Point,
): NormalEquations | undefined {
  const { observations, parameters, slopes } = problem;
  const size = parameters.length;
  const matrix = new Float64Array(size * size);
  const descent = new Float64Array(size);
  let index = 0;
  for (const { input, weight = 1 } of observations) {
    const row = slopes?.(input, point.parameters) ?? differences(problem, input, point.parameters);
    const residual = Math.sqrt(weight) * (point.residuals[index++] as number);
    for (let j = 0; j < size; j++) {
      const slope = row[j] as number;
      if (!Number.isFinite(slope)) return undefined;
      descent[j] = (descent[j] as number) + slope * residual;
      for (let k = 0; k < size; k++)
        matrix[j * size + k] = (matrix[j * size + k] as number) + weight * slope * (row[k] as number);
    }
  }
  return { matrix, descent };
}

/** Central differences, one-sided on a bound, so that the model is never asked outside of its domain. */
function differences<Input>(
  { parameters, model }: CurveProblem<Input>,
  input: Input,
  values: Float64Array,
): number[] {
  const moved = Float64Array.from(values);
  return parameters.map(({ low = -Infinity, high = Infinity }, index) => {
    const value = values[index] as number;
    const reach = DIFFERENCE_SHARE * Math.max(Math.abs(value), LEAST_SIZE);
    const above = Math.min(value + reach, high);
    const below = Math.max(value - reach, low);
    moved[index] = above;
    const upper = model(input, moved);
    moved[index] = below;
    const lower = model(input, moved);
    moved[index] = value;
    return (upper - lower) / (above - below);
  });
}
