/** Study 001, efficiencies: sections 3 and 4 from the configurations' averages and best runs. */
import type { RecomputedFigures } from "../recomputed-figures.ts";
import { meanOf } from "../sample-figures.ts";
import { runCount } from "./delta-figures.ts";
import type { Configuration, DualInstanceInputs, Scenario } from "./inputs.ts";
import { AGENTS, configurationsOf, contendedRuns, SCENARIOS } from "./inputs.ts";

const PER_CENT = 100 / AGENTS;

export function efficiencyFigures(book: RecomputedFigures, inputs: DualInstanceInputs): void {
  for (const { test, averageSpeedup } of inputs.configurations)
    if (averageSpeedup !== undefined)
      book.from(`efficiency.${test}.mean`, [averageSpeedup], (speedup = 0) => speedup * PER_CENT);
  scenarioFigures(book, inputs);
  rankings(book, inputs);
  overallFigures(book, inputs);
  consistencyFigures(book, inputs);
  contextFigures(book, inputs);
}

function scenarioFigures(book: RecomputedFigures, inputs: DualInstanceInputs): void {
  const largest = (values: readonly number[]): number => Math.max(...values);
  for (const scenario of SCENARIOS) {
    const cells = configurationsOf(inputs, scenario);
    const averages = cells.map((one) => one.averageEfficiencyPct);
    const id = `scenario.${scenario}`;
    book.put(`${id}.mean`, { averages }, (values) => meanOf(values.averages));
    book.put(`${id}.best`, { averages }, (values) => largest(values.averages));
    book.from(
      `${id}.peak`,
      cells.map((one) => one.peakEfficiencyPct),
      (...peaks) => largest(peaks),
    );
    const contended = contendedRuns(cells);
    book.exactly(`${id}.contention`, (contended / (cells.length * inputs.runsPerConfiguration)) * 100);
  }
  const homo = configurationsOf(inputs, "chimera_homo", "all");
  book.from(
    "scenario.chimera_homo_all.best",
    homo.map((one) => one.averageEfficiencyPct),
    (...averages) => largest(averages),
  );
  const homoPeaks = homo.map((one) => one.peakEfficiencyPct);
  book.from("scenario.chimera_homo_all.peak", homoPeaks, (...peaks) => largest(peaks));
  const allPeaks = inputs.configurations.map((one) => one.peakEfficiencyPct);
  book.from("scenario.all.peak", allPeaks, (...peaks) => largest(peaks));
  const counts = inputs.configurationsPerScenario;
  book.put(
    "scenario.all.mean",
    {
      baseline: configurationsOf(inputs, "baseline_vs_chimera").map((one) => one.averageEfficiencyPct),
      hetero: configurationsOf(inputs, "chimera_hetero").map((one) => one.averageEfficiencyPct),
      homo: [inputs.homoMeanAllPct],
    },
    ({ baseline, hetero, homo: [homoMean = 0] }) =>
      combinedMean(counts, meanOf(baseline), meanOf(hetero), homoMean),
  );
  const runs = runCount(inputs);
  const contended = contendedRuns(inputs.configurations);
  book.exactly("scenario.all.contention", (contended / runs) * 100);
}

/** Every configuration has as many runs, so the mean over runs weighs scenarios by their configurations. */
export function combinedMean(
  counts: DualInstanceInputs["configurationsPerScenario"],
  baseline: number,
  hetero: number,
  homo: number,
): number {
  const sum =
    counts.baseline_vs_chimera * baseline + counts.chimera_hetero * hetero + counts.chimera_homo * homo;
  return sum / (counts.baseline_vs_chimera + counts.chimera_hetero + counts.chimera_homo);
}

const RANKED = 5;

