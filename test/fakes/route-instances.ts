/** Random routing problems, and the best plan of small ones by trying everything. */
import type { RandomStream } from "../../src/core/random.ts";
import type { Objective, RouteModel, RouteOption, RouteProblem } from "../../src/route/route-table.ts";
import { routeTable } from "../../src/route/route-table.ts";
import { stepsOf } from "../../src/route/serve-together.ts";

export interface InstanceSize {
  readonly models: number;
  readonly steps: number;
  readonly tasksPerStep: number;
  /** Exactly these numbers instead of up to them. */
  readonly exactly?: boolean;
  readonly objective?: Objective["kind"];
}

/**
 * The distribution: memory of 1 to 12 units of 512 MiB; a budget between one of the models,
 * which can take every task, and the sum of all; quality in steps of 0.05 and token cost in steps of 0.1, so
 * that ties are common; one option in ten missing; each model loaded beforehand with a chance of one
 * in three, whether that fits or not; λ_token of 0 or 0.5, λ_switch of 0, 0.05, 0.2 or 1, switch
 * costs of 0.5, 1 or 2; seconds from 0.5 to 20, loads from 0 to 10 s.
 */
export function randomProblem(stream: RandomStream, size: InstanceSize): RouteProblem {
  const upTo = (most: number): number => (size.exactly === true ? most : 1 + stream.integer(most));
  const models = Array.from(
    { length: upTo(size.models) },
    (_, place): RouteModel => ({
      name: `m${place}`,
      memoryMib: 512 * (1 + stream.integer(12)),
      switchCost: stream.pick([0.5, 1, 2]),
      loadS: stream.integer(21) / 2,
    }),
  );
  const all = models.reduce((sum, { memoryMib }) => sum + memoryMib, 0);
  const fits = stream.integer(models.length);
  const leastMib = models[fits]?.memoryMib as number;
  const budgetMib = leastMib + 512 * stream.integer(1 + (all - leastMib) / 512);
  const layers: number[][] = [];
  let tasks = 0;
  for (let layer = 0, count = upTo(size.steps); layer < count; layer++)
    layers.push(Array.from({ length: upTo(size.tasksPerStep) }, () => tasks++));
  const options = Array.from({ length: tasks * models.length }, (_, place): RouteOption | undefined =>
    // The model that fits takes everything, so that no task is infeasible.
    stream.integer(10) === 0 && place % models.length !== fits
      ? undefined
      : {
          quality: stream.integer(21) / 20,
          tokenCost: stream.integer(11) / 10,
          seconds: (1 + stream.integer(40)) / 2,
        },
  );
  const objective: Objective =
    size.objective === "makespan"
      ? { kind: "makespan" }
      : { kind: "utility", lambdaToken: stream.pick([0, 0.5]), lambdaSwitch: stream.pick([0, 0.05, 0.2, 1]) };
  const taskIds = Array.from({ length: tasks }, (_, place) => `t${place}`);
  const table = routeTable({ taskIds, models, budgetMib, objective, options });
  const resident = [...models.keys()].filter(() => stream.integer(3) === 0);
  return { table, steps: stepsOf(table, layers), resident };
}

/**
 * The most that any plan brings: every sequence of sets that fit, and at each step every assignment
 * to models of the set. Worked out from options and λ, not from the table's worths.
 */
export function bestByTryingAll({ table, steps, resident }: RouteProblem): number {
  const { models, objective } = table;
  const sets = Array.from({ length: 2 ** models.length }, (_, mask) =>
    models.flatMap((_model, place) => ((mask >> place) & 1 ? [place] : [])),
  ).filter((set) => set.reduce((sum, model) => sum + (models[model]?.memoryMib ?? 0), 0) <= table.budgetMib);
  const worthOf = (task: number, model: number): number => {
    const option = table.options[task * models.length + model];
    if (option === undefined) return Number.NEGATIVE_INFINITY;
    return objective.kind === "utility"
      ? option.quality - objective.lambdaToken * option.tokenCost
      : -(option.seconds ?? Number.NaN);
  };
  const stepBest = steps.map((tasks) =>
    Float64Array.from(sets, (set) => bestAssignment(tasks, set, worthOf, table.combine)),
  );
  const loadCost = (model: number): number =>
    objective.kind === "utility"
      ? objective.lambdaSwitch * (models[model]?.switchCost ?? 0)
      : (models[model]?.loadS ?? 0);
  const costBetween = (before: readonly number[]): Float64Array =>
    Float64Array.from(sets, (set) =>
      set.reduce((sum, model) => sum + (before.includes(model) ? 0 : loadCost(model)), 0),
    );
  const costs = sets.map(costBetween);
  // No memory of what was found before: every sequence is walked to its end.
  const from = (step: number, cost: Float64Array): number => {
    if (step === steps.length) return 0;
    const now = stepBest[step] as Float64Array;
    let best = Number.NEGATIVE_INFINITY;
    for (let set = 0; set < sets.length; set++) {
      if (now[set] === Number.NEGATIVE_INFINITY) continue;
      const after = step === steps.length - 1 ? 0 : from(step + 1, costs[set] as Float64Array);
      best = Math.max(best, (now[set] as number) - (cost[set] as number) + after);
    }
    return best;
  };
  return from(0, costBetween(resident));
}

function bestAssignment(
  tasks: readonly number[],
  set: readonly number[],
  worthOf: (task: number, model: number) => number,
  combine: "sum" | "slowest",
): number {
  let best = Number.NEGATIVE_INFINITY;
  const give = (index: number, soFar: number): void => {
    const task = tasks[index];
    if (task === undefined) {
      best = Math.max(best, soFar);
      return;
    }
    for (const model of set) {
      const worth = worthOf(task, model);
      give(index + 1, combine === "sum" ? soFar + worth : Math.min(soFar, worth));
    }
  };
  give(0, combine === "sum" ? 0 : Number.POSITIVE_INFINITY);
  return best;
}
