import { describe, expect, it } from "vitest";
import { bestByTryingAll, randomProblem } from "../../../test/fakes/route-instances.ts";
import { randomStream } from "../../core/random.ts";
import { accountOf } from "../plan.ts";
import type { Decision } from "../planner.ts";
import type { RouteProblem } from "../route-table.ts";
import { routeTable, worthAt } from "../route-table.ts";
import type { LinearSolver, SolverAnswer } from "../solver/linear-program.ts";
import { loadHighsSolver } from "../solver/highs-solver.ts";
import { decisionByProgram, exactPlanner } from "./exact.ts";
import { fixedPlanner } from "./fixed.ts";
import { greedyPlanner } from "./greedy.ts";
import { residencyProgram } from "./residency-program.ts";
import { searchOneStep } from "./one-step-search.ts";
import { randomPlanner } from "./random.ts";

const exact = exactPlanner();

function valueOf(problem: RouteProblem, decision: Decision): number {
  return accountOf(problem, decision.steps).value;
}

function expectWithinMemory(problem: RouteProblem, decision: Decision): void {
  const account = accountOf(problem, decision.steps);
  expect(account.peakMib).toBeLessThanOrEqual(problem.table.budgetMib);
  expect(account.steps.length).toBe(problem.steps.length);
  for (const step of account.steps) {
    expect(step.models.every((model) => step.resident.includes(model))).toBe(true);
    expect(step.models.length).toBe(step.tasks.length);
  }
}

/** One task per step; worth by task, then by model. */
function chain(
  worths: readonly (readonly number[])[],
  setting: {
    readonly memoryMib: readonly number[];
    readonly budgetMib: number;
    readonly lambdaSwitch: number;
  },
  resident: readonly number[] = [],
): RouteProblem {
  const table = routeTable({
    taskIds: worths.map((_row, task) => `t${task}`),
    models: setting.memoryMib.map((memoryMib, place) => ({ name: `m${place}`, memoryMib, switchCost: 1 })),
    budgetMib: setting.budgetMib,
    objective: { kind: "utility", lambdaToken: 0, lambdaSwitch: setting.lambdaSwitch },
    options: worths.flat().map((quality) => ({ quality, tokenCost: 0 })),
  });
  return { table, steps: worths.map((_row, task) => [task]), resident };
}

