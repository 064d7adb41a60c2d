/** One model for everything, as most people run today. A task that it cannot take goes to the best of those that can. */
import type { Planner } from "../planner.ts";
import { taskByTask } from "./greedy.ts";
import { bestModel } from "./residency-dp.ts";

export function fixedPlanner(name: string): Planner {
  return {
    name: `fixed:${name}`,
    plan: (problem) => {
      const model = problem.table.models.findIndex((one) => one.name === name);
      return Promise.resolve(
        taskByTask(problem, ({ table }, task, choices) =>
          choices.includes(model) ? model : bestModel(table, task, choices),
        ),
      );
    },
  };
}
