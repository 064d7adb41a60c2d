/**
 * Study 004's jobs on its models within its 8 GB, λ_token 0.5 and λ_switch 0.2. Its priors, prices and
 * lengths are not published; those of the example files are chosen, and nothing else is.
 */
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readYamlFile } from "../../core/yaml.ts";
import { benchmarkSchema, taskGraph } from "../../workload/task-graph.ts";
import { Estimator } from "../estimator.ts";
import type { HorizonDepth } from "../horizon.ts";
import { planAhead } from "../horizon.ts";
import { modelFileSchema } from "../model-file.ts";
import type { PlanAccount } from "../plan.ts";
import { accountOf } from "../plan.ts";
import type { Planner } from "../planner.ts";
import { highestPrice, routeJob } from "../route-job.ts";
import { routeTable } from "../route-table.ts";
import { loadHighsSolver } from "../solver/highs-solver.ts";
import { countViolations } from "../violations.ts";
import { exactPlanner } from "./exact.ts";
import { linearPlanner, relaxation } from "./linear.ts";

const example = (path: string): string =>
  fileURLToPath(new URL(`../../../examples/${path}`, import.meta.url));
const { models, vramMib: budgetMib = Number.NaN } = readYamlFile(
  modelFileSchema,
  example("route-models/swarm-router.yaml"),
);
const graphs = readYamlFile(benchmarkSchema, example("route-jobs/swarm-router.yaml")).jobs.map((job) =>
  taskGraph(job),
);
const estimator = new Estimator(models);
const priceOfOne = highestPrice(graphs, models, estimator);
const objective = { kind: "utility", lambdaToken: 0.5, lambdaSwitch: 0.2 } as const;

interface StudyRun {
  readonly routes: readonly (readonly (readonly string[])[])[];
  readonly accounts: readonly PlanAccount[];
}

/** Each job from an empty GPU. Routes by job, by step, by task. */
async function run(planner: Planner, depth: HorizonDepth): Promise<StudyRun> {
  const routes: (readonly (readonly string[])[])[] = [];
  const accounts: PlanAccount[] = [];
  for (const graph of graphs) {
    const job = routeJob({ graph, models, estimator, budgetMib, objective, priceOfOne });
    const steps = (await planAhead(planner, job, depth)).map(({ step }) => step);
    routes.push(
      steps.map((step) => step.models.map((model) => (models[model]?.name ?? "").split(/[:\d]/)[0] ?? "")),
    );
    accounts.push(accountOf({ ...job, resident: [] }, steps));
  }
  return { routes, accounts };
}

const allQwen = [
  [["qwen"], ["qwen"], ["qwen"]],
  [["qwen"], ["qwen", "qwen"]],
  [["qwen"], ["qwen"], ["qwen"]],
];

describe("the linear program of study 004", () => {
  it("at depth 1 takes the routes of run 152505 and its memory, by both metrics", async () => {
    const { routes, accounts } = await run(linearPlanner(await loadHighsSolver()), 1);
    expect(routes).toEqual([
      [["gemma"], ["phi"], ["qwen"]],
      [["qwen"], ["qwen", "qwen"]],
      [["gemma"], ["llama"], ["llama"]],
    ]);
    expect(accounts.map(({ peakMib }) => peakMib / 1024)).toEqual([12.5, 6.5, 8]);
    expect(accounts.map(({ sumDistinctMib }) => sumDistinctMib / 1024)).toEqual([21, 6.5, 10]);
    // 33.3 % of jobs by the peak, and the study's 66.7 % by the sum of distinct models.
    expect(countViolations(accounts, budgetMib)).toEqual({ jobs: 3, byPeak: 1, bySumOfDistinct: 2 });
  });

  it("at depth 3 and flat takes the routes of runs 234936 and 141650: one model for all, 6.5 GB", async () => {
    const lp = linearPlanner(await loadHighsSolver());
    for (const depth of [3, "flat"] as const) {
      const { routes, accounts } = await run(lp, depth);
      expect(routes).toEqual(allQwen);
      expect(accounts.map(({ sumDistinctMib }) => sumDistinctMib / 1024)).toEqual([6.5, 6.5, 6.5]);
      expect(countViolations(accounts, budgetMib)).toMatchObject({ byPeak: 0, bySumOfDistinct: 0 });
    }
  });

  it("holds 0.571 of phi4 and 0.429 of gemma2 in 8 GB, and loads phi4 whole", async () => {
    const graph = graphs[0] as (typeof graphs)[number];
    const { table } = routeJob({ graph, models, estimator, budgetMib, objective, priceOfOne });
    const problem = { table, steps: [[1]], resident: [0] };
    const { program, loaded } = relaxation(problem);
    const solver = await loadHighsSolver();
    const answer = await solver.solve(program);
    const shares = loaded.map((column) => (answer.kind === "optimal" ? answer.values[column] : undefined));
    // 12.5 y + 2 (1 − y) = 8.
    expect(shares[3]).toBeCloseTo(6 / 10.5, 6);
    expect(shares[0]).toBeCloseTo(4.5 / 10.5, 6);
    const { steps } = await linearPlanner(solver).plan(problem);
    expect(steps).toEqual([{ models: [3], resident: [3] }]);
  });

  it("is answered by the exact planner without a violation at any depth", async () => {
    for (const depth of [1, 2, 3, "flat"] as const) {
      const { accounts } = await run(exactPlanner(), depth);
      expect(countViolations(accounts, budgetMib).byPeak).toBe(0);
    }
  });

  it("goes to the best model of each task where no mixture has room, and says so", async () => {
    const table = routeTable({
      taskIds: ["t"],
      models: [{ name: "m", memoryMib: 9, switchCost: 1 }],
      budgetMib: 8,
      objective,
      options: [{ quality: 1, tokenCost: 0 }],
    });
    const decision = await linearPlanner(await loadHighsSolver()).plan({ table, steps: [[0]], resident: [] });
    expect(decision).toMatchObject({
      steps: [{ models: [0] }],
      fallback: expect.stringMatching(/no solution/) as string,
    });
  });
});
