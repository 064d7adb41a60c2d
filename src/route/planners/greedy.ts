/** Task by task, the best model that fits now; it never looks at the next step. */
import { assert } from "../../core/assert.ts";
import { residentWith } from "../plan.ts";
import type { DecidedStep, Decision, Planner } from "../planner.ts";
import type { RouteProblem, RouteTable } from "../route-table.ts";
import { canTake, memoryOf, memoryOfAll, worthAt } from "../route-table.ts";
import { canServe, someTakes } from "../serve-together.ts";

export const greedyPlanner: Planner = {
  name: "greedy",
  plan: (problem) => Promise.resolve(greedyDecision(problem)),
};

export function greedyDecision(problem: RouteProblem): Decision {
  return taskByTask(problem, ({ table, step, resident }, task, choices) => {
    const gain = (model: number): number =>
      worthAt(table, task, model) -
      (step.has(model) || resident.includes(model) ? 0 : (table.loadPrice[model] as number));
    return choices.reduce((best, model) => (gain(model) > gain(best) ? model : best));
  });
}

export interface StepSoFar {
  readonly table: RouteTable;
  /** Models that earlier tasks of the step were given. */
  readonly step: ReadonlySet<number>;
  /** What was loaded before the step. */
  readonly resident: readonly number[];
}

/**
 * Gives out tasks in their order, each to one of the models that leave room for those still to come:
 * whatever `choose` prefers, the plan fits the memory. Choices come in the order of the models, and there is always one.
 */
export function taskByTask(
  problem: RouteProblem,
  choose: (soFar: StepSoFar, task: number, choices: readonly number[]) => number,
): Decision {
  const { table } = problem;
  let { resident } = problem;
  const steps = problem.steps.map((tasks): DecidedStep => {
    const step = new Set<number>();
    const models = tasks.map((task, index) => {
      const choices = roomFor(table, step, task, tasks.slice(index + 1));
      assert(choices.length > 0, "a step whose tasks can be served together");
      const chosen = choose({ table, step, resident }, task, choices);
      step.add(chosen);
      return chosen;
    });
    resident = residentWith(table, step, resident);
    return { models, resident };
  });
  return { steps, proof: { kind: "heuristic" } };
}

function roomFor(
  table: RouteTable,
  step: ReadonlySet<number>,
  task: number,
  toCome: readonly number[],
): readonly number[] {
  const freeMib = table.budgetMib - memoryOfAll(table, step);
  // Mostly the models that are held do for all that is to come, and whatever joins them takes nothing away.
  const served = toCome.every((later) => someTakes(table, later, step));
  return table.models.flatMap((_model, model) => {
    if (!canTake(table, task, model)) return [];
    if (!step.has(model) && memoryOf(table, model) > freeMib) return [];
    return served || canServe(table, toCome, new Set([...step, model])) ? [model] : [];
  });
}
