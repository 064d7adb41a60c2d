import { describe, expect, it } from "vitest";
import { randomProblem } from "../../test/fakes/route-instances.ts";
import { randomStream } from "../core/random.ts";
import type { PlannedStep } from "./horizon.ts";
import { planAhead, planNext, remainingSteps } from "./horizon.ts";
import { accountOf } from "./plan.ts";
import { exactPlanner } from "./planners/exact.ts";
import { greedyPlanner } from "./planners/greedy.ts";
import type { RouteProblem } from "./route-table.ts";
import { routeTable } from "./route-table.ts";

const exact = exactPlanner();

function valueOf(problem: RouteProblem, planned: readonly PlannedStep[]): number {
  return accountOf(
    problem,
    planned.map(({ step }) => step),
  ).value;
}

describe("a horizon", () => {
  it("that sees the whole job is as good as planning it once, and a shorter one is never better", async () => {
    let worse = 0;
    for (let seed = 0; seed < 300; seed++) {
      const stream = randomStream(seed, "horizon");
      const problem = randomProblem(stream, { models: 4, steps: 4, tasksPerStep: 2, exactly: true });
      const value = async (depth: number | "flat"): Promise<number> =>
        valueOf(problem, await planAhead(exact, problem, depth, problem.resident));
      const whole = accountOf(problem, (await exact.plan(problem)).steps).value;
      expect(await value("flat")).toBe(whole);
      expect(await value(problem.steps.length)).toBe(whole);
      expect(await value(2)).toBeLessThanOrEqual(whole);
      if ((await value(1)) < whole) worse++;
    }
    // Were every depth as good as every other, this would say nothing.
    expect(worse).toBeGreaterThan(50);
  });

  it("of 1 sees ready tasks only, and of 3 the whole of a chain of three", async () => {
    const problem = randomProblem(randomStream(1, "chain"), {
      models: 2,
      steps: 3,
      tasksPerStep: 1,
      exactly: true,
    });
    const seen = async (depth: number): Promise<readonly number[]> =>
      (await planAhead(exact, problem, depth)).map((planned) => planned.problem.steps.length);
    expect(await seen(1)).toEqual([1, 1, 1]);
    expect(await seen(3)).toEqual([3, 2, 1]);
  });

  it("plans the next step from what is loaded, not from what was planned", async () => {
    const table = routeTable({
      taskIds: ["a", "b"],
      models: ["x", "y"].map((name) => ({ name, memoryMib: 5, switchCost: 1 })),
      budgetMib: 8,
      objective: { kind: "utility", lambdaToken: 0, lambdaSwitch: 0.2 },
      options: [0.6, 0.5, 0.6, 0.5].map((quality) => ({ quality, tokenCost: 0 })),
    });
    const job = { table, steps: [[0], [1]] };
    const next = (resident: readonly number[]): Promise<PlannedStep | undefined> =>
      planNext(exact, job, 2, { done: new Set([0]), resident });
    expect((await next([0]))?.step.models).toEqual([0]);
    // Somebody else has unloaded x and loaded y: 0.1 more is not worth a switch of 0.2.
    expect((await next([1]))?.step.models).toEqual([1]);
    expect(await planNext(exact, job, 2, { done: new Set([0, 1]), resident: [] })).toBeUndefined();
  });

  it("leaves out what is done, of a step that was done in part too", () => {
    expect(remainingSteps({ steps: [[0, 1], [2]] }, new Set([1]))).toEqual([[0], [2]]);
    expect(remainingSteps({ steps: [[0, 1], [2]] }, new Set([0, 1]))).toEqual([[2]]);
  });

  it("asks a flat planner once", async () => {
    let asked = 0;
    const counting = {
      ...greedyPlanner,
      plan: (problem: RouteProblem) => {
        asked++;
        return greedyPlanner.plan(problem);
      },
    };
    const problem = randomProblem(randomStream(2, "flat"), {
      models: 3,
      steps: 3,
      tasksPerStep: 1,
      exactly: true,
    });
    expect(await planAhead(counting, problem, "flat")).toHaveLength(3);
    expect(asked).toBe(1);
  });
});
