/** Study 004: what its figures should be read against, and statements that they do not carry. */
import { signTest } from "../../../stats/sign-test.ts";
import { meanOf } from "../sample-figures.ts";
import type { CorrectionTable, Finding } from "../study-findings.ts";
import { numberText, percentText } from "../words.ts";
import type { SwarmRouterInputs } from "./inputs.ts";
import {
  jobMemory,
  modelGb,
  mostWithinBudgetGb,
  otherStepsSolveMs,
  runBySumOfDistinct,
  violationPct,
  winnerOf,
} from "./inputs.ts";

export function swarmRouterCorrections(inputs: SwarmRouterInputs): readonly CorrectionTable[] {
  return [runsTable(inputs), violations(inputs)];
}

function runsTable({ runs, subtasks, jobs }: SwarmRouterInputs): CorrectionTable {
  // Each job's score is a mean over its subtasks in thirds, so all averages are multiples of this.
  const gradePct = 100 / (subtasks * jobs);
  const mean = (side: "lpScorePct" | "llmScorePct"): number => meanOf(runs.map((run) => run[side].value));
  return {
    id: "scores",
    title: "All runs: scores, and their difference in grades",
    note: `Every printed average is a multiple of 1/${subtasks * jobs}: one grade of one subtask is ${percentText(gradePct, 2)}. A run that is won by one grade is won by one answer of one subtask.`,
    columns: [
      { heading: "LP", unit: "percent", decimals: 1 },
      { heading: "LLM", unit: "percent", decimals: 1 },
      { heading: "LP − LLM", unit: "points", decimals: 1 },
      { heading: "grades", unit: "plain", decimals: 0 },
    ],
    rows: [
      ...runs.map((run) => {
        const difference = run.lpScorePct.value - run.llmScorePct.value;
        return {
          label: `run ${run.id}`,
          values: [run.lpScorePct.value, run.llmScorePct.value, difference, difference / gradePct],
        };
      }),
      {
        label: "mean of seven",
        values: [
          mean("lpScorePct"),
          mean("llmScorePct"),
          mean("lpScorePct") - mean("llmScorePct"),
          undefined,
        ],
      },
    ],
  };
}

function violations(inputs: SwarmRouterInputs): CorrectionTable {
  return {
    id: "violations",
    title: `Run ${inputs.depthOne.run}: memory by job against the ${inputs.budgetGb} GB budget`,
    note: `One step is resident at a time, so the peak counts: ${percentText(violationPct(inputs, "peakGb"))} of jobs violate, not the printed ${percentText(violationPct(inputs, "sumOfDistinctGb"))}, which adds up models that were never loaded together.`,
    columns: [
      { heading: "sum of distinct", unit: "plain", decimals: 1 },
      { heading: "peak", unit: "plain", decimals: 1 },
      { heading: "over budget", unit: "plain", decimals: 1 },
    ],
    rows: jobMemory(inputs).map(({ job, sumOfDistinctGb, peakGb }) => ({
      label: job,
      values: [sumOfDistinctGb, peakGb, Math.max(0, peakGb - inputs.budgetGb)],
    })),
  };
}

export function swarmRouterFindings(inputs: SwarmRouterInputs): readonly Finding[] {
  return [
    relaxed(inputs),
    metrics(inputs),
    fewRuns(inputs),
    matchesOrBeats(inputs),
    solveTime(inputs),
    relativeScore(inputs),
    divergence(inputs),
    notPrinted(inputs),
    depth(),
  ];
}

function relaxed(inputs: SwarmRouterInputs): Finding {
  const small = modelGb(inputs, "gemma");
  const large = modelGb(inputs, "phi4");
  // large·y + small·(1 − y) = budget.
  const part = (inputs.budgetGb - small) / (large - small);
  return {
    id: "relaxed-residency",
    kind: "contradiction",
    section: "2, 8",
    says: "A hard constraint keeps every step within the budget; depth 1 violates it for want of lookahead.",
    shows: `Residency y may be any number in [0, 1]: ${numberText(part, 3)} of phi4 and ${numberText(1 - part, 3)} of gemma2 are exactly ${inputs.budgetGb} GB. Rounding the assignment then loads ${large} GB of phi4. With y whole, ${large} > ${inputs.budgetGb} excludes phi4 at every depth: the violation is the relaxation's, not the horizon's.`,
  };
}

function metrics(inputs: SwarmRouterInputs): Finding {
  const mixed = runBySumOfDistinct(inputs);
  const average = mixed?.lpAverageSumOfDistinctGb?.text ?? "–";
  return {
    id: "mixed-metrics",
    kind: "contradiction",
    section: "6",
    says: `Run ${inputs.depthOne.run} violates in 66.7 % of jobs; run ${mixed?.id ?? "–"}, with ${average} GB on average, in 0 %.`,
    shows: `The first counts the sum of distinct models (by peak it is ${percentText(violationPct(inputs, "peakGb"))}), the second does not: by the sum, ${average} GB cannot be 0 %. Nor can it by the peak: all models that fit ${inputs.budgetGb} GB add up to ${numberText(mostWithinBudgetGb(inputs), 1)} GB, so an average of ${average} needs phi4, ${modelGb(inputs, "phi4")} GB, in at least one job.`,
  };
}

