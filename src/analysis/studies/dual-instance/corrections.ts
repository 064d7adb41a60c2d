/** Study 001: what its figures should be read against. */
import { meanOf } from "../sample-figures.ts";
import type { CorrectionTable } from "../study-findings.ts";
import type { Configuration, DualInstanceInputs, Scenario } from "./inputs.ts";
import { AGENTS, configurationsOf, SCENARIO_NAMES, SCENARIOS } from "./inputs.ts";

export function dualInstanceCorrections(inputs: DualInstanceInputs): readonly CorrectionTable[] {
  return [balanceIndex(inputs), noiseFloor(inputs)];
}

/**
 * Σ (time an agent's work takes alone) ÷ wall, when agents decode for the same time at these
 * rates: tokens ÷ rate alone, summed, ÷ time together, so the time cancels out.
 */
export function trueSpeedup(togetherTokS: readonly number[], aloneTokS: number): number {
  return togetherTokS.reduce((sum, rate) => sum + rate / aloneTokS, 0);
}

function balanceIndex(inputs: DualInstanceInputs): CorrectionTable {
  const row = (runtime: "rust" | "python", scenario: Scenario) => {
    const rates = inputs.togetherTokS[runtime][scenario].map((rate) => rate.value);
    const alone = inputs.solo[runtime].tokS.value;
    const speedup = trueSpeedup(rates, alone);
    const index =
      runtime === "rust"
        ? meanOf(configurationsOf(inputs, scenario).map((one) => one.averageSpeedup?.value ?? Number.NaN))
        : (inputs.python.best[scenario].value * AGENTS) / 100;
    return {
      label: `${runtime === "rust" ? "Rust" : "Python"}, ${SCENARIO_NAMES[scenario]}`,
      values: [index, meanOf(rates), alone, speedup, (speedup / AGENTS) * 100],
    };
  };
  return {
    id: "balance-index",
    title: "The published speedup against the true one",
    note: "Published: Σ of the agents' own times together ÷ wall. Agents that start together have it near 2 however much each is slowed: it says how evenly they finish. True: what the same work would take alone, one agent after the other, ÷ wall. It is as sure as the rate alone: the study doubts that its single-agent task is the same workload, and its rates count decode only, so 0.73 is what follows if it is the same. Published: Rust, mean of the configurations shown; Python, its best one. Together: mean of the two agents.",
    columns: [
      { heading: "published", unit: "times", decimals: 2 },
      { heading: "together", unit: "tok/s", decimals: 1 },
      { heading: "alone", unit: "tok/s", decimals: 1 },
      { heading: "true", unit: "times", decimals: 2 },
      { heading: "kept", unit: "percent", decimals: 0 },
    ],
    rows: (["rust", "python"] as const).flatMap((runtime) =>
      SCENARIOS.map((scenario) => row(runtime, scenario)),
    ),
  };
}

export interface RepeatGroup {
  readonly label: string;
  readonly cells: readonly Configuration[];
  readonly spreadPoints: number;
}

/** Configurations that differ in num_gpu alone, where every num_gpu is more than the model has layers. The homogeneous ones differ in temperature too. */
export function repeatGroups(inputs: DualInstanceInputs): readonly RepeatGroup[] {
  const groups = new Map<string, Configuration[]>();
  for (const one of inputs.configurations) {
    if (one.scenario === "chimera_homo" || one.numGpu.some((layers) => layers < inputs.layersOfModel.about))
      continue;
    const label = `${SCENARIO_NAMES[one.scenario]}, context ${one.numCtx.join("/")}`;
    groups.set(label, [...(groups.get(label) ?? []), one]);
  }
  return [...groups]
    .filter(([, cells]) => cells.length > 1)
    .map(([label, cells]) => {
      const averages = cells.map((one) => one.averageEfficiencyPct.value);
      return { label, cells, spreadPoints: Math.max(...averages) - Math.min(...averages) };
    });
}

function noiseFloor(inputs: DualInstanceInputs): CorrectionTable {
  return {
    id: "noise-floor",
    title: "Cells that are repeats of one setting: an A/A noise floor",
    note: `The model has about ${inputs.layersOfModel.about} layers to offload, so num_gpu 60 to 140 all ask for the same. What these averages of five runs differ by is noise, and no smaller difference between other cells means anything. Quiet: the spread without the one contended configuration, test005. All at temperature 0.8.`,
    columns: [
      { heading: "cells", unit: "plain", decimals: 0 },
      { heading: "least", unit: "percent", decimals: 2 },
      { heading: "most", unit: "percent", decimals: 2 },
      { heading: "spread", unit: "points", decimals: 2 },
      { heading: "quiet", unit: "points", decimals: 2 },
    ],
    rows: repeatGroups(inputs).map(({ label, cells, spreadPoints }) => {
      const averages = cells.map((one) => one.averageEfficiencyPct.value);
      const quiet = cells
        .filter((one) => one.contentionRuns === 0)
        .map((one) => one.averageEfficiencyPct.value);
      return {
        label,
        values: [
          cells.length,
          Math.min(...averages),
          Math.max(...averages),
          spreadPoints,
          Math.max(...quiet) - Math.min(...quiet),
        ],
      };
    }),
  };
}
