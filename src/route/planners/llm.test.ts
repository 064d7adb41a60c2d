import { describe, expect, it } from "vitest";
import { accountOf } from "../plan.ts";
import type { RouteProblem } from "../route-table.ts";
import { routeTable } from "../route-table.ts";
import { greedyDecision } from "./greedy.ts";
import { llmPlanner, routingPrompt } from "./llm.ts";

const options = [0.5, 0.9, 0.6, 0.4].map((quality) => ({ quality, tokenCost: 0.5 }));

function problemOf(given: readonly ({ quality: number; tokenCost: number } | undefined)[]): RouteProblem {
  const table = routeTable({
    taskIds: ["a", "b"],
    models: [
      { name: "small", memoryMib: 2, switchCost: 1 },
      { name: "large", memoryMib: 9, switchCost: 1 },
    ],
    budgetMib: 8,
    objective: { kind: "utility", lambdaToken: 0.5, lambdaSwitch: 0.2 },
    options: given,
  });
  return { table, steps: [[0], [1]], resident: [0] };
}
const problem = problemOf(options);

const assign = (...pairs: readonly (readonly [string, string])[]): unknown => ({
  assignments: pairs.map(([task, model]) => ({ task, model })),
});

describe("a language model as planner", () => {
  it("is taken at its word, as an object or as JSON in a text with anything around it", async () => {
    const answer = assign(["a", "small"], ["b", "small"]);
    for (const said of [
      answer,
      JSON.stringify(answer),
      `Sure:\n\`\`\`json\n${JSON.stringify(answer)}\n\`\`\``,
    ]) {
      const planner = llmPlanner(() => Promise.resolve(said));
      const decision = await planner.plan(problem);
      expect(decision.steps.map(({ models }) => models)).toEqual([[0], [0]]);
      expect(decision.fallback).toBeUndefined();
      expect(planner.counts).toEqual({ asked: 1, invalid: 0, failed: 0 });
    }
  });

  it("that chooses what does not fit has a violation of its own, which is counted and not mended", async () => {
    const decision = await llmPlanner(() => Promise.resolve(assign(["a", "large"], ["b", "small"]))).plan(
      problem,
    );
    expect(accountOf(problem, decision.steps)).toMatchObject({ peakMib: 9, switches: 2 });
  });

  it.each([
    ["no JSON", "I would use the small one."],
    ["broken JSON", '{"assignments": ['],
    ["another shape", { a: "small" }],
    ["a model that is not there", assign(["a", "small"], ["b", "medium"])],
    ["a task left out", assign(["a", "small"])],
    ["a task given twice", assign(["a", "small"], ["a", "small"], ["b", "small"])],
    ["a task that is not there", assign(["a", "small"], ["b", "small"], ["c", "small"])],
    ["nothing", undefined],
  ])("that answers with %s is replaced by greedy, and counted", async (_what, said) => {
    const planner = llmPlanner(() => Promise.resolve(said));
    const decision = await planner.plan(problem);
    expect(decision.steps).toEqual(greedyDecision(problem).steps);
    expect(decision.fallback).toMatch(/^greedy: /);
    expect(planner.counts).toEqual({ asked: 1, invalid: 1, failed: 0 });
  });

  it("may not give a task to a model that is not given such tasks", async () => {
    const partly = problemOf(options.with(1, undefined as never));
    const planner = llmPlanner(() => Promise.resolve(assign(["a", "large"], ["b", "small"])));
    expect((await planner.plan(partly)).fallback).toMatch(/task a is not given/);
  });

  it("that does not answer is replaced too, and counted apart", async () => {
    const planner = llmPlanner(() => Promise.reject(new Error("connection reset")));
    expect((await planner.plan(problem)).fallback).toBe("greedy: connection reset");
    expect(planner.counts).toEqual({ asked: 1, invalid: 0, failed: 1 });
  });

  it("is told everything that the other planners know, and nothing of their answers", () => {
    const prompt = routingPrompt(problem);
    const data: unknown = JSON.parse(prompt.slice(prompt.indexOf("\n\n{") + 2));
    expect(data).toEqual({
      memoryBudgetMib: 8,
      models: [
        { name: "small", memoryMib: 2, loaded: true, switchCost: 1 },
        { name: "large", memoryMib: 9, loaded: false, switchCost: 1 },
      ],
      steps: [
        [
          {
            task: "a",
            models: [
              { model: "small", ...options[0] },
              { model: "large", ...options[1] },
            ],
          },
        ],
        [
          {
            task: "b",
            models: [
              { model: "small", ...options[2] },
              { model: "large", ...options[3] },
            ],
          },
        ],
      ],
    });
    expect(prompt).toMatch(/0\.5 × tokenCost, less 0\.2 × switchCost/);
  });
});
