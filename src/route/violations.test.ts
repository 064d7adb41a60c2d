import { describe, expect, it } from "vitest";
import { randomProblem } from "../../test/fakes/route-instances.ts";
import { randomStream } from "../core/random.ts";
import { planAhead } from "./horizon.ts";
import { accountOf } from "./plan.ts";
import type { Planner } from "./planner.ts";
import { exactPlanner } from "./planners/exact.ts";
import { linearPlanner } from "./planners/linear.ts";
import { loadHighsSolver } from "./solver/highs-solver.ts";
import { countViolations } from "./violations.ts";

/** Each is some ten solves. */
const LP_JOBS = 200;

const DEPTHS = [1, 2, 3, "flat"] as const;

/** Jobs over the budget at some step, at each depth, of random problems of utility by the distribution of the fakes. */
async function overBudget(planner: Planner, jobs: number): Promise<readonly number[]> {
  const stream = randomStream(1, "violations");
  const over = DEPTHS.map(() => 0);
  for (let job = 0; job < jobs; job++) {
    const problem = randomProblem(stream, { models: 4, steps: 3, tasksPerStep: 3 });
    for (const [place, depth] of DEPTHS.entries()) {
      const planned = await planAhead(planner, problem, depth, problem.resident);
      const steps = planned.map(({ step }) => step);
      const { byPeak } = countViolations([accountOf(problem, steps)], problem.table.budgetMib);
      over[place] = (over[place] as number) + byPeak;
    }
  }
  return over;
}

describe("memory", () => {
  it("is never exceeded by the exact planner, in 100,000 random jobs at each depth", async () => {
    expect(await overBudget(exactPlanner(), 100_000)).toEqual([0, 0, 0, 0]);
  }, 240_000);

  it("is exceeded by the published linear program at every depth", async () => {
    const over = await overBudget(linearPlanner(await loadHighsSolver()), LP_JOBS);
    for (const jobs of over) expect(jobs).toBeGreaterThan(0);
  }, 120_000);
});

describe("violations", () => {
  it("are counted by the peak and by the sum of distinct models, and differ where models take turns", () => {
    const account = { peakMib: 8, sumDistinctMib: 10 } as ReturnType<typeof accountOf>;
    const large = { peakMib: 12.5, sumDistinctMib: 21 } as ReturnType<typeof accountOf>;
    expect(countViolations([account, large], 8)).toEqual({ jobs: 2, byPeak: 1, bySumOfDistinct: 2 });
  });
});
