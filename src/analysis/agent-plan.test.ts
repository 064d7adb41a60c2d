import { describe, expect, it } from "vitest";
import { cellsOf } from "../workload/matrix.ts";
import { scenarioSchema } from "../workload/scenario.ts";
import { agentPlan, everyMsOf } from "./agent-plan.ts";

describe("the plan behind a run", () => {
  const spec = scenarioSchema.parse({
    name: "paced",
    endpoints: { a: { url: "http://127.0.0.1:1" } },
    agents: [
      { name: "steady", program: "synthetic", endpoint: "a" },
      { name: "paced", program: "synthetic", endpoint: "a", cadence: { everyMs: 2_000 } },
    ],
    agentCounts: [2, 1],
    contentionThresholdMs: 500,
  });
  const inFile = JSON.parse(JSON.stringify(spec)) as unknown;

  it("gives each agent's start-to-start cadence and the contention threshold", () => {
    const plan = agentPlan(inFile);
    const hash = cellsOf(spec)[0]?.hash ?? "";
    expect(everyMsOf(plan.agent(hash, "paced"))).toBe(2_000);
    expect(everyMsOf(plan.agent(hash, "steady"))).toBeUndefined();
    expect(plan.contentionThresholdMs).toBe(500);
  });

  it("is read from a manifest too, where the scenario stands beside seed and corpus", () => {
    const plan = agentPlan({ scenario: inFile, seed: 1, corpus: "sample", defaultModels: {} });
    expect(plan.contentionThresholdMs).toBe(500);
    expect(plan.cells).toHaveLength(2);
  });

  it("goes up a ladder, however its counts were written", () => {
    expect(agentPlan(inFile).cells.map((cell) => cell.agents.length)).toEqual([1, 2]);
  });

  it("knows nothing of a specification that is not a scenario", () => {
    const plan = agentPlan({ imported: true });
    expect([plan.contentionThresholdMs, plan.cells, plan.agent("x", "y")]).toEqual([
      undefined,
      [],
      undefined,
    ]);
  });
});
