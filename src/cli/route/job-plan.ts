/** One job planned by one planner, with what the views say about it. */
import type { Clock } from "../../core/clock.ts";
import { defined } from "../../core/assert.ts";
import { randomStream } from "../../core/random.ts";
import { nsToMs } from "../../core/units.ts";
import type { HorizonDepth, PlannedStep } from "../../route/horizon.ts";
import { planAhead } from "../../route/horizon.ts";
import type { PlanAccount } from "../../route/plan.ts";
import { accountOf } from "../../route/plan.ts";
import type { Planner } from "../../route/planner.ts";
import { plannerOf } from "../../route/planners/registry.ts";
import type { RouteJob } from "../../route/route-job.ts";
import type { LinearSolver } from "../../route/solver/linear-program.ts";

export interface JobPlan {
  readonly planner: string;
  readonly depth: HorizonDepth;
  readonly job: RouteJob;
  readonly planned: readonly PlannedStep[];
  readonly account: PlanAccount;
  /** Wall time of all solves of the job. */
  readonly solveMs: number;
}

export interface PlanningParts {
  readonly solver: LinearSolver;
  readonly seed: number;
  readonly depth: HorizonDepth;
  readonly clock: Clock;
  readonly interrupted: AbortSignal;
}

/** From an empty GPU. Throws the signal's reason between two steps. */
export async function planJob(name: string, job: RouteJob, parts: PlanningParts): Promise<JobPlan> {
  const { clock, depth, interrupted } = parts;
  const planner = plannerFor(name, parts, job.graph.name);
  const interruptible: Planner = {
    name,
    plan: (problem) => {
      interrupted.throwIfAborted();
      return planner.plan(problem);
    },
  };
  const startNs = clock.nowNs();
  const planned = await planAhead(interruptible, job, depth);
  const solveMs = nsToMs(clock.nowNs() - startNs);
  interrupted.throwIfAborted();
  const steps = planned.map(({ step }) => step);
  return { planner: name, depth, job, planned, account: accountOf({ ...job, resident: [] }, steps), solveMs };
}

/** A planner that draws has a stream for each job, so that a job's plan does not depend on those before it. */
export function plannerFor(
  name: string,
  { solver, seed }: Pick<PlanningParts, "solver" | "seed">,
  job: string,
): Planner {
  return plannerOf(name, { solver, stream: randomStream(seed, "route", job) });
}

export function modelName({ table }: RouteJob, model: number): string {
  return defined(table.models[model], "model").name;
}

export function fits({ account, job }: JobPlan): boolean {
  return account.peakMib <= job.table.budgetMib;
}

/** What a planner said of one solve, in figures of its own problem. */
export interface SolveNote {
  /** Counted from 1, as steps are shown. */
  readonly step: number;
  readonly proof: PlannedStep["decision"]["proof"];
  readonly fallback?: string;
  readonly runnerUp?: {
    /** By task of the step. */
    readonly models: readonly string[];
    readonly tasks: readonly string[];
    /** How much less its whole plan is worth; of a makespan, seconds more. */
    readonly gap: number;
  };
}

/** One per solve: a plan made in one shot has one, whatever its number of steps. */
export function solveNotes({ job, planned }: JobPlan): readonly SolveNote[] {
  return planned.flatMap(({ problem, decision }, place): readonly SolveNote[] => {
    if (decision === planned[place - 1]?.decision) return [];
    const { proof, fallback, runnerUp } = decision;
    return [
      {
        step: place + 1,
        proof,
        ...(fallback !== undefined && { fallback }),
        ...(runnerUp !== undefined && {
          runnerUp: {
            tasks: (problem.steps[0] ?? []).map((task) => defined(job.table.taskIds[task], "task")),
            models: runnerUp.models.map((model) => modelName(job, model)),
            gap: accountOf(problem, decision.steps).value - runnerUp.value,
          },
        }),
      },
    ];
  });
}
