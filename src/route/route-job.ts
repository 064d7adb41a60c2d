/** A task graph, models and estimates as one table; what cannot be planned is named here, before anything runs. */
import { OperatorError } from "../core/errors.ts";
import type { RandomStream } from "../core/random.ts";
import type { CriticalPath, TaskGraph } from "../workload/task-graph.ts";
import { criticalPath } from "../workload/task-graph.ts";
import { betaMean, betaSd, drawBeta } from "./beta.ts";
import type { Estimator, TaskEstimate } from "./estimator.ts";
import type { RoutedModel } from "./model-file.ts";
import type { PlanAccount } from "./plan.ts";
import type { Objective, RouteOption, RouteTable } from "./route-table.ts";
import { routeTable } from "./route-table.ts";
import { infeasibleTasks, stepsOf } from "./serve-together.ts";

export interface RouteJob {
  readonly graph: TaskGraph;
  readonly table: RouteTable;
  /** Layers, or parts of layers where memory cannot serve one at once. */
  readonly steps: readonly (readonly number[])[];
}

export interface JobSettings {
  readonly graph: TaskGraph;
  readonly models: readonly RoutedModel[];
  readonly estimator: Estimator;
  readonly budgetMib: number;
  readonly objective: Objective;
  /** Names of models that failed, and are not to be used again. */
  readonly excluded?: ReadonlySet<string>;
  /**
   * The price that counts as a token cost of 1; absent: the highest of this job. Jobs that are compared
   * are given the highest of all of them (highestPrice), so that λ_token weighs the same in each.
   */
  readonly priceOfOne?: number;
  /** Thompson sampling: qualities are drawn instead of taken at their mean. */
  readonly explore?: RandomStream;
}

/**
 * Throws ESTIMATE_MISSING where the objective needs a figure that is unknown, and TASK_INFEASIBLE
 * with the tasks that no model can hold.
 */
export function routeJob(settings: JobSettings): RouteJob {
  const { graph, estimator, budgetMib, objective } = settings;
  const models = settings.models.filter(({ name }) => settings.excluded?.has(name) !== true);
  const estimates = graph.tasks.flatMap((task) => models.map(({ name }) => estimator.estimate(name, task)));
  refuseUnknown(settings, models, estimates);
  const highest = settings.priceOfOne ?? highestOf(estimates);
  const table = routeTable({
    taskIds: graph.tasks.map(({ id }) => id),
    models: models.map(({ name, memoryMib, switchCost }) => {
      const loadS = estimator.loadS(name);
      return { name, memoryMib, switchCost, ...(loadS !== undefined && { loadS }) };
    }),
    budgetMib,
    objective,
    options: estimates.map((estimate) => estimate && optionOf(estimate, highest, settings.explore)),
  });
  const infeasible = infeasibleTasks(table);
  if (infeasible.length > 0) throw infeasibleError(settings, table, infeasible);
  return { graph, table, steps: stepsOf(table, graph.layers) };
}

/** What the dearest task costs on its dearest model, over several jobs. */
export function highestPrice(
  graphs: readonly TaskGraph[],
  models: readonly RoutedModel[],
  estimator: Estimator,
): number {
  return highestOf(
    graphs.flatMap(({ tasks }) =>
      tasks.flatMap((task) => models.map(({ name }) => estimator.estimate(name, task))),
    ),
  );
}

function highestOf(estimates: readonly (TaskEstimate | undefined)[]): number {
  return estimates.reduce((highest, estimate) => Math.max(highest, estimate?.price ?? 0), 0);
}

function optionOf(
  { quality, price, seconds }: TaskEstimate,
  highest: number,
  explore: RandomStream | undefined,
): RouteOption {
  return {
    quality: explore === undefined ? betaMean(quality) : drawBeta(quality, explore),
    qualitySd: betaSd(quality),
    tokenCost: highest === 0 ? 0 : (price ?? 0) / highest,
    ...(seconds !== undefined && { seconds }),
  };
}

function refuseUnknown(
  { graph, objective, estimator }: JobSettings,
  models: readonly RoutedModel[],
  estimates: readonly (TaskEstimate | undefined)[],
): void {
  const needed = objective.kind === "makespan" ? "seconds" : objective.lambdaToken > 0 ? "price" : undefined;
  if (needed === undefined) return;
  const place = estimates.findIndex((estimate) => estimate !== undefined && estimate[needed] === undefined);
  const speeds = needed === "seconds";
  const loadless = speeds ? models.find(({ name }) => estimator.loadS(name) === undefined) : undefined;
  if (place < 0 && loadless === undefined) return;
  const what = speeds ? "how long a task takes" : "what a task costs";
  const task = graph.tasks[Math.floor(place / models.length)]?.id;
  throw new OperatorError("ESTIMATE_MISSING", {
    message:
      place < 0
        ? `how long model ${loadless?.name} takes to load is not known`
        : `${what} is not known for task ${task} on model ${models[place % models.length]?.name}`,
    nextStep: speeds
      ? "give loadS, prefillTokensPerS and decodeTokensPerS of the model and promptTokens and outputTokens of the task"
      : "give tokenPrice of the model and promptTokens and outputTokens of the task, or plan with a λ_token of 0",
  });
}

/** The chain of tasks that decides how long the job takes on the models of a plan, when loads take no time. */
export function criticalPathOf({ graph, table }: RouteJob, { steps }: PlanAccount): CriticalPath | undefined {
  const durationsS = graph.tasks.map((): number | undefined => undefined);
  for (const { tasks, models } of steps)
    for (const [index, task] of tasks.entries())
      durationsS[task] = table.options[task * table.models.length + (models[index] as number)]?.seconds;
  return criticalPath(graph, durationsS);
}

function infeasibleError({ graph }: JobSettings, table: RouteTable, tasks: readonly number[]): OperatorError {
  const names = tasks.map((task) => `${graph.tasks[task]?.id} (${graph.tasks[task]?.type})`);
  const sizes = table.models.map(({ name, memoryMib }) => `${name} ${memoryMib} MiB`);
  return new OperatorError("TASK_INFEASIBLE", {
    message: `${names.length === 1 ? "a task" : `${names.length} tasks`} of job ${graph.name} can be done by no model within ${table.budgetMib} MiB: ${names.slice(0, 5).join(", ")}`,
    received: sizes.join(", "),
    nextStep: "raise the memory budget, or give a model that fits it a quality for the type",
  });
}
