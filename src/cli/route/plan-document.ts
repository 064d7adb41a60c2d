/** A plan as JSON. Names stand for models and tasks everywhere; what is unknown is absent. */
import { defined } from "../../core/assert.ts";
import { criticalPathOf } from "../../route/route-job.ts";
import type { JobPlan } from "./job-plan.ts";
import { fits, modelName, solveNotes } from "./job-plan.ts";

export function planDocument(plan: JobPlan): object {
  const { planner, depth, job, account, solveMs } = plan;
  const { budgetMib, objective, models, options, taskIds } = job.table;
  const names = (places: readonly number[]): readonly string[] =>
    places.map((model) => modelName(job, model));
  const path = criticalPathOf(job, account);
  const { steps, ...totals } = account;
  return {
    job: job.graph.name,
    planner,
    horizonDepth: depth,
    objective,
    budgetMib,
    fits: fits(plan),
    overBySumOfDistinct: account.sumDistinctMib > budgetMib,
    ...totals,
    steps: steps.map((step) => ({
      tasks: step.tasks.map((task, index) => {
        const { id, type, difficulty } = defined(job.graph.tasks[task], "task");
        const model = defined(step.models[index], "the task's model");
        return {
          id,
          type,
          difficulty,
          model: modelName(job, model),
          ...options[task * models.length + model],
        };
      }),
      resident: names(step.resident),
      loads: names(step.loads),
      unloads: names(step.unloads),
      residentMib: step.residentMib,
      ...(step.seconds !== undefined && { seconds: step.seconds }),
    })),
    solves: solveNotes(plan),
    ...(path !== undefined && {
      criticalPath: {
        tasks: path.tasks.map((task) => defined(taskIds[task], "task")),
        seconds: path.seconds,
      },
    }),
    solveMs,
  };
}