describe("the exact planner", () => {
  it("finds what trying everything finds, on 10,000 problems of up to 4 models and 3 steps", async () => {
    for (let seed = 0; seed < 10_000; seed++) {
      const problem = randomProblem(randomStream(seed, "small"), { models: 4, steps: 3, tasksPerStep: 3 });
      const decision = await exact.plan(problem);
      const value = valueOf(problem, decision);
      if (Math.abs(value - bestByTryingAll(problem)) > 1e-7)
        expect({ seed, value }).toEqual({ seed, value: bestByTryingAll(problem) });
      if (seed % 100 === 0) expectWithinMemory(problem, decision);
    }
  });

  it("finds it on 200 of 6 models and 4 steps, and on 500 where the slowest task counts", async () => {
    const larger = { models: 6, steps: 4, tasksPerStep: 2, exactly: true };
    for (let seed = 0; seed < 200; seed++) {
      const problem = randomProblem(randomStream(seed, "larger"), larger);
      expect(valueOf(problem, await exact.plan(problem))).toBeCloseTo(bestByTryingAll(problem), 7);
    }
    for (let seed = 0; seed < 500; seed++) {
      const size = { models: 4, steps: 3, tasksPerStep: 3, objective: "makespan" } as const;
      const problem = randomProblem(randomStream(seed, "time"), size);
      const account = accountOf(problem, (await exact.plan(problem)).steps);
      expect(account.value).toBeCloseTo(bestByTryingAll(problem), 5);
      expect(account.seconds).toBeCloseTo(-account.value, 5);
    }
  }, 120_000);

  it("is never worse than any other planner, and never over the memory at any step", async () => {
    for (let seed = 0; seed < 500; seed++) {
      const stream = randomStream(seed, "others");
      const problem = randomProblem(stream, { models: 6, steps: 4, tasksPerStep: 4 });
      const best = await exact.plan(problem);
      expectWithinMemory(problem, best);
      for (const other of [greedyPlanner, fixedPlanner("m0"), randomPlanner(stream)]) {
        const decision = await other.plan(problem);
        expectWithinMemory(problem, decision);
        expect(valueOf(problem, best)).toBeGreaterThanOrEqual(valueOf(problem, decision));
      }
    }
  });

  it("takes the best model of each task when switches are free, however they alternate", async () => {
    const worths = [
      [0.9, 0.1],
      [0.1, 0.8],
      [0.7, 0.2],
    ];
    const problem = chain(worths, { memoryMib: [5, 5], budgetMib: 8, lambdaSwitch: 0 });
    const { steps } = await exact.plan(problem);
    expect(steps.map(({ models }) => models)).toEqual([[0], [1], [0]]);
    expect(accountOf(problem, steps)).toMatchObject({ switches: 3, peakMib: 5, sumDistinctMib: 10 });
  });

  it("stays with what is loaded when a switch costs more than all there is to gain", async () => {
    const worths = [
      [0.1, 0.9],
      [0.2, 0.9],
      [0.3, 0.9],
    ];
    const setting = { memoryMib: [5, 5], budgetMib: 8, lambdaSwitch: 1000 };
    const kept = await exact.plan(chain(worths, setting, [0]));
    expect(kept.steps.map(({ models }) => models)).toEqual([[0], [0], [0]]);
    // With nothing loaded one switch must be paid, and then it is the model that is best over all.
    const fresh = await exact.plan(chain(worths, setting));
    expect(fresh.steps.map(({ models }) => models)).toEqual([[1], [1], [1]]);
  });

  it("switches exactly where the gain ahead passes the price", async () => {
    // Going over to model 1 gains 0.15 at each of two steps: 0.3 in all.
    const worths = [
      [0.5, 0.65],
      [0.5, 0.65],
    ];
    const at = async (lambdaSwitch: number): Promise<readonly number[]> =>
      (await exact.plan(chain(worths, { memoryMib: [5, 5], budgetMib: 8, lambdaSwitch }, [0]))).steps.map(
        ({ models }) => models[0] as number,
      );
    expect(await at(0.29)).toEqual([1, 1]);
    expect(await at(0.31)).toEqual([0, 0]);
  });

  it("keeps a model through a step that does not need it, if it is needed again and fits", async () => {
    const worths = [
      [1, 0, 0],
      [0, 1, 0],
      [1, 0, 0],
    ];
    const wide = chain(worths, { memoryMib: [4, 4, 4], budgetMib: 8, lambdaSwitch: 0.2 });
    const { steps } = await exact.plan(wide);
    expect(steps.map(({ resident }) => resident)).toEqual([[0], [0, 1], [0, 1]]);
    expect(accountOf(wide, steps).switches).toBe(2);
  });

  it("decides ties the same way every time: least loading, then least unloading, then the order of the models", async () => {
    const level = [[0.5, 0.5, 0.5]];
    const setting = { memoryMib: [4, 4, 4], budgetMib: 8, lambdaSwitch: 0 };
    expect((await exact.plan(chain(level, setting))).steps).toEqual([{ models: [0], resident: [0] }]);
    expect((await exact.plan(chain(level, setting, [2]))).steps).toEqual([{ models: [2], resident: [2] }]);
    expect((await exact.plan(chain(level, setting, [1, 2]))).steps).toEqual([
      { models: [1], resident: [1, 2] },
    ]);
    // 0.1 + 0.2 and 0.3 are one number on the grid, so these two plans really tie.
    const sums = [
      [0.1, 0.3],
      [0.2, 0],
    ];
    const tie = chain(sums, { memoryMib: [5, 5], budgetMib: 8, lambdaSwitch: 0 }, [0]);
    expect(valueOf(tie, await exact.plan(tie))).toBeCloseTo(0.5, 9);
  });

  it("says what the next best first step would have been", async () => {
    const problem = chain([[0.9, 0.7]], { memoryMib: [5, 4], budgetMib: 8, lambdaSwitch: 0 });
    const { runnerUp } = await exact.plan(problem);
    expect(runnerUp?.models).toEqual([1]);
    expect(runnerUp?.value).toBeCloseTo(0.7, 8);
    const alone = chain([[0.9]], { memoryMib: [5], budgetMib: 8, lambdaSwitch: 0 });
    expect((await exact.plan(alone)).runnerUp).toBeUndefined();
  });

  it("gives a first step to other models and loses exactly what the runner-up says", async () => {
    for (let seed = 0; seed < 300; seed++) {
      const problem = randomProblem(randomStream(seed, "runner-up"), {
        models: 3,
        steps: 2,
        tasksPerStep: 2,
      });
      const decision = await exact.plan(problem);
      const [first] = problem.steps;
      const chosen = decision.steps[0]?.models;
      // The best of all problems in which one task of the first step may not go where it went.
      const without = (first ?? []).map((task, index) =>
        bestByTryingAll({
          ...problem,
          table: {
            ...problem.table,
            options: problem.table.options.with(
              task * problem.table.models.length + (chosen?.[index] as number),
              undefined,
            ),
          },
        }),
      );
      const expected = Math.max(...without);
      if (expected === Number.NEGATIVE_INFINITY) expect(decision.runnerUp).toBeUndefined();
      else expect(decision.runnerUp?.value).toBeCloseTo(expected, 7);
    }
  });
});

describe("one step with many models", () => {
  it("is searched to the same value that all sets give", async () => {
    for (let seed = 0; seed < 400; seed++) {
      const size = { models: 10, steps: 1, tasksPerStep: 12, exactly: true };
      const drawn = randomProblem(randomStream(seed, "search"), size);
      const problem = { ...drawn, steps: drawn.steps.slice(0, 1) };
      const searched = searchOneStep(problem) as Decision;
      expectWithinMemory(problem, searched);
      expect(valueOf(problem, searched)).toBe(valueOf(problem, await exact.plan(problem)));
    }
  });
});