function rankings(book: RecomputedFigures, inputs: DualInstanceInputs): void {
  const byAverage = inputs.configurations.toSorted(
    (a, b) => b.averageEfficiencyPct.value - a.averageEfficiencyPct.value,
  );
  for (const [index, one] of byAverage.slice(0, RANKED).entries())
    book.exactly(`rank-average.${one.test}.rank`, index + 1);
  const named = new Set(inputs.otherPeaks.map((one) => one.test));
  const peaks = [
    ...inputs.otherPeaks.map(({ test, efficiencyPct }) => ({ test, peak: efficiencyPct })),
    // A configuration whose best run is printed with more digits elsewhere counts once.
    ...inputs.configurations
      .filter((one) => !named.has(one.test))
      .map((one) => ({ test: one.test, peak: one.peakEfficiencyPct })),
  ].toSorted((a, b) => b.peak.value - a.peak.value);
  for (const [index, { test, peak }] of peaks.slice(0, RANKED).entries()) {
    book.exactly(`rank-peak.${test}.rank`, index + 1);
    book.from(`rank-peak.${test}.speedup`, [peak], (efficiency = 0) => efficiency / PER_CENT);
  }
}

/** Efficiency is speedup ÷ 2, run by run: so is every order statistic, mean and deviation of them. */
function overallFigures(
  book: RecomputedFigures,
  { overall: { speedup, efficiencyPct } }: DualInstanceInputs,
): void {
  for (const name of ["min", "max", "mean", "median", "sd", "p5", "p25", "p75", "p95"] as const)
    book.from(`overall.${name}.value`, [speedup[name]], (value = 0) => value * PER_CENT);
  book.from("overall.median-share.value", [speedup.median], (value = 0) => value * PER_CENT);
  const cv = (sd = 0, mean = 1): number => (sd / mean) * 100;
  book.from("overall.cv-speedup.value", [speedup.sd, speedup.mean], cv);
  book.from("overall.cv-efficiency.value", [efficiencyPct.sd, efficiencyPct.mean], cv);
  const range = (low = 0, high = 0): number => high - low;
  book.from("overall.range.value", [efficiencyPct.min, efficiencyPct.max], range);
  book.from("overall.range-speedup.value", [speedup.min, speedup.max], range);
}

/**
 * The largest standard deviation that n runs with this mean and this best run can have: with the
 * best at p and Σ(p − x) = n(p − m), the squares are largest when one run carries all of it, and
 * then sd = √n · (p − m).
 */
export function mostSdPoints(configuration: Configuration, runs: number): number {
  const { averageEfficiencyPct: mean, peakEfficiencyPct: peak } = configuration;
  return Math.sqrt(runs) * (peak.value + peak.halfUnit - (mean.value - mean.halfUnit));
}

export function mostMeanSdPoints(inputs: DualInstanceInputs, scenario: Scenario): number {
  return meanOf(
    configurationsOf(inputs, scenario).map((one) => mostSdPoints(one, inputs.runsPerConfiguration)),
  );
}

function consistencyFigures(book: RecomputedFigures, inputs: DualInstanceInputs): void {
  for (const scenario of SCENARIOS) {
    const cells = configurationsOf(inputs, scenario);
    book.between(`consistency.${scenario}.sd`, 0, mostMeanSdPoints(inputs, scenario));
    const mostCv = meanOf(
      cells.map(
        (one) => (mostSdPoints(one, inputs.runsPerConfiguration) / one.averageEfficiencyPct.value) * 100,
      ),
    );
    book.between(`consistency.${scenario}.cv`, 0, mostCv);
  }
}

/** Points that context 1024 gains over 512, at each num_gpu of the baseline scenario. */
export function contextGains(inputs: DualInstanceInputs): readonly number[] {
  const cells = configurationsOf(inputs, "baseline_vs_chimera").filter((one) => one.test !== VALIDATION_TEST);
  return inputs.homoGrid.numGpu.map((layers) => {
    const at = (context: number): number =>
      cells.find((one) => one.numGpu[0] === layers && one.numCtx[0] === context)?.averageEfficiencyPct
        .value ?? Number.NaN;
    return at(1024) - at(512);
  });
}

/** The same cell as test003, run again. */
const VALIDATION_TEST = "test202";

function contextFigures(book: RecomputedFigures, inputs: DualInstanceInputs): void {
  const gains = contextGains(inputs);
  book.exactly("context.low.value", Math.min(...gains));
  book.exactly("context.high.value", Math.max(...gains));
}
