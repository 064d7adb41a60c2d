/** Which tasks can be served at once: some set of models within the memory has one for each of them. */
import { defined } from "../core/assert.ts";
import type { RouteTable } from "./route-table.ts";
import { canTake, memoryOf, memoryOfAll } from "./route-table.ts";

/**
 * Whether the tasks can be served together by the models that are held and others beside them. The
 * task with the fewest choices is tried first; where every model takes every task it is the only one.
 */
export function canServe(table: RouteTable, tasks: readonly number[], held: ReadonlySet<number>): boolean {
  return serve(table, tasks, held, table.budgetMib - memoryOfAll(table, held));
}

function serve(
  table: RouteTable,
  tasks: readonly number[],
  held: ReadonlySet<number>,
  freeMib: number,
): boolean {
  if (freeMib < 0) return false;
  let fewest: readonly number[] | undefined;
  for (const task of tasks) {
    if (someTakes(table, task, held)) continue;
    const choices = table.models.flatMap((model, index) =>
      model.memoryMib <= freeMib && canTake(table, task, index) ? [index] : [],
    );
    if (choices.length === 0) return false;
    if (fewest === undefined || choices.length < fewest.length) fewest = choices;
  }
  return (
    fewest === undefined ||
    fewest.some((model) => serve(table, tasks, new Set([...held, model]), freeMib - memoryOf(table, model)))
  );
}

/** Whether these models, as they are, have one for the task. */
export function someTakes(table: RouteTable, task: number, models: ReadonlySet<number>): boolean {
  for (const model of models) if (canTake(table, task, model)) return true;
  return false;
}

/** Tasks that no model can do within the memory, whatever else is loaded. */
export function infeasibleTasks(table: RouteTable): readonly number[] {
  return [...table.taskIds.keys()].filter(
    (task) => !table.models.some((_model, index) => canTake(table, task, index)),
  );
}

/**
 * Layers as steps: one whose tasks need more models at once than fit becomes several, each task in
 * the first of them that can still serve it.
 */
export function stepsOf(
  table: RouteTable,
  layers: readonly (readonly number[])[],
): readonly (readonly number[])[] {
  return layers.flatMap((layer) => {
    if (canServe(table, layer, new Set())) return [layer];
    const steps: number[][] = [];
    for (const task of layer) {
      const place = steps.findIndex((step) => canServe(table, [...step, task], new Set()));
      if (place < 0) steps.push([task]);
      else defined(steps[place], "step").push(task);
    }
    return steps;
  });
}
