import { describe, expect, it } from "vitest";
import { randomStream } from "../core/random.ts";
import { parseWith } from "../core/yaml.ts";
import type { TaskGraph } from "../workload/task-graph.ts";
import { jobSchema, taskGraph } from "../workload/task-graph.ts";
import { Estimator } from "./estimator.ts";
import type { RoutedModel } from "./model-file.ts";
import { modelFileSchema } from "./model-file.ts";
import type { JobSettings } from "./route-job.ts";
import { criticalPathOf, routeJob } from "./route-job.ts";
import { exactPlanner } from "./planners/exact.ts";
import { accountOf } from "./plan.ts";

const half = { alpha: 1, beta: 1 };

function modelsOf(...given: readonly Record<string, unknown>[]): readonly RoutedModel[] {
  return parseWith(modelFileSchema, { models: given }, "test").models;
}

function graphOf(...tasks: readonly Record<string, unknown>[]): TaskGraph {
  return taskGraph(parseWith(jobSchema, { name: "j", tasks }, "test"));
}

function settings(
  models: readonly RoutedModel[],
  graph: TaskGraph,
  more: Partial<JobSettings> = {},
): JobSettings {
  return {
    models,
    graph,
    estimator: new Estimator(models),
    budgetMib: 8192,
    objective: { kind: "utility", lambdaToken: 0, lambdaSwitch: 0.2 },
    ...more,
  };
}

const small = { name: "small", memoryMib: 2048, quality: { math: half, code: half } };
const large = { name: "large", memoryMib: 12800, quality: { math: half, reasoning: half } };

describe("a plan for time", () => {
  // A fork: 100 tokens read at 100/s and 10 written at 10/s or 50/s; or 40 written.
  const fast = { ...small, name: "fast", loadS: 6, prefillTokensPerS: 100, decodeTokensPerS: 50 };
  const slow = { ...small, name: "slow", loadS: 0.5, prefillTokensPerS: 100, decodeTokensPerS: 10 };
  const sizes = { promptTokens: 100, outputTokens: 10 };
  const fork = graphOf(
    { id: "s0", type: "code", ...sizes },
    { id: "s1", type: "math", needs: ["s0"], ...sizes },
    { id: "s2", type: "math", needs: ["s0"], promptTokens: 100, outputTokens: 40 },
  );

  it("loads the faster model only where that pays, and names the critical path", async () => {
    const job = routeJob(settings(modelsOf(fast, slow), fork, { objective: { kind: "makespan" } }));
    const problem = { ...job, resident: [] };
    const account = accountOf(problem, (await exactPlanner().plan(problem)).steps);
    // Slow throughout: 0.5 + 2 + max(2, 5). Fast would be 6 + 1.2 + 1.8; both, no better than 0.5 + 2 + 6 + 1.8.
    expect(account.seconds).toBeCloseTo(7.5, 6);
    expect(criticalPathOf(job, account)).toEqual({ tasks: [0, 2], seconds: 7 });
    const ready = { ...job, resident: [0] };
    expect(accountOf(ready, (await exactPlanner().plan(ready)).steps).seconds).toBeCloseTo(3, 6);
  });

  it("leaves out models that are not good enough", () => {
    const better = { ...fast, name: "better", quality: { math: { alpha: 3, beta: 1 }, code: half } };
    const objective = { kind: "makespan", leastQuality: 0.6 } as const;
    expect(() => routeJob(settings(modelsOf(better, slow), fork, { objective }))).toThrow(/s0 \(code\)/);
  });
});

