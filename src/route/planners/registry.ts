/** Every planner by the name that an operator compares it under. */
import { OperatorError } from "../../core/errors.ts";
import type { RandomStream } from "../../core/random.ts";
import type { Planner } from "../planner.ts";
import type { LinearSolver } from "../solver/linear-program.ts";
import { exactPlanner } from "./exact.ts";
import { fixedPlanner } from "./fixed.ts";
import { greedyPlanner } from "./greedy.ts";
import { linearPlanner } from "./linear.ts";
import type { Ask } from "./llm.ts";
import { llmPlanner } from "./llm.ts";
import { randomPlanner } from "./random.ts";

const PLANNERS = {
  exact: ({ solver, timeLimitS }) =>
    exactPlanner({ solver, ...(timeLimitS !== undefined && { timeLimitS }) }),
  lp: ({ solver }) => linearPlanner(solver),
  llm: ({ ask }) => {
    if (ask !== undefined) return llmPlanner(ask);
    throw new OperatorError("FLAG_INVALID", {
      message: "the planner llm needs a model that it can ask",
      nextStep: "name an endpoint for it, or compare without llm",
    });
  },
  greedy: () => greedyPlanner,
  random: ({ stream }) => randomPlanner(stream),
} as const satisfies Readonly<Record<string, (parts: PlannerParts) => Planner>>;

/** What planners are made of. */
export interface PlannerParts {
  readonly solver: LinearSolver;
  readonly stream: RandomStream;
  readonly ask?: Ask;
  readonly timeLimitS?: number;
}

const FIXED = "fixed:";

/** By a name as in `exact,lp,fixed:gemma2:2b`. Throws FLAG_INVALID for any other. */
export function plannerOf(name: string, parts: PlannerParts): Planner {
  if (name.startsWith(FIXED) && name.length > FIXED.length) return fixedPlanner(name.slice(FIXED.length));
  if (isPlanner(name)) return PLANNERS[name](parts);
  throw new OperatorError("FLAG_INVALID", {
    message: "no planner has this name",
    received: name,
    nextStep: `choose from ${Object.keys(PLANNERS).join(", ")} and ${FIXED}<model>`,
  });
}

function isPlanner(name: string): name is keyof typeof PLANNERS {
  return Object.hasOwn(PLANNERS, name);
}
