/** Study 001: percentages, overheads and costs that do not follow. */
import { changePct } from "../sample-figures.ts";
import type { Finding } from "../study-findings.ts";
import { countText, numberText, percentText } from "../words.ts";
import { costTotals } from "./comparison-figures.ts";
import type { DualInstanceInputs } from "./inputs.ts";
import { overheadSumMs } from "./inputs.ts";

export function costFindings(inputs: DualInstanceInputs): readonly Finding[] {
  return [percentages(inputs), overheads(inputs), targets(inputs), costs(inputs), hybridSpeed(inputs)];
}

function percentages(inputs: DualInstanceInputs): Finding {
  const { solo, singleServer, cost } = inputs;
  const rust = costTotals(cost.rust, cost.years);
  const hybrid = costTotals(cost.hybrid, cost.years);
  const python = costTotals(cost.python, cost.years);
  const change = (quantity: "tokS" | "memoryMb" | "startupS"): number =>
    changePct(solo.python[quantity].value, solo.rust[quantity].value);
  const gain = singleServer.dualFirstVersionPeakPct.value - singleServer.firstPeakPct.value;
  return {
    id: "percentages",
    kind: "contradiction",
    section: "1.1, 5.2, 8",
    says: "Rust: +15.2 % throughput, −67 % memory, −83 % start-up; +17.3 points by the second server; the hybrid saves 64 % and costs 19,000 USD more than Rust.",
    shows: `${percentText(change("tokS"))} (15.2 is the difference in tok/s), ${percentText(change("memoryMb"), 0)}, ${percentText(change("startupS"), 0)} (0.2 s has one digit: −83 to −90 % are possible); ${numberText(gain, 1)} points; ${percentText((1 - hybrid.monthlyUsd / python.monthlyUsd) * 100, 0)} and ${countText(hybrid.devUsd - rust.devUsd)} USD.`,
  };
}

const EXPECTED_TOGETHER_TOK_S = [110, 112] as const;

function overheads(inputs: DualInstanceInputs): Finding {
  const { inferenceS, togetherTokSRounded: together } = inputs;
  const [, most] = overheadSumMs(inputs);
  const share = (seconds: number): number => most / (seconds * 10);
  const loss = EXPECTED_TOGETHER_TOK_S.map((expected) => (1 - together.value / expected) * 100);
  return {
    id: "overheads",
    kind: "contradiction",
    section: "4.4, 5.2, 6.3",
    says: "Coordination costs 15 to 18 %; it costs 0.3 to 0.6 % of the wall; it costs 1 to 2 %.",
    shows: `The printed 110 to 112 tok/s expected against ${numberText(together.value, 0)} observed is a loss of ${percentText(Math.min(...loss), 0)}, none of the three. 380 ms are ${percentText(share(inferenceS[1]), 2)} of 60 s and ${percentText(share(inferenceS[0]), 2)} of 50 s. The estimates are not measurements.`,
  };
}

function targets({ serviceLevels, inferenceS, cost }: DualInstanceInputs): Finding {
  const rust = costTotals(cost.rust, cost.years);
  const python = costTotals(cost.python, cost.years);
  return {
    id: "targets",
    kind: "contradiction",
    section: "6.3, 9.2",
    says: `Targets: p95 under ${serviceLevels.latencyP95S} s end to end; Rust below ${serviceLevels.costShareOfPythonPctBelow} % of Python's cost.`,
    shows: `An agent's inference takes ${inferenceS[0]} to ${inferenceS[1]} s by the study, so no run can meet the first (2 s fits the first token). Its costs are ${percentText((rust.monthlyUsd / python.monthlyUsd) * 100, 0)} exactly, which is not below.`,
  };
}

function costs({ cost }: DualInstanceInputs): Finding {
  const python = costTotals(cost.python, cost.years);
  const hybrid = costTotals(cost.hybrid, cost.years);
  return {
    id: "highest-cost",
    kind: "contradiction",
    section: "8.3",
    says: "Python alone is not recommended, for it costs most.",
    shows: `Over ${cost.years} years the hybrid costs most: ${countText(hybrid.tcoUsd)} against ${countText(python.tcoUsd)} USD. Instance counts (8 and 4) are given, not derived from memory or throughput.`,
  };
}

function hybridSpeed({ solo, togetherTokSRounded: together }: DualInstanceInputs): Finding {
  return {
    id: "hybrid-speed",
    kind: "contradiction",
    section: "8.2, 8.3",
    says: "The hybrid is 15 % faster per agent, 114.54 against about 42 tok/s.",
    shows: `Those two are ${numberText(solo.rust.tokS.value / together.value, 2)} × apart. The first is one agent alone; workers that run together on the same card would share it too.`,
  };
}
