/** Study 001: statements that its own numbers do not carry. */
import { meanOf } from "../sample-figures.ts";
import type { Finding } from "../study-findings.ts";
import { countText, numberText, percentText } from "../words.ts";
import { costFindings } from "./cost-findings.ts";
import { repeatGroups, trueSpeedup } from "./corrections.ts";
import { runCount, scenarioDeltas } from "./delta-figures.ts";
import { combinedMean, contextGains, mostMeanSdPoints } from "./efficiency-figures.ts";
import type { DualInstanceInputs } from "./inputs.ts";
import { AGENTS, configurationNamed, configurationsOf, SCENARIOS } from "./inputs.ts";

export function dualInstanceFindings(inputs: DualInstanceInputs): readonly Finding[] {
  return [
    balanceIndex(inputs),
    sameSetting(inputs),
    overallMean(inputs),
    halves(inputs),
    consistency(inputs),
    fewBadRuns(inputs),
    peaks(inputs),
    bestHomo(inputs),
    pythonPeak(inputs),
    deviations(inputs),
    hardware(),
    whoWins(inputs),
    context(inputs),
    grid(inputs),
    agentsDiffer(inputs),
    ...costFindings(inputs),
    skew(inputs),
  ];
}

function balanceIndex(inputs: DualInstanceInputs): Finding {
  const alone = inputs.solo.rust.tokS.value;
  const together = inputs.togetherTokSRounded.value;
  const speedup = trueSpeedup([together, together], alone);
  return {
    id: "balance-index",
    kind: "interpretation",
    section: "2.4, appendix C",
    says: "Speedup 1.97 and efficiency 98 %: near-perfect concurrency.",
    shows: `The formula divides the agents' own, already slowed durations by the wall, and stays near ${AGENTS} however much each loses. With ${numberText(together, 0)} tok/s together against ${numberText(alone, 2)} alone the true speedup is ${AGENTS} × ${numberText(together, 0)} ÷ ${numberText(alone, 2)} = ${numberText(speedup, 2)}, if the single-agent workload was the same, which the study doubts.`,
  };
}

function sameSetting(inputs: DualInstanceInputs): Finding {
  const groups = repeatGroups(inputs);
  const cells = groups.reduce((sum, group) => sum + group.cells.length, 0);
  const spreads = groups.map((group) => group.spreadPoints);
  const [first, again] = [configurationNamed(inputs, "test003"), configurationNamed(inputs, "test202")];
  return {
    id: "same-setting",
    kind: "inference",
    section: "3.2, 7, 9.4",
    says: "num_gpu 80 is a sweet spot, 120 is unstable, 20 to 40 layers of difference are optimal.",
    shows: `A model of about ${inputs.layersOfModel.about} layers is wholly offloaded at every num_gpu from 60 to 140: these are ${cells} repeats of ${groups.length} settings, and they differ by up to ${numberText(Math.max(...spreads), 2)} points. test003 and test202 are even one cell by name and print ${numberText(first.averageEfficiencyPct.value, 2)} and ${numberText(again.averageEfficiencyPct.value, 2)} %. The differences that rank configurations and runtimes (0.15 points between the two best) lie below this A/A noise floor.`,
  };
}

function overallMean(inputs: DualInstanceInputs): Finding {
  const counts = inputs.configurationsPerScenario;
  const mean = (scenario: (typeof SCENARIOS)[number]): number =>
    meanOf(configurationsOf(inputs, scenario).map((one) => one.averageEfficiencyPct.value));
  const baseline = mean("baseline_vs_chimera");
  const hetero = mean("chimera_hetero");
  const combined = combinedMean(counts, baseline, hetero, inputs.homoMeanAllPct.value);
  const all = counts.baseline_vs_chimera + counts.chimera_hetero + counts.chimera_homo;
  const printed = inputs.overall.efficiencyPct.mean.value;
  const needed =
    (all * printed - counts.baseline_vs_chimera * baseline - counts.chimera_hetero * hetero) /
    counts.chimera_homo;
  return {
    id: "overall-mean",
    kind: "contradiction",
    section: "3.1, 3.2",
    says: "98.281 % over all 135 runs; 97.37, 98.79 and 98.40 % by scenario.",
    shows: `7, 7 and 13 configurations of five runs combine to ${percentText(combined, 3)}. For ${percentText(printed, 3)} the homogeneous scenario would need ${percentText(needed, 2)}.`,
  };
}

