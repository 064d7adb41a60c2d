// Routing: solve times at the study's size, for one step with many models and tasks, and for six steps;
// how long HiGHS takes and keeps the event loop waiting; and whose plans are over the memory. The
// instances are drawn here, from seeds; docs/route.md has what was reached.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { realClock } from "../dist/core/clock.js";
import { randomStream } from "../dist/core/random.js";
import { readYamlFile } from "../dist/core/yaml.js";
import { Estimator } from "../dist/route/estimator.js";
import { planAhead } from "../dist/route/horizon.js";
import { modelFileSchema } from "../dist/route/model-file.js";
import { accountOf } from "../dist/route/plan.js";
import { exactPlanner } from "../dist/route/planners/exact.js";
import { plannerOf } from "../dist/route/planners/registry.js";
import { residencyProgram } from "../dist/route/planners/residency-program.js";
import { highestPrice, routeJob } from "../dist/route/route-job.js";
import { routeTable } from "../dist/route/route-table.js";
import { loadHighsSolver } from "../dist/route/solver/highs-solver.js";
import { solverInWorker } from "../dist/route/solver/worker-solver.js";
import { countViolations } from "../dist/route/violations.js";
import { benchmarkSchema, taskGraph } from "../dist/workload/task-graph.js";

const exact = exactPlanner();
const rows = [];

// The study: a chain of three on its four models in 8 GB, with priors drawn anew each time.
const chains = Array.from({ length: 2000 }, (_unused, seed) => ({
  table: routeTable({
    taskIds: ["s0", "s1", "s2"],
    models: [2, 6.5, 8, 12.5].map((gb, place) => ({
      name: `m${place}`,
      memoryMib: gb * 1024,
      switchCost: 1,
    })),
    budgetMib: 8 * 1024,
    objective: { kind: "utility", lambdaToken: 0.5, lambdaSwitch: 0.2 },
    options: drawOptions(randomStream(seed, "study"), 3, 4, () => 0),
  }),
  steps: [[0], [1], [2]],
  resident: [],
}));
// Twice, so that the second pass measures compiled code, as in a router that has run for a second.
await solveTimes(chains);
rows.push({
  figure: "3 tasks, 4 models, 3 steps",
  value: median(await solveTimes(chains)),
  unit: "ms",
  atMost: 0.05,
});

for (const [name, kind] of [
  ["larger models are better", "skilled"],
  ["any quality anywhere", "uniform"],
]) {
  const oneStep = [0.1, 0.25, 0.5].flatMap((share) =>
    Array.from({ length: 10 }, (_unused, seed) =>
      drawProblem({ seed, kind, share, tasks: 200, models: 20, steps: 1 }),
    ),
  );
  const before = process.cpuUsage();
  const times = await solveTimes(oneStep);
  const { user, system } = process.cpuUsage(before);
  rows.push({
    figure: `200 tasks × 20 models, one step, ${name}`,
    value: median(times),
    unit: "ms",
    atMost: 15,
  });
  rows.push({ figure: "the same, the slowest of 30", value: Math.max(...times), unit: "ms" });
  // Where others use the processor too, the wall says more about them.
  rows.push({
    figure: "the same, mean processor time",
    value: (user + system) / 1000 / times.length,
    unit: "ms",
  });
}

const sixSteps = Array.from({ length: 30 }, (_unused, seed) =>
  drawProblem({ seed, kind: "uniform", share: 0.2 + seed / 50, tasks: 50, models: 8, steps: 6 }),
);
const sixTimes = await solveTimes(sixSteps);
rows.push({ figure: "50 tasks × 8 models × 6 steps", value: median(sixTimes), unit: "ms", atMost: 20 });
rows.push({ figure: "the same, the slowest of 30", value: Math.max(...sixTimes), unit: "ms" });

