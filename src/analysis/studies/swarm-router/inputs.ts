/** What study 004 published of its seven runs. */
import { z } from "zod";
import { namedEntry } from "../named-entry.ts";
import { printedNumber } from "../printed-number.ts";

const run = z.strictObject({
  id: z.string(),
  depth: z.string().exactOptional(),
  lpScorePct: printedNumber,
  llmScorePct: printedNumber,
  lpViolationPct: printedNumber.exactOptional(),
  llmViolationPct: printedNumber.exactOptional(),
  jobsLpLlmTied: z.tuple([z.int(), z.int(), z.int()]).exactOptional(),
  lpAverageSumOfDistinctGb: printedNumber.exactOptional(),
});

export const swarmRouterInputs = z.strictObject({
  budgetGb: z.number(),
  /** Weights of the objective. What they multiply (qualities, token and switch costs) is not published. */
  lambdaToken: z.number(),
  lambdaSwitch: z.number(),
  jobs: z.int(),
  /** Over all jobs. */
  subtasks: z.int(),
  models: z.array(z.strictObject({ id: z.string(), gb: z.number() })),
  runs: z.array(run),
  divergence: z.array(
    z.strictObject({ run: z.string(), lpBetter: z.int(), llmBetter: z.int(), tied: z.int() }),
  ),
  showcase: z.strictObject({
    run: z.string(),
    perJob: z.array(
      z.strictObject({
        job: z.string(),
        lpPct: printedNumber,
        llmPct: printedNumber,
        lpLatencyS: printedNumber,
        llmLatencyS: printedNumber,
        /** The one model that all steps of the job ran on. */
        lpModel: z.string(),
        llmModel: z.string(),
      }),
    ),
    lpVramGb: printedNumber,
    llmVramGb: printedNumber,
    lpScorePerTokenCost: printedNumber,
    llmScorePerTokenCost: printedNumber,
    solveMsPerStep: printedNumber,
    stepsOfJobs: z.array(z.int()),
    wb1SolveMs: z.array(printedNumber),
  }),
  depthOne: z.strictObject({
    run: z.string(),
    jobs: z.array(z.strictObject({ job: z.string(), steps: z.array(z.string()) })),
  }),
});
export type SwarmRouterInputs = z.output<typeof swarmRouterInputs>;
export type RouterRun = SwarmRouterInputs["runs"][number];

export function modelGb({ models }: SwarmRouterInputs, id: string): number {
  return namedEntry(models, id).gb;
}

export interface JobMemory {
  readonly job: string;
  readonly peakGb: number;
  readonly sumOfDistinctGb: number;
}

/** One step at a time is resident, so the peak is the largest step; the old metric adds up every model the job touched. */
export function jobMemory(inputs: SwarmRouterInputs): readonly JobMemory[] {
  return inputs.depthOne.jobs.map(({ job, steps }) => ({
    job,
    peakGb: Math.max(...steps.map((step) => modelGb(inputs, step))),
    sumOfDistinctGb: [...new Set(steps)].reduce((sum, step) => sum + modelGb(inputs, step), 0),
  }));
}

export function violationPct(inputs: SwarmRouterInputs, metric: "peakGb" | "sumOfDistinctGb"): number {
  const over = jobMemory(inputs).filter((job) => job[metric] > inputs.budgetGb).length;
  return (over / inputs.jobs) * 100;
}

/** What every model that fits the budget on its own adds up to: more than this, and one that does not fit was used. */
export function mostWithinBudgetGb({ models, budgetGb }: SwarmRouterInputs): number {
  return models.reduce((sum, { gb }) => sum + (gb <= budgetGb ? gb : 0), 0);
}

/** The run whose memory is printed as an average of the sum of distinct models. */
export function runBySumOfDistinct({ runs }: SwarmRouterInputs): RouterRun | undefined {
  return runs.find((run) => run.lpAverageSumOfDistinctGb !== undefined);
}

export type Winner = "lp" | "llm" | "tied";

export function winnerOf({ lpScorePct, llmScorePct }: RouterRun): Winner {
  if (lpScorePct.value === llmScorePct.value) return "tied";
  return lpScorePct.value > llmScorePct.value ? "lp" : "llm";
}

/** Solve time of the steps of the other jobs, from the mean over all steps and the printed ones. */
export function otherStepsSolveMs({ showcase }: SwarmRouterInputs): {
  readonly steps: number;
  readonly meanMs: number;
} {
  const all = showcase.stepsOfJobs.reduce((sum, steps) => sum + steps, 0);
  const known = showcase.wb1SolveMs.reduce((sum, step) => sum + step.value, 0);
  const steps = all - showcase.wb1SolveMs.length;
  return { steps, meanMs: (showcase.solveMsPerStep.value * all - known) / steps };
}