function halves({ overall }: DualInstanceInputs): Finding {
  const half = (value: number): string => percentText((value * 100) / AGENTS, 2);
  return {
    id: "speedup-against-efficiency",
    kind: "contradiction",
    section: "3.1, 4.1, 4.2",
    says: "Speedup: mean 1.969, median 1.977. Efficiency: mean 98.281 %, median 98.6 %.",
    shows: `Efficiency is half the speedup in every run, so also in mean and median: ${half(overall.speedup.mean.value)} and ${half(overall.speedup.median.value)}. The other percentiles do agree, so mean and median of one of the two are wrong.`,
  };
}

function consistency(inputs: DualInstanceInputs): Finding {
  const most = (scenario: (typeof SCENARIOS)[number]): string =>
    numberText(mostMeanSdPoints(inputs, scenario), 2);
  return {
    id: "consistency-impossible",
    kind: "contradiction",
    section: "4.3",
    says: "Mean sd within a configuration: 3.8, 2.1 and 6.2 points; heterogeneous cells are the most consistent.",
    shows: `Five runs with a given mean m and best run p have sd ≤ √5·(p − m). From the printed means and best runs the mean sd is at most ${most("baseline_vs_chimera")}, ${most("chimera_hetero")} and ${most("chimera_homo")} points: the second and third are impossible.`,
  };
}

function fewBadRuns(inputs: DualInstanceInputs): Finding {
  const runs = runCount(inputs);
  const p5 = (inputs.overall.speedup.p5.value * 100) / AGENTS;
  // Type 7: the 5 % quantile lies between these two order statistics.
  const below = Math.floor((runs - 1) * 0.05) + 1;
  return {
    id: "few-bad-runs",
    kind: "contradiction",
    section: "4.1",
    says: "P5 is 88.9 %; three runs lie under 95 %; 90 % of runs lie within 96 to 100 %.",
    shows: `The 5th percentile of ${runs} runs is no smaller than the ${below}th smallest, so at least ${below} runs lie at or under ${percentText(p5)}, not three under 95 %.`,
  };
}

function peaks(inputs: DualInstanceInputs): Finding {
  const test004 = configurationNamed(inputs, "test004");
  const hetero = Math.max(
    ...configurationsOf(inputs, "chimera_hetero").map((one) => one.peakEfficiencyPct.value),
  );
  return {
    id: "peaks",
    kind: "contradiction",
    section: "summary, 3.2, 3.3, 7, appendix A",
    says: "The heterogeneous peak is 99.57 %; the best run of all is test004's or test006's with 99.992 %.",
    shows: `The largest heterogeneous best run printed is ${percentText(hetero, 2)} (test201). test004's is given as ${test004.peakEfficiencyPct.text}, 99.49, 99.96 and 99.992 %; 99.992 % belongs to test108, which is elsewhere given 99.990 % and run 4 in place of run 1. The range is printed up to 99.992 and up to 99.98 %.`,
  };
}

function bestHomo(inputs: DualInstanceInputs): Finding {
  const shown = Math.max(
    ...configurationsOf(inputs, "chimera_homo").map((one) => one.averageEfficiencyPct.value),
  );
  const all = Math.max(
    ...configurationsOf(inputs, "chimera_homo", "all").map((one) => one.averageEfficiencyPct.value),
  );
  const python = inputs.python.best.chimera_homo.value;
  return {
    id: "best-homogeneous",
    kind: "contradiction",
    section: "3.2, 3.3, appendix B",
    says: "The best homogeneous average is 99.01 %, so Python wins that scenario by 0.24 points.",
    shows: `It is also given as ${percentText(all, 3)} (test018), and with that Rust wins it by ${numberText(all - python, 2)} points: ${numberText(shown, 2)} is the best of the three configurations shown.`,
  };
}

function pythonPeak({ python }: DualInstanceInputs): Finding {
  return {
    id: "python-peak-run",
    kind: "contradiction",
    section: "4.4, 5.1",
    says: "Python's best run and its best configuration average are both 99.25 %; Rust's best run is 0.74 points above.",
    shows: `A best run equals an average of runs only if all are equal. ${percentText(python.peakConfigurationPct.value, 2)} is the average, and a run is compared with an average.`,
  };
}

