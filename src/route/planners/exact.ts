/**
 * The best plan there is: residency whole and following time, loads charged from what is loaded now,
 * memory kept at every step. Three ways to it, by size; docs/route.md says which instances were measured.
 */
import { accountOf } from "../plan.ts";
import type { Decision, Planner, Proof } from "../planner.ts";
import type { RouteProblem } from "../route-table.ts";
import { canTake, memoryOf, worthAt } from "../route-table.ts";
import type { LinearSolver } from "../solver/linear-program.ts";
import { greedyDecision } from "./greedy.ts";
import { searchOneStep } from "./one-step-search.ts";
import { bestOverSets } from "./residency-dp.ts";
import { residencyProgram } from "./residency-program.ts";
import { residencySets } from "./residency-sets.ts";

/** Sets × (tasks + 2 · models · steps), the inner loops of the table of sets: about 20 ms. */
const MAX_SET_WORK = 16_000_000;

/** The same where the search of one step can take over: it needs some 10 ms, so the table should need less. */
const MAX_ONE_STEP_SET_WORK = 1_000_000;

/** Sets held in memory: with 20 models their table of neighbours takes 20 MB. */
const MAX_SETS = 2 ** 18;

/** Seconds for HiGHS where the caller sets none: a plan for a step should not cost more than the step. */
const DEFAULT_TIME_LIMIT_S = 10;

export interface ExactOptions {
  /** For problems that are too large for the other two; without one those go to greedy, and say so. */
  readonly solver?: LinearSolver;
  readonly timeLimitS?: number;
}

export function exactPlanner(options: ExactOptions = {}): Planner {
  return { name: "exact", plan: (problem) => exactDecision(problem, options) };
}

async function exactDecision(problem: RouteProblem, options: ExactOptions): Promise<Decision> {
  const { table, steps } = problem;
  const tasks = steps.flat();
  const models = [...table.models.keys()].filter(
    (model) =>
      memoryOf(table, model) <= table.budgetMib &&
      (problem.resident.includes(model) || tasks.some((task) => canTake(table, task, model))),
  );
  const searchable = steps.length === 1 && table.combine === "sum";
  const work = tasks.length + 2 * models.length * steps.length;
  const most = Math.floor((searchable ? MAX_ONE_STEP_SET_WORK : MAX_SET_WORK) / work);
  const sets = residencySets(table, models, Math.min(MAX_SETS, most));
  if (sets !== undefined) return bestOverSets(problem, sets);
  const found = searchable ? searchOneStep(problem) : undefined;
  return found ?? decisionByProgram(problem, options);
}

/** By HiGHS, from greedy's plan on: on a time-out there is always a plan, and the gap to what could be. */
export async function decisionByProgram(
  problem: RouteProblem,
  { solver, timeLimitS = DEFAULT_TIME_LIMIT_S }: ExactOptions,
): Promise<Decision> {
  const greedy = greedyDecision(problem);
  const greedyBecause = (reason: string): Decision => ({
    ...greedy,
    proof: boundedBy(easyUpper(problem), accountOf(problem, greedy.steps).value),
    fallback: `greedy: ${reason}`,
  });
  if (solver === undefined) return greedyBecause("too large for the other ways, and no solver was given");
  const { program, startFrom, read } = residencyProgram(problem);
  const answer = await solver.solve(program, { timeLimitS, start: startFrom(greedy.steps) });
  if (answer.kind === "optimal") return { steps: read(answer.values), proof: { kind: "optimal" } };
  if (answer.kind === "infeasible") return greedyBecause("the solver found no plan at all");
  if (answer.values === undefined) return greedyBecause(answer.reason);
  const steps = read(answer.values);
  const upper = Math.min(answer.upper ?? Number.POSITIVE_INFINITY, easyUpper(problem));
  return { steps, proof: boundedBy(upper, accountOf(problem, steps).value) };
}

function boundedBy(upper: number, value: number): Proof {
  return { kind: "bounded", upper, gap: upper <= value ? 0 : (upper - value) / Math.abs(value) };
}

/** Every task on the best model that fits at all, and no load at all: no plan is better. */
function easyUpper({ table, steps }: RouteProblem): number {
  const bestOf = (task: number): number =>
    Math.max(
      ...table.models.map((_model, model) =>
        canTake(table, task, model) ? worthAt(table, task, model) : Number.NEGATIVE_INFINITY,
      ),
    );
  return steps.reduce((sum, tasks) => {
    const best = tasks.map(bestOf);
    return sum + (table.combine === "sum" ? best.reduce((all, one) => all + one, 0) : Math.min(...best));
  }, 0);
}
