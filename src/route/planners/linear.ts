/**
 * Study 004's linear program as it was published, to compare with: all tasks of the horizon at once,
 *
 *     max Σ x_tm u_tm − λ_switch Σ c_m y_m,   Σ_m x_tm = 1,   x_tm ≤ y_m,   Σ v_m y_m ≤ G,
 *
 * with x and y anywhere in [0, 1] and no order of time. Each task then goes to the model with the
 * largest share of it, and that model is loaded whole: parts of models that fit together become
 * models that do not.
 */
import { assert } from "../../core/assert.ts";
import { residentWith } from "../plan.ts";
import type { DecidedStep, Decision, Planner } from "../planner.ts";
import type { RouteProblem, RouteTable } from "../route-table.ts";
import { memoryOf, worthAt } from "../route-table.ts";
import type { LinearProgram, LinearSolver } from "../solver/linear-program.ts";
import { ProgramBuilder } from "../solver/linear-program.ts";

/** Shares that differ by less are equal: the solver's own tolerance is 10⁻⁷. */
const SHARE_TOLERANCE = 1e-6;

export function linearPlanner(solver: LinearSolver): Planner {
  return { name: "lp", plan: (problem) => linearDecision(problem, solver) };
}

export interface Relaxation {
  readonly program: LinearProgram;
  /** The column of y by model. */
  readonly loaded: readonly number[];
  /** The column of x by task and model. */
  readonly given: ReadonlyMap<number, readonly (number | undefined)[]>;
}

export function relaxation({ table, steps, resident }: RouteProblem): Relaxation {
  assert(table.combine === "sum", "the published program has a sum for its objective");
  const builder = new ProgramBuilder();
  const models = [...table.models.keys()];
  const loaded = models.map((model) =>
    builder.column(resident.includes(model) ? 0 : -(table.loadPrice[model] as number)),
  );
  const given = new Map(
    steps.flat().map((task) => [
      task,
      models.map((model) => {
        const worth = worthAt(table, task, model);
        return worth === Number.NEGATIVE_INFINITY ? undefined : builder.column(worth);
      }),
    ]),
  );
  for (const columns of given.values()) {
    const taken = columns.flatMap((column, model) => (column === undefined ? [] : [{ column, model }]));
    builder.exactly(
      1,
      taken.map(({ column }) => [column, 1]),
    );
    for (const { column, model } of taken)
      builder.atMost(0, [
        [column, 1],
        [loaded[model] as number, -1],
      ]);
  }
  builder.atMost(
    table.budgetMib,
    models.map((model) => [loaded[model] as number, memoryOf(table, model)]),
  );
  return { program: builder.build(), loaded, given };
}

async function linearDecision(problem: RouteProblem, solver: LinearSolver): Promise<Decision> {
  const { program, given } = relaxation(problem);
  const answer = await solver.solve(program);
  // Where no mixture of models has room, the published method has no answer; it never starts with its own jobs.
  const values = answer.kind === "infeasible" ? undefined : answer.values;
  let before = problem.resident;
  const steps = problem.steps.map((tasks): DecidedStep => {
    const models = tasks.map((task) => largestShare(problem.table, task, given.get(task) ?? [], values));
    before = residentWith(problem.table, new Set(models), before);
    return { models, resident: before };
  });
  return {
    steps,
    proof: { kind: "heuristic" },
    ...(values === undefined && { fallback: "the best model of each task: the program has no solution" }),
  };
}

/** Of equal shares the model that is worth more, then the first. */
function largestShare(
  table: RouteTable,
  task: number,
  columns: readonly (number | undefined)[],
  values: Float64Array | undefined,
): number {
  const share = (model: number): number =>
    columns[model] === undefined ? -1 : ((values?.[columns[model]] as number | undefined) ?? 0);
  return [...columns.keys()].reduce((best, model) => {
    const lead = share(model) - share(best);
    if (Math.abs(lead) > SHARE_TOLERANCE) return lead > 0 ? model : best;
    return worthAt(table, task, model) > worthAt(table, task, best) ? model : best;
  });
}
