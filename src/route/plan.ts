/** What a decision amounts to: its value term by term, its loads, and the memory it takes. */
import type { DecidedStep } from "./planner.ts";
import type { RouteProblem, RouteTable } from "./route-table.ts";
import { memoryOf, memoryOfAll, worthAt } from "./route-table.ts";

export interface StepAccount extends DecidedStep {
  readonly tasks: readonly number[];
  readonly loads: readonly number[];
  readonly unloads: readonly number[];
  readonly residentMib: number;
  /** Loads one after another, then all tasks side by side; absent where some of it is unknown. */
  readonly seconds?: number;
}

export interface PlanAccount {
  readonly steps: readonly StepAccount[];
  /** What the objective counts. */
  readonly value: number;
  readonly quality: number;
  readonly tokenCost: number;
  readonly switches: number;
  /** Switches, each times its model's cost. */
  readonly switchCost: number;
  readonly seconds?: number;
  /** The most that is loaded at any step. */
  readonly peakMib: number;
  /** All models that the plan uses, as if they were loaded together: the study's first metric. */
  readonly sumDistinctMib: number;
}

/**
 * Value and memory of any planner's steps, by the same rules for all: a switch is a model that is
 * loaded in a step and was not in the one before, and branches of a step run side by side, on one
 * model too, since servers have slots.
 */
export function accountOf(problem: RouteProblem, decided: readonly DecidedStep[]): PlanAccount {
  const { table } = problem;
  const steps: StepAccount[] = [];
  const used = new Set<number>();
  let before = problem.resident;
  let [value, quality, tokenCost, switches, switchCost] = [0, 0, 0, 0, 0];
  for (const [place, step] of decided.entries()) {
    const tasks = problem.steps[place] ?? [];
    const loads = step.resident.filter((model) => !before.includes(model));
    const account = { ...step, tasks, loads, unloads: missing(before, step.resident) };
    const seconds = secondsOf(table, account);
    steps.push({
      ...account,
      residentMib: memoryOfAll(table, step.resident),
      ...(seconds !== undefined && { seconds }),
    });
    value += stepWorth(table, tasks, step.models);
    for (const model of loads) {
      value -= table.loadPrice[model] as number;
      switchCost += table.models[model]?.switchCost ?? 0;
    }
    switches += loads.length;
    for (const [index, task] of tasks.entries()) {
      const option = table.options[task * table.models.length + (step.models[index] as number)];
      quality += option?.quality ?? 0;
      tokenCost += option?.tokenCost ?? 0;
      used.add(step.models[index] as number);
    }
    before = step.resident;
  }
  const total = sumOfKnown(steps.map((step) => step.seconds));
  return {
    steps,
    value,
    quality,
    tokenCost,
    switches,
    switchCost,
    ...(total !== undefined && { seconds: total }),
    peakMib: Math.max(0, ...steps.map((step) => step.residentMib)),
    sumDistinctMib: memoryOfAll(table, used),
  };
}

/** What the tasks of a step are worth together on these models. */
export function stepWorth(table: RouteTable, tasks: readonly number[], models: readonly number[]): number {
  const worths = tasks.map((task, index) => worthAt(table, task, models[index] as number));
  return table.combine === "sum" ? worths.reduce((sum, worth) => sum + worth, 0) : Math.min(...worths);
}

/**
 * What is loaded at a step that needs `used`: those, and of what was loaded before whatever still
 * fits beside them, in the order of the models. Where `used` alone is too much, nothing else is kept.
 */
export function residentWith(
  table: RouteTable,
  used: ReadonlySet<number>,
  before: readonly number[],
): readonly number[] {
  let freeMib = table.budgetMib - memoryOfAll(table, used);
  const kept = [...before]
    .sort((a, b) => a - b)
    .filter((model) => {
      if (used.has(model) || memoryOf(table, model) > freeMib) return false;
      freeMib -= memoryOf(table, model);
      return true;
    });
  return [...used, ...kept].sort((a, b) => a - b);
}

function missing(before: readonly number[], after: readonly number[]): readonly number[] {
  return before.filter((model) => !after.includes(model));
}

function secondsOf(
  table: RouteTable,
  { tasks, models, loads }: Pick<StepAccount, "tasks" | "models" | "loads">,
): number | undefined {
  const loadsS = sumOfKnown(loads.map((model) => table.models[model]?.loadS));
  const tasksS = tasks.map(
    (task, index) => table.options[task * table.models.length + (models[index] as number)]?.seconds,
  );
  if (loadsS === undefined || tasksS.some((seconds) => seconds === undefined)) return undefined;
  return loadsS + Math.max(0, ...(tasksS as number[]));
}

function sumOfKnown(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce<number | undefined>(
    (sum, value) => (sum === undefined || value === undefined ? undefined : sum + value),
    0,
  );
}
