/** Study 001, differences: Rust against Python, together against alone, and costs (sections 4 to 8). */
import type { RecomputedFigures } from "../recomputed-figures.ts";
import { changePct, meanOf } from "../sample-figures.ts";
import { runCount } from "./delta-figures.ts";
import type { CostOption, DualInstanceInputs } from "./inputs.ts";
import { configurationsOf, contendedRuns, overheadSumMs, SCENARIOS } from "./inputs.ts";

export function pythonFigures(book: RecomputedFigures, inputs: DualInstanceInputs): void {
  const { python, overall } = inputs;
  const less = (first = 0, second = 0): number => first - second;
  const delta = (id: string, rust: typeof python.meanPct, of: typeof rust): void =>
    book.from(`against-python.${id}.delta`, [rust, of], less);
  const best = (scenario: (typeof SCENARIOS)[number]) => {
    const cells = configurationsOf(inputs, scenario).map((one) => one.averageEfficiencyPct);
    return cells.reduce((a, b) => (b.value > a.value ? b : a));
  };
  const peaks = inputs.configurations.map((one) => one.peakEfficiencyPct);
  delta("mean", overall.efficiencyPct.mean, python.meanPct);
  delta("peak-config", best("chimera_hetero"), python.peakConfigurationPct);
  // Python's best run is printed with the number of its best average.
  delta(
    "peak-run",
    peaks.reduce((a, b) => (b.value > a.value ? b : a)),
    python.peakConfigurationPct,
  );
  delta("sd", overall.efficiencyPct.sd, python.sdPoints);
  delta("cv", inputs.rustCvPct, python.cvPct);
  delta("median", overall.efficiencyPct.median, python.medianPct);
  delta("p95", inputs.rustP95Pct, python.p95Pct);
  delta("best-baseline", best("baseline_vs_chimera"), python.best.baseline_vs_chimera);
  delta("best-hetero", best("chimera_hetero"), python.best.chimera_hetero);
  delta("best-homo", best("chimera_homo"), python.best.chimera_homo);
  book.from(
    "against-python.python-cv.delta",
    [python.sdPoints, python.meanPct],
    (sd = 0, mean = 1) => (sd / mean) * 100,
  );
  const runs = runCount(inputs);
  const rustPct = (contendedRuns(inputs.configurations) / runs) * 100;
  book.exactly("against-python.contention-low.delta", rustPct - python.contentionPct[0].value);
  book.exactly("against-python.contention-high.delta", rustPct - python.contentionPct[1].value);
}

export function soloFigures(book: RecomputedFigures, { solo }: DualInstanceInputs): void {
  const change = (python = 1, rust = 0): number => changePct(python, rust);
  for (const [id, quantity] of [
    ["throughput", "tokS"],
    ["ttft", "ttftMs"],
    ["memory", "memoryMb"],
    ["startup", "startupS"],
  ] as const)
    book.from(`solo.${id}.delta`, [solo.python[quantity], solo.rust[quantity]], change);
}

const MS_PER_S = 1000;

export function paradoxFigures(book: RecomputedFigures, inputs: DualInstanceInputs): void {
  const { solo, togetherTokSRounded: together, singleServer, inferenceS } = inputs;
  const loss = (alone = 1, now = 0): number => changePct(alone, now);
  book.from("paradox.rust-loss.value", [solo.rust.tokS, together], loss);
  book.from("paradox.python-loss.value", [solo.python.tokS, together], loss);
  book.from(
    "paradox.loss-difference.value",
    [solo.python.tokS, solo.rust.tokS, together],
    (python = 1, rust = 1, now = 0) => loss(python, now) - loss(rust, now),
  );
  book.from(
    "paradox.server-gain.value",
    [singleServer.dualFirstVersionPeakPct, singleServer.firstPeakPct],
    (dual = 0, single = 0) => dual - single,
  );
  for (const runtime of ["rust", "python"] as const)
    book.put(
      `paradox.${runtime}-average.value`,
      { rates: SCENARIOS.flatMap((scenario) => inputs.togetherTokS[runtime][scenario]) },
      ({ rates }) => meanOf(rates),
    );
  const [leastMs, mostMs] = overheadSumMs(inputs);
  book.exactly("paradox.overhead-low.value", leastMs);
  book.exactly("paradox.overhead-high.value", mostMs);
  book.exactly("paradox.overhead-share-low.value", (leastMs / (inferenceS[1] * MS_PER_S)) * 100);
  book.exactly("paradox.overhead-share-high.value", (mostMs / (inferenceS[0] * MS_PER_S)) * 100);
}

