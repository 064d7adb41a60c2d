/** One model for everything, as most people run today. A task that it cannot take goes to the best of those that can. */
import type { Planner } from "../planner.ts";
import { worthAt } from "../route-table.ts";
import { taskByTask } from "./greedy.ts";

export function fixedPlanner(model: number): Planner {
  return {
    name: "fixed",
    plan: (problem) =>
      Promise.resolve(
        taskByTask(problem, ({ table }, task, choices) =>
          choices.includes(model)
            ? model
            : choices.reduce((best, other) =>
                worthAt(table, task, other) > worthAt(table, task, best) ? other : best,
              ),
        ),
      ),
  };
}
