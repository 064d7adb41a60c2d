/**
 * The whole problem as a mixed-integer program, for sizes at which sets cannot be listed:
 *
 *     y_sm ∈ {0, 1}: m is loaded at step s;   z_sm ≥ y_sm − y_(s−1)m: it was loaded for s;
 *     x_tm ≤ y_sm: t goes to m;   Σ_m x_tm = 1;   Σ_m v_m y_sm ≤ G for every step.
 *
 * With y whole, x is whole by itself: a task goes to the best model of those that are loaded. Where
 * the slowest task counts, a column per step is at most the worth of each of its tasks.
 */
import type { DecidedStep } from "../planner.ts";
import type { RouteProblem } from "../route-table.ts";
import { canTake, memoryOf, worthAt } from "../route-table.ts";
import type { LinearProgram, RowEntry } from "../solver/linear-program.ts";
import { ProgramBuilder } from "../solver/linear-program.ts";
import { bestModel } from "./residency-dp.ts";

export interface ResidencyProgram {
  readonly program: LinearProgram;
  /** The same steps as values of all columns. */
  readonly startFrom: (steps: readonly DecidedStep[]) => Float64Array;
  /** Steps from values of columns; y is rounded, every task goes to the best model that is loaded. */
  readonly read: (values: Float64Array) => readonly DecidedStep[];
}

interface StepColumns {
  readonly loaded: readonly number[];
  readonly brought: readonly number[];
  /** By task of the step, then by model; absent where the model cannot take it. */
  readonly given: readonly (readonly (number | undefined)[])[];
  readonly slowest?: number;
}

export function residencyProgram(problem: RouteProblem): ResidencyProgram {
  const builder = new ProgramBuilder();
  const columns = problem.steps.map((tasks) => addColumns(builder, problem, tasks));
  for (const [step, tasks] of problem.steps.entries()) addRows(builder, problem, columns, step, tasks);
  const program = builder.build();
  return {
    program,
    startFrom: (steps) => startValues(problem, columns, steps, program.objective.length),
    read: (values) =>
      problem.steps.map((tasks, step) => {
        const resident = [...problem.table.models.keys()].filter(
          (model) => (values[columns[step]?.loaded[model] as number] as number) > 0.5,
        );
        return { resident, models: tasks.map((task) => bestModel(problem.table, task, resident)) };
      }),
  };
}

function addColumns(builder: ProgramBuilder, { table }: RouteProblem, tasks: readonly number[]): StepColumns {
  const models = [...table.models.keys()];
  const sum = table.combine === "sum";
  const fits = (model: number): boolean => memoryOf(table, model) <= table.budgetMib;
  return {
    loaded: models.map((model) => builder.column(0, { whole: true, upper: Number(fits(model)) })),
    brought: models.map((model) => builder.column(-(table.loadPrice[model] as number))),
    given: tasks.map((task) =>
      models.map((model) =>
        canTake(table, task, model) ? builder.column(sum ? worthAt(table, task, model) : 0) : undefined,
      ),
    ),
    ...(!sum && {
      slowest: builder.column(1, { lower: Number.NEGATIVE_INFINITY, upper: Number.POSITIVE_INFINITY }),
    }),
  };
}

function addRows(
  builder: ProgramBuilder,
  { table, resident }: RouteProblem,
  columns: readonly StepColumns[],
  step: number,
  tasks: readonly number[],
): void {
  const { loaded, brought, given, slowest } = columns[step] as StepColumns;
  const before = columns[step - 1]?.loaded;
  for (const [model, column] of loaded.entries()) {
    const was: readonly RowEntry[] = before === undefined ? [] : [[before[model] as number, -1]];
    const free = before === undefined && resident.includes(model) ? 1 : 0;
    builder.atMost(free, [[column, 1], [brought[model] as number, -1], ...was]);
  }
  builder.atMost(
    table.budgetMib,
    loaded.map((column, model) => [column, memoryOf(table, model)]),
  );
  for (const [index, task] of tasks.entries()) {
    const taken = (given[index] ?? []).flatMap((column, model) =>
      column === undefined ? [] : [{ column, model }],
    );
    builder.exactly(
      1,
      taken.map(({ column }) => [column, 1]),
    );
    for (const { column, model } of taken)
      builder.atMost(0, [
        [column, 1],
        [loaded[model] as number, -1],
      ]);
    if (slowest !== undefined)
      builder.atMost(0, [
        [slowest, 1],
        ...taken.map(({ column, model }): RowEntry => [column, -worthAt(table, task, model)]),
      ]);
  }
}

function startValues(
  { table, resident, steps: problemSteps }: RouteProblem,
  columns: readonly StepColumns[],
  steps: readonly DecidedStep[],
  length: number,
): Float64Array {
  const values = new Float64Array(length);
  let before = resident;
  for (const [step, decided] of steps.entries()) {
    const { loaded, brought, given, slowest } = columns[step] as StepColumns;
    const worths: number[] = [];
    for (const model of decided.resident) {
      values[loaded[model] as number] = 1;
      if (!before.includes(model)) values[brought[model] as number] = 1;
    }
    for (const [index, model] of decided.models.entries()) {
      values[given[index]?.[model] as number] = 1;
      worths.push(worthAt(table, problemSteps[step]?.[index] as number, model));
    }
    if (slowest !== undefined) values[slowest] = Math.min(...worths);
    before = decided.resident;
  }
  return values;
}
