/** Study 004 from its inputs alone. */
import { RecomputedFigures } from "../recomputed-figures.ts";
import { changePct, meanOf } from "../sample-figures.ts";
import type { StudyResults } from "../study-findings.ts";
import { swarmRouterCorrections, swarmRouterFindings } from "./findings.ts";
import type { SwarmRouterInputs } from "./inputs.ts";
import {
  jobMemory,
  modelGb,
  mostWithinBudgetGb,
  runBySumOfDistinct,
  swarmRouterInputs,
  violationPct,
} from "./inputs.ts";

export function swarmRouter(given: unknown): StudyResults {
  const inputs = swarmRouterInputs.parse(given);
  const book = new RecomputedFigures();
  showcaseFigures(book, inputs);
  routingFigures(book, inputs);
  return {
    figures: book.figures,
    reasons: new Map([
      ["violations.232915.lp", "17.5 GB on average is more than all models that fit: one over 8 GB was used"],
      ["messages.lp-low.value", "two runs have less: 66.7 and 70.4"],
      ["messages.llm-high.value", "77.8 cut off instead of rounded"],
    ]),
    findings: swarmRouterFindings(inputs),
    corrections: swarmRouterCorrections(inputs),
    meaning:
      "The scores reproduce and decide nothing: seven single runs of three jobs, won by each side about as often. The memory rule was broken by the linear program itself, because it lets a model be loaded in part.",
  };
}

function showcaseFigures(book: RecomputedFigures, inputs: SwarmRouterInputs): void {
  const { showcase } = inputs;
  const { perJob } = showcase;
  const mean = (...values: readonly number[]): number => meanOf(values);
  for (const [row, lp, llm] of [
    ["score", "lpPct", "llmPct"],
    ["latency", "lpLatencyS", "llmLatencyS"],
  ] as const) {
    const lpRuns = perJob.map((job) => job[lp]);
    const llmRuns = perJob.map((job) => job[llm]);
    book.from(`showcase.${row}.lp`, lpRuns, mean);
    book.from(`showcase.${row}.llm`, llmRuns, mean);
    book.put(`showcase.${row}.change`, { lpRuns, llmRuns }, (values) =>
      changePct(meanOf(values.llmRuns), meanOf(values.lpRuns)),
    );
  }
  for (const side of ["lp", "llm"] as const)
    book.exactly(`showcase.vram.${side}`, meanOf(perJob.map((job) => modelGb(inputs, job[`${side}Model`]))));
  book.from("showcase.vram.change", [showcase.lpVramGb, showcase.llmVramGb], (lp = 0, llm = 1) => lp / llm);
  const won = (wins: (lp: number, llm: number) => boolean): number =>
    perJob.filter((job) => wins(job.lpPct.value, job.llmPct.value)).length;
  book.exactly(
    "jobs.won.lp",
    won((lp, llm) => lp > llm),
  );
  book.exactly(
    "jobs.won.llm",
    won((lp, llm) => lp < llm),
  );
  book.exactly(
    "jobs.won.tied",
    won((lp, llm) => lp === llm),
  );
}

function routingFigures(book: RecomputedFigures, inputs: SwarmRouterInputs): void {
  const diverged = inputs.divergence.map(
    ({ lpBetter, llmBetter, tied }) => ((lpBetter + llmBetter + tied) / inputs.subtasks) * 100,
  );
  for (const [index, { run }] of inputs.divergence.entries())
    book.exactly(`divergence.${run}.pct`, diverged[index] as number);
  book.exactly("messages.divergence-low.value", Math.min(...diverged));
  book.exactly("messages.divergence-high.value", Math.max(...diverged));
  for (const { job, peakGb, sumOfDistinctGb } of jobMemory(inputs)) {
    book.exactly(`depth-one.${job}.peak`, peakGb);
    book.exactly(`depth-one.${job}.sum`, sumOfDistinctGb);
  }
  book.exactly("violations.152505.lp", violationPct(inputs, "sumOfDistinctGb"));
  const mixed = runBySumOfDistinct(inputs);
  const average = mixed?.lpAverageSumOfDistinctGb;
  const oneJob = 100 / inputs.jobs;
  // An average above what all fitting models add up to needs at least one job with a model that does not fit.
  const least =
    average !== undefined && average.value - average.halfUnit > mostWithinBudgetGb(inputs) ? oneJob : 0;
  book.between("violations.232915.lp", least, 100);
  const scores = (side: "lpScorePct" | "llmScorePct") => inputs.runs.map((run) => run[side]);
  book.from("messages.lp-low.value", scores("lpScorePct"), (...all) => Math.min(...all));
  book.from("messages.llm-low.value", scores("llmScorePct"), (...all) => Math.min(...all));
  book.from("messages.llm-high.value", scores("llmScorePct"), (...all) => Math.max(...all));
}