describe("a job as a table", () => {
  it("names the tasks that no model can hold, before anything is planned", () => {
    const graph = graphOf(
      { id: "s0", type: "math" },
      { id: "s1", type: "reasoning" },
      { id: "s2", type: "art" },
    );
    expect(() => routeJob(settings(modelsOf(small, large), graph))).toThrow(
      expect.objectContaining({
        code: "TASK_INFEASIBLE",
        message: expect.stringMatching(/s1 \(reasoning\), s2 \(art\)$/) as string,
        received: "small 2048 MiB, large 12800 MiB",
      }),
    );
  });

  it("is made again without a model that failed", () => {
    const graph = graphOf({ id: "s0", type: "math" });
    const models = modelsOf(small, { ...small, name: "other" });
    const job = routeJob(settings(models, graph, { excluded: new Set(["small"]) }));
    expect(job.table.models.map(({ name }) => name)).toEqual(["other"]);
    expect(() => routeJob(settings(models, graph, { excluded: new Set(["small", "other"]) }))).toThrow(
      expect.objectContaining({ code: "TASK_INFEASIBLE" }),
    );
  });

  it("divides prices by the largest of the job, so that λ has a scale", () => {
    const graph = graphOf({ id: "s0", type: "math", promptTokens: 1000, outputTokens: 500 });
    const models = modelsOf(
      { ...small, tokenPrice: { prompt: 1, output: 2 } },
      { ...small, name: "dear", tokenPrice: { prompt: 4, output: 8 } },
    );
    const objective = { kind: "utility", lambdaToken: 0.5, lambdaSwitch: 0 } as const;
    const { table } = routeJob(settings(models, graph, { objective }));
    expect(table.options.map((option) => option?.tokenCost)).toEqual([0.25, 1]);
    expect([...table.worth]).toEqual([0.5 - 0.125, 0]);
  });

  it("refuses to count what nobody knows", () => {
    const sized = graphOf({ id: "s0", type: "math", promptTokens: 10, outputTokens: 10 });
    const objective = { kind: "utility", lambdaToken: 0.5, lambdaSwitch: 0 } as const;
    expect(() => routeJob(settings(modelsOf(small), sized, { objective }))).toThrow(
      expect.objectContaining({
        code: "ESTIMATE_MISSING",
        message: expect.stringMatching(/costs.*s0.*small/) as string,
      }),
    );
    const fast = { ...small, prefillTokensPerS: 100, decodeTokensPerS: 10 };
    const time = { objective: { kind: "makespan" } } as const;
    expect(() => routeJob(settings(modelsOf(small), sized, time))).toThrow(/how long a task takes/);
    expect(() => routeJob(settings(modelsOf(fast), sized, time))).toThrow(/small takes to load/);
    const { table } = routeJob(settings(modelsOf({ ...fast, loadS: 2 }), sized, time));
    // 10 / 100 + 10 / 10 seconds.
    expect(table.worth[0]).toBeCloseTo(-1.1, 8);
  });

  it("makes several steps of a layer whose models do not fit together", async () => {
    const models = modelsOf(
      { name: "a", memoryMib: 5000, quality: { math: half } },
      { name: "b", memoryMib: 5000, quality: { code: half } },
    );
    const graph = graphOf({ id: "m0", type: "math" }, { id: "c0", type: "code" }, { id: "m1", type: "math" });
    const job = routeJob(settings(models, graph));
    expect(job.steps).toEqual([[0, 2], [1]]);
    expect(routeJob(settings(models, graph, { budgetMib: 10_000 })).steps).toEqual([[0, 1, 2]]);
    const problem = { ...job, resident: [] };
    const account = accountOf(problem, (await exactPlanner().plan(problem)).steps);
    expect(account).toMatchObject({ peakMib: 5000, sumDistinctMib: 10_000, switches: 2 });
  });

  it("draws qualities instead of their means only when it is told to explore", () => {
    const graph = graphOf({ id: "s0", type: "math" });
    const drawn = (seed: number): number | undefined =>
      routeJob(settings(modelsOf(small), graph, { explore: randomStream(seed, "thompson") })).table.options[0]
        ?.quality;
    expect(routeJob(settings(modelsOf(small), graph)).table.options[0]?.quality).toBe(0.5);
    expect(drawn(1)).toBe(drawn(1));
    expect(drawn(1)).not.toBe(drawn(2));
  });
});