function deviations({ python, overall }: DualInstanceInputs): Finding {
  const cv = (sd: number, mean: number): string => percentText((sd / mean) * 100);
  return {
    id: "deviation-as-cv",
    kind: "contradiction",
    section: "4.4, 5.1",
    says: "Consistency (CV): 7.4 pp against 4.9 pp.",
    shows: `Those are standard deviations in points; the CVs are ${cv(python.sdPoints.value, python.meanPct.value)} and ${cv(overall.efficiencyPct.sd.value, overall.efficiencyPct.mean.value)}. In section 4.3 the heterogeneous sd of 2.1 points is then called a CV.`,
  };
}

/** Of the architecture of the card: cores and tensor cores of one multiprocessor. */
const CORES_PER_SM = 128;
const TENSOR_CORES_PER_SM = 4;

function hardware(): Finding {
  const printedCores = 9728;
  const printedTensorCores = 304;
  const laptopSms = 58;
  return {
    id: "hardware",
    kind: "contradiction",
    section: "2.1",
    says: "RTX 4080 Laptop with 9,728 cores, 304 tensor cores and 504 GB/s; Ollama 0.1.17 serves gemma3.",
    shows: `${countText(printedCores)} ÷ ${CORES_PER_SM} and ${printedTensorCores} ÷ ${TENSOR_CORES_PER_SM} both make ${printedCores / CORES_PER_SM} multiprocessors, the desktop card's. The kernel study gives the same laptop card ${laptopSms} (${countText(laptopSms * CORES_PER_SM)} cores) and 432 GB/s. The engine's version is of 2023, the model of 2025.`,
  };
}

function whoWins({ python, overall }: DualInstanceInputs): Finding {
  return {
    id: "who-wins",
    kind: "contradiction",
    section: "summary, 4.4, 5.3, 6, 10",
    says: "Python wins several agents by 3 to 4 %; Rust's coordination is superior; the two are at parity.",
    shows: `All three are stated. The tables give Rust ${numberText(overall.efficiencyPct.mean.value - python.meanPct.value, 2)} points more on average, of a balance index, from other runs with other eviction of models; that decides nothing.`,
  };
}

function context(inputs: DualInstanceInputs): Finding {
  const gains = contextGains(inputs).map((gain) => numberText(gain, 2));
  return {
    id: "context-gain",
    kind: "contradiction",
    section: "3.2",
    says: "Context 1024 improves efficiency by 0.5 to 1.5 points over 512.",
    shows: `The three pairs differ by ${gains.join(", ")} points. The last is one contended run; the others lie within the noise floor.`,
  };
}

function agentsDiffer(inputs: DualInstanceInputs): Finding {
  const { byScenario, weighted } = scenarioDeltas(inputs);
  const { mean, sd } = inputs.overall.throughputDeltaTokS;
  return {
    id: "agents-differ",
    kind: "interpretation",
    section: "3.1, 5.4",
    says: `The mean throughput delta of ${mean.text} tok/s shows that the agents share evenly.`,
    shows: `By scenario the first agent has ${byScenario.map((delta) => numberText(delta, 1)).join(", ")} tok/s more than the second: differences of opposite sign, and the one that is not small is where one agent keeps the engine's own settings. Weighted by configurations they give ${numberText(weighted, 2)}; the rates are of sampled configurations, so that is no contradiction. A mean near 0 with an sd of ${sd.text} says that neither agent is favoured always, not that a run is even.`,
  };
}

function grid({ homoGrid, configurationsPerScenario }: DualInstanceInputs): Finding {
  const cells = homoGrid.numGpu.length * homoGrid.numCtx.length * homoGrid.temperature.length;
  return {
    id: "homogeneous-grid",
    kind: "contradiction",
    section: "2.3, 3.2",
    says: "The homogeneous scenario is a full sweep of three num_gpu, three contexts and three temperatures.",
    shows: `That is ${cells} configurations; ${configurationsPerScenario.chimera_homo} were run and four are printed.`,
  };
}

function skew({ overall }: DualInstanceInputs): Finding {
  return {
    id: "skew",
    kind: "contradiction",
    section: "4.1",
    says: "The distribution is highly skewed right, with a tail to the left.",
    shows: `A tail to the left is a skew to the left: the mean (${overall.efficiencyPct.mean.text}) lies below the median (${overall.efficiencyPct.median.text}).`,
  };
}
