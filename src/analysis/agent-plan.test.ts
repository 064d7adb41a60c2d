import { describe, expect, it } from "vitest";
import { cellsOf } from "../workload/matrix.ts";
import { scenarioSchema } from "../workload/scenario.ts";
import { agentPlan } from "./agent-plan.ts";

describe("the plan behind a run", () => {
  const spec = scenarioSchema.parse({
    name: "paced",
    endpoints: { a: { url: "http://127.0.0.1:1" } },
    agents: [
      { name: "steady", program: "synthetic", endpoint: "a" },
      { name: "paced", program: "synthetic", endpoint: "a", cadence: { everyMs: 2_000 } },
    ],
    contentionThresholdMs: 500,
  });

  it("is found inside of what a manifest keeps", () => {
    const plan = agentPlan({ scenario: JSON.parse(JSON.stringify(spec)), seed: 5, corpus: "sample" });
    expect(plan.everyMs(cellsOf(spec)[0]?.hash ?? "", "paced")).toBe(2_000);
    expect(plan.contentionThresholdMs).toBe(500);
  });

  it("gives each agent's start-to-start cadence and the contention threshold", () => {
    const plan = agentPlan(JSON.parse(JSON.stringify(spec)));
    const hash = cellsOf(spec)[0]?.hash ?? "";
    expect(plan.everyMs(hash, "paced")).toBe(2_000);
    expect(plan.everyMs(hash, "steady")).toBeUndefined();
    expect(plan.contentionThresholdMs).toBe(500);
  });

  it("knows nothing of a specification that is not a scenario", () => {
    const plan = agentPlan({ imported: true });
    expect([plan.contentionThresholdMs, plan.everyMs("x", "y")]).toEqual([undefined, undefined]);
  });
});