function fewRuns({ runs, jobs }: SwarmRouterInputs): Finding {
  const won = (side: "lp" | "llm" | "tied"): number => runs.filter((run) => winnerOf(run) === side).length;
  const test = signTest(runs.map((run) => run.lpScorePct.value - run.llmScorePct.value));
  return {
    id: "few-runs",
    kind: "assumption",
    section: "6",
    says: "The linear program is best under memory stress; run 234936 is the showcase.",
    shows: `Over the ${runs.length} runs it wins ${won("lp")}, ties ${won("tied")} and loses ${won("llm")} on average score${test.kind === "tested" ? ` (sign test p = ${numberText(test.p, 2)})` : ""}, each with ${jobs} jobs once, and settings that change from run to run.`,
  };
}

function matchesOrBeats({ runs }: SwarmRouterInputs): Finding {
  const lost = runs.filter((run) => winnerOf(run) === "llm");
  const scores = (side: "lpScorePct" | "llmScorePct"): readonly number[] =>
    runs.map((run) => run[side].value);
  const span = (values: readonly number[]): string =>
    `${numberText(Math.min(...values), 1)} to ${numberText(Math.max(...values), 1)}`;
  return {
    id: "matches-or-beats",
    kind: "contradiction",
    section: "9",
    says: "The linear program matches or beats the language model, 74 % against 44 to 77 %.",
    shows: `It scores ${span(scores("lpScorePct"))} %, the language model ${span(scores("llmScorePct"))} %, and the latter is ahead in ${lost.length} of ${runs.length} runs (${lost.map((run) => run.id).join(", ")}).`,
  };
}

function solveTime(inputs: SwarmRouterInputs): Finding {
  const { steps, meanMs } = otherStepsSolveMs(inputs);
  return {
    id: "solve-time",
    kind: "contradiction",
    section: "6, 9",
    says: `Solving takes less than 3 ms per step, ${inputs.showcase.solveMsPerStep.text} ms on average.`,
    shows: `The printed steps of wb1 take ${inputs.showcase.wb1SolveMs.map((step) => step.text).join(", ")} ms. For that average the other ${steps} steps take ${numberText(meanMs, 2)} ms on average: more than 3.`,
  };
}

function relativeScore({ showcase }: SwarmRouterInputs): Finding {
  const lp = meanOf(showcase.perJob.map((job) => job.lpPct.value));
  const llm = meanOf(showcase.perJob.map((job) => job.llmPct.value));
  const cost = showcase.llmScorePerTokenCost.value / showcase.lpScorePerTokenCost.value;
  return {
    id: "relative-score",
    kind: "interpretation",
    section: "6",
    says: "The linear program scores 17.6 % more.",
    shows: `That is relative; it is ${numberText(lp - llm, 1)} points, all of them from one job (wb2). Per token cost the language model scores ${numberText(cost, 1)} times as much.`,
  };
}

function divergence({ divergence: rows }: SwarmRouterInputs): Finding {
  const sum = (side: "lpBetter" | "llmBetter" | "tied"): number =>
    rows.reduce((total, row) => total + row[side], 0);
  return {
    id: "divergence",
    kind: "interpretation",
    section: "7",
    says: "When the two differ, the linear program is better or tied in most cases.",
    shows: `Of ${sum("lpBetter") + sum("llmBetter") + sum("tied")} different choices ${sum("tied")} made no difference; ${sum("lpBetter")} were better and ${sum("llmBetter")} worse.`,
  };
}

function notPrinted({ lambdaToken, lambdaSwitch, showcase }: SwarmRouterInputs): Finding {
  return {
    id: "not-printed",
    kind: "inference",
    section: "2, 6",
    says: `The objective weighs quality against ${lambdaToken} × token cost and ${lambdaSwitch} × switching cost; the score per token cost is ${showcase.lpScorePerTokenCost.text} against ${showcase.llmScorePerTokenCost.text}.`,
    shows:
      "The priors of quality, the token costs and the switching costs are not printed. Neither a route nor either of these two figures can be worked out again, and the two weights have no scale.",
  };
}

function depth(): Finding {
  return {
    id: "depth",
    kind: "contradiction",
    section: "4",
    says: "Depth 0 sees the ready tasks, depth 1 and more also successors.",
    shows:
      "The run with depth 1 is shown with horizons of the ready task alone, and depth 3 sees a chain of three whole: depth counts layers, and its 1 is what the text calls 0.",
  };
}
