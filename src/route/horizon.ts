/**
 * Planning with a limited view, again after every step. Depth counts layers including the one that
 * is ready: 1 sees only ready tasks, 3 the whole of a chain of three. Flat plans the job once.
 */
import type { DecidedStep, Decision, Planner } from "./planner.ts";
import type { RouteJob } from "./route-job.ts";
import type { RouteProblem } from "./route-table.ts";

export type HorizonDepth = number | "flat";

/** What a step of a job is decided from, and what was decided. */
export interface PlannedStep {
  /** All that the planner saw; its first step is the one to carry out. */
  readonly problem: RouteProblem;
  readonly decision: Decision;
  readonly tasks: readonly number[];
  readonly step: DecidedStep;
}

/** Steps that still have something to do, and of them only that. */
export function remainingSteps(
  job: Pick<RouteJob, "steps">,
  done: ReadonlySet<number>,
): readonly (readonly number[])[] {
  return job.steps
    .map((tasks) => tasks.filter((task) => !done.has(task)))
    .filter((tasks) => tasks.length > 0);
}

/**
 * The next step of a job of which some tasks are done, from what is really loaded now. Nothing, when
 * all is done. After a failure the caller makes the job again without the model and asks again.
 */
export async function planNext(
  planner: Planner,
  job: Pick<RouteJob, "steps" | "table">,
  depth: HorizonDepth,
  now: { readonly done: ReadonlySet<number>; readonly resident: readonly number[] },
): Promise<PlannedStep | undefined> {
  const left = remainingSteps(job, now.done);
  const [tasks] = left;
  if (tasks === undefined) return undefined;
  const steps = depth === "flat" ? left : left.slice(0, depth);
  const problem = { table: job.table, steps, resident: now.resident };
  const decision = await planner.plan(problem);
  const [step] = decision.steps;
  return step === undefined ? undefined : { problem, decision, tasks, step };
}

/** The whole job as it goes when every step is carried out as planned. Flat asks the planner once. */
export async function planAhead(
  planner: Planner,
  job: Pick<RouteJob, "steps" | "table">,
  depth: HorizonDepth,
  resident: readonly number[] = [],
): Promise<readonly PlannedStep[]> {
  const planned: PlannedStep[] = [];
  const done = new Set<number>();
  let loaded = resident;
  for (;;) {
    const next = await planNext(planner, job, depth, { done, resident: loaded });
    if (next === undefined) return planned;
    if (depth === "flat")
      return next.problem.steps.map((tasks, place) => ({
        ...next,
        tasks,
        step: next.decision.steps[place] as DecidedStep,
      }));
    planned.push(next);
    for (const task of next.tasks) done.add(task);
    loaded = next.step.resident;
  }
}