// HiGHS on the same program, in the same process, and from its own thread.
const solver = await loadHighsSolver();
const large = drawProblem({ seed: 0, kind: "uniform", share: 0.25, tasks: 200, models: 20, steps: 1 });
const { program } = residencyProgram(large);
const startMs = performance.now();
const answer = await solver.solve(program);
rows.push({ figure: "HiGHS, 200 tasks × 20 models", value: performance.now() - startMs, unit: "ms" });
const mine = accountOf(large, (await exact.plan(large)).steps).value;
if (Math.abs(answer.objective - mine) > 1e-6) throw new Error(`HiGHS ${answer.objective}, exact ${mine}`);
const thread = solverInWorker(realClock);
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
await thread.solve(program);
delay.disable();
await thread.close();
rows.push({ figure: "the same in its thread: longest wait of the loop", value: delay.max / 1e6, unit: "ms" });

// The study's jobs on its models: how many plans are over its 8 GB at some step.
for (const depth of [1, 3])
  for (const name of ["exact", "lp"]) {
    const { accounts, budgetMib } = await studyAccounts(
      plannerOf(name, { solver, stream: randomStream(1) }),
      depth,
    );
    const { byPeak, jobs } = countViolations(accounts, budgetMib);
    rows.push({
      figure: `study 004, depth ${depth}, ${name}: jobs over the memory`,
      value: (100 * byPeak) / jobs,
      unit: "%",
    });
  }
console.log(JSON.stringify(rows));

async function studyAccounts(planner, depth) {
  const file = (path) => fileURLToPath(new URL(`../examples/${path}`, import.meta.url));
  const { models, vramMib: budgetMib } = readYamlFile(
    modelFileSchema,
    file("route-models/swarm-router.yaml"),
  );
  const { jobs } = readYamlFile(benchmarkSchema, file("route-jobs/swarm-router.yaml"));
  const graphs = jobs.map((job) => taskGraph(job));
  const estimator = new Estimator(models);
  const objective = { kind: "utility", lambdaToken: 0.5, lambdaSwitch: 0.2 };
  const priceOfOne = highestPrice(graphs, models, estimator);
  const accounts = [];
  for (const graph of graphs) {
    const job = routeJob({ graph, models, estimator, budgetMib, objective, priceOfOne });
    const planned = await planAhead(planner, job, depth);
    accounts.push(
      accountOf(
        { ...job, resident: [] },
        planned.map(({ step }) => step),
      ),
    );
  }
  return { accounts, budgetMib };
}

async function solveTimes(problems) {
  const times = [];
  for (const problem of problems) {
    const beganMs = performance.now();
    const { proof } = await exact.plan(problem);
    times.push(performance.now() - beganMs);
    if (proof.kind !== "optimal") throw new Error("not solved to the end");
  }
  return times;
}

/** Models of 2 to 16 GB; the budget is a share of their sum. */
function drawProblem({ seed, kind, share, tasks, models, steps }) {
  const stream = randomStream(seed, kind, share, tasks);
  const sizesGb = Array.from({ length: models }, () => 2 + 14 * stream.next());
  const skill = (model) => (kind === "skilled" ? 0.3 + (0.5 * (sizesGb[model] - 2)) / 14 : 0);
  const table = routeTable({
    taskIds: Array.from({ length: tasks }, (_unused, task) => `t${task}`),
    models: sizesGb.map((gb, place) => ({ name: `m${place}`, memoryMib: gb * 1024, switchCost: 1 })),
    budgetMib: share * sizesGb.reduce((sum, gb) => sum + gb, 0) * 1024,
    objective: { kind: "utility", lambdaToken: 0.5, lambdaSwitch: 0.2 },
    options: drawOptions(stream, tasks, models, skill),
  });
  const step = (task) => Math.floor((task * steps) / tasks);
  return {
    table,
    steps: Array.from({ length: steps }, (_unused, place) =>
      [...table.taskIds.keys()].filter((task) => step(task) === place),
    ),
    resident: [],
  };
}

/** With a skill, quality lies within 0.2 of it and larger models cost more; without, both are uniform. */
function drawOptions(stream, tasks, models, skill) {
  return Array.from({ length: tasks * models }, (_unused, place) => {
    const own = skill(place % models);
    const drawn = stream.next();
    return {
      quality: own === 0 ? drawn : Math.min(1, Math.max(0, own + 0.4 * (drawn - 0.5))),
      tokenCost: own === 0 ? stream.next() : own * stream.next(),
    };
  });
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}
