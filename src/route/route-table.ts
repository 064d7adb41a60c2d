/**
 * A job as numbers: what each task is worth on each model, what a load costs, what fits. Every
 * planner reads the same table, so that plans differ by the planner alone.
 */
import { assert } from "../core/assert.ts";

/**
 * Utility: Σ (quality − λ_token · token cost) − λ_switch · switches, to be greatest. Makespan:
 * seconds until the last step is done, to be least, with models under `leastQuality` left out.
 */
export type Objective =
  | { readonly kind: "utility"; readonly lambdaToken: number; readonly lambdaSwitch: number }
  | { readonly kind: "makespan"; readonly leastQuality?: number };

export interface RouteModel {
  readonly name: string;
  readonly memoryMib: number;
  /** What a load counts as in the sum of switches. */
  readonly switchCost: number;
  readonly loadS?: number;
}

/** One task on one model. */
export interface RouteOption {
  readonly quality: number;
  /** How uncertain the quality is: one standard deviation. */
  readonly qualitySd?: number;
  /** Between 0 and 1: the price divided by the largest of the job. */
  readonly tokenCost: number;
  readonly seconds?: number;
}

export interface RouteTable {
  readonly taskIds: readonly string[];
  readonly models: readonly RouteModel[];
  readonly budgetMib: number;
  readonly objective: Objective;
  /** Of task t on model m at t · models + m; nothing where the model is not given the task. */
  readonly options: readonly (RouteOption | undefined)[];
  /** In the same order: what counts in the objective, −∞ where there is no option. */
  readonly worth: Float64Array;
  /** By model. */
  readonly loadPrice: Float64Array;
  /** A step is worth the sum of its tasks, or as much as its slowest. */
  readonly combine: "sum" | "slowest";
}

/**
 * Worths lie on this grid, so that their sums are exact whatever the order of adding, two plans tie
 * only when they really do, and planners of different kinds agree to the last bit. It is finer than
 * any estimate: 10⁻⁹ of a right answer, or of a second.
 */
export const WORTH_GRID = 2 ** -30;

function onGrid(value: number): number {
  return Math.round(value / WORTH_GRID) * WORTH_GRID;
}

/** Memory counts in whole KiB, sizes rounded up and budgets down, for the same reason: what fits does not depend on the order of adding. */
const KIB_PER_MIB = 1024;

export function routeTable(
  given: Pick<RouteTable, "taskIds" | "models" | "budgetMib" | "objective" | "options">,
): RouteTable {
  const { objective, options } = given;
  const models = given.models.map((model) => ({
    ...model,
    memoryMib: Math.ceil(model.memoryMib * KIB_PER_MIB) / KIB_PER_MIB,
  }));
  assert(options.length === models.length * given.taskIds.length, "an option for each task on each model");
  return {
    ...given,
    models,
    budgetMib: Math.floor(given.budgetMib * KIB_PER_MIB) / KIB_PER_MIB,
    combine: objective.kind === "utility" ? "sum" : "slowest",
    worth: Float64Array.from(options, (option) => worthOf(option, objective)),
    loadPrice: Float64Array.from(models, (model) =>
      onGrid(objective.kind === "utility" ? objective.lambdaSwitch * model.switchCost : (model.loadS ?? NaN)),
    ),
  };
}

function worthOf(option: RouteOption | undefined, objective: Objective): number {
  if (option === undefined) return Number.NEGATIVE_INFINITY;
  switch (objective.kind) {
    case "utility":
      return onGrid(option.quality - objective.lambdaToken * option.tokenCost);
    case "makespan":
      return option.seconds === undefined || option.quality < (objective.leastQuality ?? 0)
        ? Number.NEGATIVE_INFINITY
        : onGrid(-option.seconds);
  }
}

/** What is left to plan: steps of tasks in the order of time, and what is loaded before the first. */
export interface RouteProblem {
  readonly table: RouteTable;
  readonly steps: readonly (readonly number[])[];
  readonly resident: readonly number[];
}

export function worthAt(table: RouteTable, task: number, model: number): number {
  return table.worth[task * table.models.length + model] as number;
}

/** Whether the model can be given the task and fits the memory at all. */
export function canTake(table: RouteTable, task: number, model: number): boolean {
  return worthAt(table, task, model) > Number.NEGATIVE_INFINITY && memoryOf(table, model) <= table.budgetMib;
}

export function memoryOf(table: RouteTable, model: number): number {
  return (table.models[model] as RouteModel).memoryMib;
}

export function memoryOfAll(table: RouteTable, models: Iterable<number>): number {
  let sumMib = 0;
  for (const model of models) sumMib += memoryOf(table, model);
  return sumMib;
}
