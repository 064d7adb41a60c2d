/** `slipway route plan`: files and flags to plans, without loading anything. */
import { resolve } from "node:path";
import { z } from "zod";
import { readYamlFile, parseWith } from "../../core/yaml.ts";
import { Estimator } from "../../route/estimator.ts";
import { modelFileSchema } from "../../route/model-file.ts";
import { highestPrice, routeJob } from "../../route/route-job.ts";
import { solverInWorker } from "../../route/solver/worker-solver.ts";
import type { Job, TaskGraph } from "../../workload/task-graph.ts";
import { benchmarkSchema, jobSchema, taskGraph } from "../../workload/task-graph.ts";
import type { CliIo, ExitCode } from "../io.ts";
import { shownPath } from "../shown-path.ts";
import { renderComparison } from "./compare-view.ts";
import type { RawPlanFlags } from "./flags.ts";
import { budgetMibOf, horizonOf, objectiveOf, plannersOf, seedOf } from "./flags.ts";
import type { JobPlan } from "./job-plan.ts";
import { plannerFor, planJob } from "./job-plan.ts";
import { planDocument } from "./plan-document.ts";
import { renderPlan } from "./plan-view.ts";

const PAGE = "docs/route.md";

/** Everything is read and checked, and every job known to be feasible, before the first planner is asked. */
export async function runPlan(jobFile: string, flags: RawPlanFlags, io: CliIo): Promise<ExitCode> {
  const objective = objectiveOf(flags);
  const depth = horizonOf(flags);
  const seed = seedOf(flags);
  const file = readYamlFile(modelFileSchema, resolve(io.cwd, flags.models), PAGE);
  const budgetMib = budgetMibOf(flags, file.vramMib);
  const { models } = file;
  const names = plannersOf(
    flags,
    objective,
    models.map(({ name }) => name),
  );
  const graphs = readGraphs(jobFile, io);
  const estimator = new Estimator(models);
  const priceOfOne = highestPrice(graphs, models, estimator);
  const jobs = graphs.map((graph) =>
    routeJob({ graph, models, estimator, budgetMib, objective, priceOfOne }),
  );
  const solver = solverInWorker(io.clock);
  const stopSolving = (): void => void solver.close();
  io.interrupted.addEventListener("abort", stopSolving, { once: true });
  try {
    const parts = { solver, seed, depth, clock: io.clock, interrupted: io.interrupted };
    // All names are tried first: a slip in the last one should not cost the work of the others.
    for (const name of names) plannerFor(name, parts, "");
    const plans: (readonly JobPlan[])[] = [];
    for (const name of names) {
      const ofPlanner: JobPlan[] = [];
      for (const job of jobs) ofPlanner.push(await planJob(name, job, parts));
      plans.push(ofPlanner);
    }
    io.out(shown(plans, flags, io));
    return 0;
  } finally {
    io.interrupted.removeEventListener("abort", stopSolving);
    await solver.close();
  }
}

function shown(plans: readonly (readonly JobPlan[])[], flags: RawPlanFlags, io: CliIo): string {
  if (flags.json === true) return `${JSON.stringify({ plans: plans.flat().map(planDocument) }, null, 2)}\n`;
  if (flags.compare !== undefined) return `${renderComparison(plans, io.outColumns)}\n`;
  const texts = plans.flat().map((plan) => renderPlan(plan, io.outColumns));
  return `${texts.join("\n\n")}\n`;
}

function readGraphs(jobFile: string, io: CliIo): readonly TaskGraph[] {
  const path = resolve(io.cwd, jobFile);
  const content = readYamlFile(z.unknown(), path, PAGE);
  // Of the two forms the one that is meant, so that a complaint is about its fields.
  const isBenchmark = typeof content === "object" && content !== null && "jobs" in content;
  const jobs: readonly Job[] = isBenchmark
    ? parseWith(benchmarkSchema, content, path, PAGE).jobs
    : [parseWith(jobSchema, content, path, PAGE)];
  return jobs.map((job) =>
    taskGraph(job, isBenchmark ? `${shownPath(path, io.cwd)}, job ${job.name}` : shownPath(path, io.cwd)),
  );
}
