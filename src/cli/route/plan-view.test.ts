import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../core/clock.ts";
import { Estimator } from "../../route/estimator.ts";
import type { Decision, Planner } from "../../route/planner.ts";
import { planAhead } from "../../route/horizon.ts";
import { routedModelSchema } from "../../route/model-file.ts";
import { accountOf } from "../../route/plan.ts";
import { routeJob } from "../../route/route-job.ts";
import { jobSchema, taskGraph } from "../../workload/task-graph.ts";
import { renderComparison } from "./compare-view.ts";
import type { JobPlan } from "./job-plan.ts";
import { planJob } from "./job-plan.ts";
import { renderPlan } from "./plan-view.ts";

const models = ["first", "second"].map((name) =>
  routedModelSchema.parse({ name, memoryMib: 1000, quality: { math: { alpha: 1, beta: 1 } } }),
);
const job = routeJob({
  graph: taskGraph(jobSchema.parse({ name: "sum", tasks: [{ id: "add", type: "math" }] })),
  models,
  estimator: new Estimator(models),
  budgetMib: 1000,
  objective: { kind: "utility", lambdaToken: 0, lambdaSwitch: 0.2 },
});

/** One task of quality 0.5 on the first model, which has to be loaded: 0.3. */
async function planWith(said: Omit<Decision, "steps">): Promise<JobPlan> {
  const planner: Planner = {
    name: "exact",
    plan: () => Promise.resolve({ steps: [{ models: [0], resident: [0] }], ...said }),
  };
  const planned = await planAhead(planner, job, "flat");
  const account = accountOf(
    { ...job, resident: [] },
    planned.map(({ step }) => step),
  );
  return { planner: "exact", depth: "flat", job, planned, account, solveMs: 0 };
}

/** 0.5 − 0.2 on the grid that worths lie on. */
const plannedValue = 0.5 - Math.round(0.2 * 2 ** 30) / 2 ** 30;

describe("why a plan is what it is", () => {
  it("states the gap of a search that ended early", async () => {
    const plan = await planWith({ proof: { kind: "bounded", upper: 0.33, gap: 0.1 } });
    expect(renderPlan(plan, 120)).toContain(
      "The search ended early: no plan is better by more than 10.00 %.",
    );
  });

  it("says that a tie went by the rules of ties", async () => {
    const runnerUp = { models: [1], value: plannedValue };
    const plan = await planWith({ proof: { kind: "optimal" }, runnerUp });
    expect(renderPlan(plan, 200)).toContain("Runner-up: add on second; as good, the tie went to what loads");
  });

  it("says that another planner stood in, for a plan and for a row", async () => {
    const plan = await planWith({ proof: { kind: "heuristic" }, fallback: "greedy: the solver failed" });
    expect(renderPlan(plan, 120)).toContain("Another planner stood in: greedy: the solver failed.");
    expect(renderComparison([[plan]], 120)).toContain("Another planner stood in for exact in sum.");
  });

  it("names no best planner where no plan can be carried out", async () => {
    const plan = await planWith({ proof: { kind: "heuristic" } });
    const over = { ...plan, account: { ...plan.account, peakMib: 1001 } };
    expect(renderComparison([[over]], 120)).toMatch(
      /^No planner's plans can all be carried out\.\nexact loads more than fits in sum\.\n/,
    );
  });
});

describe("planning a job", () => {
  it("asks the solver for nothing where the job is small, and takes no time on a clock that stands", async () => {
    const plan = await planJob("exact", job, {
      solver: { solve: () => Promise.reject(new Error("not for a job of this size")) },
      seed: 1,
      depth: 1,
      clock: new VirtualClock(),
      interrupted: new AbortController().signal,
    });
    expect(plan.account.value).toBeCloseTo(0.3, 8);
    expect(plan.solveMs).toBe(0);
  });
});
