/**
 * HiGHS in this thread. A solve blocks until it ends: for the small programs of one step, and inside
 * the worker for everything else.
 */
import type { Highs, Model } from "highs";
import highs from "highs";
import type { LinearProgram, LinearSolver, SolveLimits, SolverAnswer } from "./linear-program.ts";

// The package's types are written for CommonJS, whose default is the module under nodenext; what is imported is the loader.
const loadHighs = highs as unknown as () => Promise<Highs>;

/**
 * A candidate is only looked for if it is better by this much, so an optimum is one up to it. HiGHS's
 * own default, 10⁻⁶, is wider than differences that a plan is chosen by.
 */
const TOLERANCE = 1e-9;

export async function loadHighsSolver(): Promise<LinearSolver> {
  const runtime = await loadHighs();
  return {
    solve: (program, limits = {}) =>
      Promise.resolve(runtime.withModel((model) => solveOnce(runtime, model, program, limits))),
  };
}

function solveOnce(
  { constants }: Highs,
  model: Model,
  program: LinearProgram,
  { timeLimitS, start }: SolveLimits,
): SolverAnswer {
  const numCols = program.objective.length;
  const numRows = program.rowLower.length;
  const { starts, indices, coefficients: values, rowLower, rowUpper } = program;
  const whole = program.whole.includes(1);
  model.options.set({
    output_flag: false,
    random_seed: 0,
    mip_rel_gap: 0,
    mip_abs_gap: 0,
    mip_feasibility_tolerance: TOLERANCE,
    ...(timeLimitS !== undefined && { time_limit: timeLimitS }),
  });
  model.passModel({
    numCols,
    numRows,
    sense: constants.objectiveSense.maximize,
    colCost: program.objective,
    colLower: program.lower,
    colUpper: program.upper,
    rowLower,
    rowUpper,
    matrix: { format: "csr", numRows, numCols, starts, indices, values },
    ...(whole && { integrality: Int32Array.from(program.whole) }),
  });
  if (start !== undefined) model.setSolution({ colValue: start });
  const { modelStatus } = model.run();
  if (modelStatus === constants.modelStatus.optimal)
    return {
      kind: "optimal",
      values: Float64Array.from(model.getSolution().colValue),
      objective: model.getObjectiveValue(),
    };
  if (modelStatus === constants.modelStatus.infeasible) return { kind: "infeasible" };
  return { kind: "stopped", reason: `HiGHS ended with status ${modelStatus}`, ...leftOf(model, whole) };
}

/** 2: a feasible point, in HiGHS's own numbering of solution states. */
const FEASIBLE = 2;

function leftOf(model: Model, whole: boolean): { readonly values?: Float64Array; readonly upper?: number } {
  const upper = whole ? Number(model.info.get("mip_dual_bound")) : Number.NaN;
  return {
    ...(Number(model.info.get("primal_solution_status")) === FEASIBLE && {
      values: Float64Array.from(model.getSolution().colValue),
    }),
    ...(Number.isFinite(upper) && { upper }),
  };
}