export interface CostTotals {
  readonly monthlyUsd: number;
  readonly devUsd: number;
  readonly yearlyUsd: number;
  readonly tcoUsd: number;
}

export function costTotals({ monthly, devUsd, yearlyUsd }: CostOption, years: number): CostTotals {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const dev = sum(devUsd);
  const yearly = sum(yearlyUsd);
  return {
    monthlyUsd: sum(monthly.map(({ count, usd }) => count * usd)),
    devUsd: dev,
    yearlyUsd: yearly,
    tcoUsd: dev + years * yearly,
  };
}

const MONTHS = 12;

export function costFigures(book: RecomputedFigures, { cost }: DualInstanceInputs): void {
  const totals = {
    python: costTotals(cost.python, cost.years),
    rust: costTotals(cost.rust, cost.years),
    hybrid: costTotals(cost.hybrid, cost.years),
  };
  for (const [name, { monthlyUsd, devUsd, yearlyUsd, tcoUsd }] of Object.entries(totals)) {
    book.exactly(`cost.${name}.monthly`, monthlyUsd);
    book.exactly(`cost.${name}.dev`, devUsd);
    book.exactly(`cost.${name}.yearly`, yearlyUsd);
    book.exactly(`cost.${name}.tco`, tcoUsd);
  }
  const { python, rust, hybrid } = totals;
  const put = (id: string, value: number): void => book.exactly(`savings.${id}.value`, value);
  const share = (saved: number, of: number): number => (saved / of) * 100;
  put("rust-month", python.monthlyUsd - rust.monthlyUsd);
  put("rust-month-pct", share(python.monthlyUsd - rust.monthlyUsd, python.monthlyUsd));
  put("rust-year", (python.monthlyUsd - rust.monthlyUsd) * MONTHS);
  put("hybrid-year", (python.monthlyUsd - hybrid.monthlyUsd) * MONTHS);
  put("hybrid-year-pct", share(python.monthlyUsd - hybrid.monthlyUsd, python.monthlyUsd));
  put("hybrid-rust-year", (rust.monthlyUsd - hybrid.monthlyUsd) * MONTHS);
  put("hybrid-rust-pct", share(rust.monthlyUsd - hybrid.monthlyUsd, rust.monthlyUsd));
  put("rust-tco-pct", share(python.tcoUsd - rust.tcoUsd, python.tcoUsd));
  put("hybrid-tco-pct", share(hybrid.tcoUsd - python.tcoUsd, python.tcoUsd));
  for (const [name, option] of [
    ["rust", rust],
    ["hybrid", hybrid],
  ] as const) {
    const extra = option.devUsd - python.devUsd;
    const annual = python.yearlyUsd - option.yearlyUsd;
    put(`${name}-extra`, extra);
    put(`${name}-annual`, annual);
    put(`${name}-months`, (extra / annual) * MONTHS);
    put(`${name}-years`, extra / annual);
  }
  put("hybrid-rust-extra", hybrid.devUsd - rust.devUsd);
  put("hybrid-rust-extra-said", hybrid.devUsd - rust.devUsd);
  put("hybrid-rust-annual", rust.yearlyUsd - hybrid.yearlyUsd);
}
