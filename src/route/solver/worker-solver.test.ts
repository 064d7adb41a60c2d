/** The worker is a file of its own, so these run from the build. */
import { afterEach, describe, expect, it } from "vitest";
import { randomProblem } from "../../../test/fakes/route-instances.ts";
import { onNextTurn, realClock, VirtualClock } from "../../core/clock.ts";
import { randomStream } from "../../core/random.ts";
import { accountOf } from "../plan.ts";
import { decisionByProgram } from "../planners/exact.ts";
import { greedyDecision } from "../planners/greedy.ts";
import { residencyProgram } from "../planners/residency-program.ts";
import type { LinearProgram } from "./linear-program.ts";
import { ProgramBuilder } from "./linear-program.ts";
import { loadHighsSolver } from "./highs-solver.ts";
import type * as WorkerSolver from "./worker-solver.ts";

const BUILT = new URL("../../../dist/route/solver/worker-solver.js", import.meta.url);

const threads: WorkerSolver.SolverThread[] = [];
afterEach(async () => {
  for (const thread of threads.splice(0)) await thread.close();
});

async function inWorker(clock = realClock): Promise<WorkerSolver.SolverThread> {
  const { solverInWorker } = (await import(BUILT.href)) as typeof WorkerSolver;
  const thread = solverInWorker(clock);
  threads.push(thread);
  return thread;
}

/** 3 a + 2 b with a + b ≤ 1.5 and both at most 1: 3 + 1 in parts; whole, a alone. */
function small(whole: boolean): LinearProgram {
  const builder = new ProgramBuilder();
  const a = builder.column(3, { whole });
  const b = builder.column(2, { whole });
  builder.atMost(1.5, [
    [a, 1],
    [b, 1],
  ]);
  return builder.build();
}

function large(): LinearProgram {
  const size = { models: 20, steps: 6, tasksPerStep: 12, exactly: true };
  return residencyProgram(randomProblem(randomStream(5, "large"), size)).program;
}

describe("the solver in a thread", () => {
  it("solves in parts and whole, one program after another", async () => {
    const solver = await inWorker();
    const [parts, whole] = await Promise.all([solver.solve(small(false)), solver.solve(small(true))]);
    expect(parts).toMatchObject({ kind: "optimal", objective: 4 });
    expect(whole).toMatchObject({ kind: "optimal", objective: 3 });
  });

  it("says the same as the solver in this thread", async () => {
    const problem = randomProblem(randomStream(3, "same"), { models: 5, steps: 3, tasksPerStep: 2 });
    const { program } = residencyProgram(problem);
    expect(await (await inWorker()).solve(program)).toEqual(await (await loadHighsSolver()).solve(program));
  });

  it("leaves the event loop free while it works", async () => {
    let turns = 0;
    let solving = true;
    const count = (): void => {
      turns++;
      if (solving) onNextTurn(count);
    };
    const answer = (await inWorker()).solve(large(), { timeLimitS: 1 });
    onNextTurn(count);
    await answer;
    solving = false;
    expect(turns).toBeGreaterThan(100);
  });

  it("says that a program cannot be met", async () => {
    const builder = new ProgramBuilder();
    builder.exactly(2, [[builder.column(1), 1]]);
    expect(await (await inWorker()).solve(builder.build())).toEqual({ kind: "infeasible" });
  });

  it("answers what waits when it is closed, and works again afterwards", async () => {
    const solver = await inWorker();
    const answer = solver.solve(large());
    await solver.close();
    expect(await answer).toEqual({ kind: "stopped", reason: "the solver was closed" });
    expect(await solver.solve(small(true))).toMatchObject({ kind: "optimal" });
  });

  it("is replaced when it does not come back, and the next program is solved", async () => {
    const clock = new VirtualClock();
    const solver = await inWorker(clock);
    const answer = solver.solve(large(), { timeLimitS: 3600 });
    const next = solver.solve(small(true), { timeLimitS: 3600 });
    // An hour and the grace pass at once on this clock.
    expect(clock.fireNext()).toBe(true);
    expect(await answer).toMatchObject({
      kind: "stopped",
      reason: expect.stringMatching(/3610 s/) as string,
    });
    expect(await next).toMatchObject({ kind: "optimal" });
  });
});

describe("a plan that runs out of time", () => {
  it("is no worse than greedy's, and says how much better one could be", async () => {
    const size = { models: 20, steps: 6, tasksPerStep: 12, exactly: true };
    const problem = randomProblem(randomStream(5, "large"), size);
    const decision = await decisionByProgram(problem, { solver: await loadHighsSolver(), timeLimitS: 0 });
    const { value } = accountOf(problem, decision.steps);
    expect(value).toBeGreaterThanOrEqual(accountOf(problem, greedyDecision(problem).steps).value);
    expect(decision.proof.kind).toBe("bounded");
    if (decision.proof.kind !== "bounded") return;
    expect(decision.proof.upper).toBeGreaterThanOrEqual(value);
    expect(decision.proof.gap).toBeCloseTo((decision.proof.upper - value) / value, 9);
  });
});