describe("the mixed-integer program", () => {
  it("has the value that the sets have, for utility and for time", async () => {
    const solver = await loadHighsSolver();
    for (const objective of ["utility", "makespan"] as const)
      for (let seed = 0; seed < 60; seed++) {
        const size = { models: 6, steps: 4, tasksPerStep: 3, objective };
        const problem = randomProblem(randomStream(seed, "milp"), size);
        const decision = await decisionByProgram(problem, { solver });
        expect(decision.proof).toEqual({ kind: "optimal" });
        expectWithinMemory(problem, decision);
        expect(valueOf(problem, decision)).toBeCloseTo(valueOf(problem, await exact.plan(problem)), 6);
      }
  }, 120_000);

  it("agrees with the sets and with the search where nothing can be tried out", async () => {
    const solver = await loadHighsSolver();
    const sizes = [
      { models: 9, steps: 5, tasksPerStep: 4, exactly: true },
      { models: 16, steps: 1, tasksPerStep: 30, exactly: true },
    ];
    for (const size of sizes)
      for (let seed = 0; seed < 12; seed++) {
        const problem = randomProblem(randomStream(seed, "beyond", size.models), size);
        const byProgram = await decisionByProgram(problem, { solver, timeLimitS: 60 });
        expect(byProgram.proof).toEqual({ kind: "optimal" });
        expect(valueOf(problem, byProgram)).toBeCloseTo(valueOf(problem, await exact.plan(problem)), 6);
      }
  }, 120_000);

  // Greedy: model 0 twice, 0.6 + 0.5 − 0.2. Every task on its best model, without a load: 1.2.
  const worths = [
    [0.6, 0.5],
    [0.5, 0.6],
  ];
  const fork = chain(worths, { memoryMib: [5, 5], budgetMib: 8, lambdaSwitch: 0.2 });
  const stopping = (answer: (start: Float64Array) => Partial<SolverAnswer>): LinearSolver => ({
    solve: (_program, limits) =>
      Promise.resolve({
        kind: "stopped",
        reason: "no time",
        ...answer(limits?.start as Float64Array),
      } as SolverAnswer),
  });

  it("that runs out of time leaves greedy's plan and the gap to what could be", async () => {
    const decision = await decisionByProgram(fork, { solver: stopping(() => ({})) });
    expect(decision.steps.map(({ models }) => models)).toEqual([[0], [0]]);
    expect(decision.fallback).toBe("greedy: no time");
    expect(decision.proof).toEqual({
      kind: "bounded",
      upper: expect.closeTo(1.2, 8) as number,
      gap: expect.closeTo(0.3 / 0.9, 8) as number,
    });
  });

  it("starts from greedy's plan, and takes the solver's bound where that is lower", async () => {
    const solver = stopping((start) => ({ values: start, upper: 1 }));
    const decision = await decisionByProgram(fork, { solver });
    expect(valueOf(fork, decision)).toBeCloseTo(0.9, 8);
    expect(decision.fallback).toBeUndefined();
    expect(decision.proof).toMatchObject({ upper: 1, gap: expect.closeTo(0.1 / 0.9, 8) as number });
  });

  it("gives its starting columns the value of greedy's plan", async () => {
    for (const objective of ["utility", "makespan"] as const) {
      const problem = randomProblem(randomStream(7, "start"), {
        models: 5,
        steps: 3,
        tasksPerStep: 3,
        objective,
      });
      const { program, startFrom } = residencyProgram(problem);
      const greedy = await greedyPlanner.plan(problem);
      const start = startFrom(greedy.steps);
      const value = start.reduce(
        (sum, part, column) => sum + part * (program.objective[column] as number),
        0,
      );
      expect(value).toBeCloseTo(valueOf(problem, greedy), 9);
    }
  });

  it("is not needed for the sizes that the other ways take, and is asked for beyond them", async () => {
    const size = { models: 24, steps: 3, tasksPerStep: 6, exactly: true };
    const problem = randomProblem(randomStream(1, "beyond"), size);
    // All 24 models fit together and loads are free, so every task has its best model.
    const table = { ...problem.table, budgetMib: 1e6, loadPrice: new Float64Array(24) };
    const roomy = { ...problem, table };
    expect((await exact.plan(roomy)).fallback).toMatch(/no solver/);
    const decision = await exactPlanner({ solver: await loadHighsSolver() }).plan(roomy);
    expect(decision.proof).toEqual({ kind: "optimal" });
    const bestOf = (task: number): number =>
      Math.max(...table.models.map((_model, model) => worthAt(table, task, model)));
    const best = roomy.steps.flat().reduce((sum, task) => sum + bestOf(task), 0);
    expect(valueOf(roomy, decision)).toBeCloseTo(best, 6);
  });
});
