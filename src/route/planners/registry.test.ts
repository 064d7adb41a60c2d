import { describe, expect, it } from "vitest";
import { randomProblem } from "../../../test/fakes/route-instances.ts";
import { randomStream } from "../../core/random.ts";
import { loadHighsSolver } from "../solver/highs-solver.ts";
import { plannerOf } from "./registry.ts";

describe("planners by name", () => {
  it("all plan the same problem, and are called what they were asked for as", async () => {
    const solver = await loadHighsSolver();
    const ask = (): Promise<unknown> => Promise.resolve("nothing of use");
    const problem = randomProblem(randomStream(1, "registry"), { models: 4, steps: 3, tasksPerStep: 2 });
    for (const name of ["exact", "lp", "llm", "greedy", "random", "fixed:m0"]) {
      const planner = plannerOf(name, { solver, ask, stream: randomStream(1, "random") });
      expect(planner.name).toBe(name);
      expect((await planner.plan(problem)).steps).toHaveLength(problem.steps.length);
    }
  });

  it("that do not exist are refused with those that do, and llm without a model to ask", async () => {
    const parts = { solver: await loadHighsSolver(), stream: randomStream(1) };
    for (const name of ["best", "fixed:", "fixed", "toString"])
      expect(() => plannerOf(name, parts)).toThrow(
        expect.objectContaining({ code: "FLAG_INVALID", received: name }),
      );
    expect(() => plannerOf("llm", parts)).toThrow(/ask/);
  });
});

describe("a random planner", () => {
  it("draws the same plan from the same seed, and another from another", async () => {
    const size = { models: 4, steps: 3, tasksPerStep: 3, exactly: true };
    const problem = randomProblem(randomStream(4, "draws"), size);
    const solver = await loadHighsSolver();
    const plan = async (seed: number): Promise<unknown> =>
      (await plannerOf("random", { solver, stream: randomStream(seed) }).plan(problem)).steps;
    expect(await plan(1)).toEqual(await plan(1));
    expect(await plan(1)).not.toEqual(await plan(2));
  });
});
