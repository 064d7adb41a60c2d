/** Any model that fits, by chance: what a planner must beat to be worth its name. */
import type { RandomStream } from "../../core/random.ts";
import type { Planner } from "../planner.ts";
import { taskByTask } from "./greedy.ts";

export function randomPlanner(stream: RandomStream): Planner {
  return {
    name: "random",
    plan: (problem) => Promise.resolve(taskByTask(problem, (_soFar, _task, choices) => stream.pick(choices))),
  };
}
