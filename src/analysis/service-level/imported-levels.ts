/**
 * Service levels of results that another program measured: there are figures of each run and no
 * records, so what stands in the file is judged as our own is, and the rest cannot be told.
 */
import type { RunManifest } from "../../record/run-manifest.ts";
import type { SummaryConfiguration, SummaryRecord, SummaryRun } from "../../record/summary-record.ts";
import { mean } from "../../stats/quantile.ts";
import type { CostReport } from "../cost/cost.ts";
import type { Reading } from "./reading.ts";
import { costReading, meanOfTrials, rate, worstOfTrials } from "./reading.ts";
import type { JudgedLevel, ServiceLevelReport } from "./service-level.ts";
import { judgedReading, stateOfAll, worstOf } from "./service-level.ts";
import type { MetricName, ServiceLevelFile, Target } from "./service-level-file.ts";
import { METRICS } from "./service-level-file.ts";

const MISSING = "it is not in the imported file";

export function judgeImportedLevels(
  file: ServiceLevelFile,
  { manifest, summary }: { readonly manifest: RunManifest; readonly summary: SummaryRecord },
  costs?: CostReport,
): ServiceLevelReport {
  const { configurations } = summary;
  const levels = file.targets.map((target) => judged(target, configurations, costs));
  return {
    title: file.title,
    about: `run ${manifest.runId}`,
    simulated: summary.simulated,
    levels,
    perCell: configurations.length > 1,
    notJudged: file.notJudged,
    state: stateOfAll(levels),
  };
}

function judged(
  target: Target,
  configurations: readonly SummaryConfiguration[],
  costs: CostReport | undefined,
): JudgedLevel {
  if (METRICS[target.metric].kind === "cost")
    return judgedReading(target, costReading(target.metric, target.option, costs), undefined);
  const each = configurations.map(({ test, runs }) => ({
    ...judgedReading(target, readingOf(target.metric, runs), besideOf(target.metric, runs)),
    ...(configurations.length > 1 ? { cell: test } : {}),
  }));
  return worstOf(each) ?? judgedReading(target, readingOf(target.metric, []), undefined);
}

function readingOf(metric: MetricName, runs: readonly SummaryRun[]): Reading {
  if (metric === "ttftDeltaMs")
    return worstOfTrials(
      runs.map((run) => run.ttft_delta_ms),
      MISSING,
    );
  if (metric === "contentionPct") {
    const decided = runs.flatMap((run) => run.resource_contention_detected ?? []);
    return rate(decided.filter(Boolean).length, decided.length, "trials", MISSING);
  }
  if (metric === "errorPct") {
    const counted = runs
      .flatMap((run) => run.agents)
      .flatMap(({ requests, failures }) =>
        requests === undefined || failures === undefined ? [] : [{ requests, failures }],
      );
    const sum = (of: (one: (typeof counted)[number]) => number): number =>
      counted.reduce((total, one) => total + of(one), 0);
    const failed = sum(({ failures }) => failures);
    // The file counts the requests that ended well.
    return rate(failed, sum(({ requests }) => requests) + failed, "requests", MISSING);
  }
  return meanOfTrials(
    runs.map((run) => FIGURES[metric]?.(run)),
    MISSING,
  );
}

/** One value per run; a metric that is not here needs records. */
const FIGURES: Readonly<Partial<Record<MetricName, (run: SummaryRun) => number | undefined>>> = {
  balanceIndex: (run) => run.concurrency_speedup,
  balancePct: (run) => run.efficiency_percent,
  trueSpeedup: (run) => run.true_speedup,
  trueEfficiencyPct: (run) => run.true_efficiency_percent,
  retention: (run) => meanOfAll(run.agents.map((agent) => agent.retention)),
  agentTokS: (run) => meanOfAll(run.agents.map((agent) => agent.throughput_tok_s)),
  aggregateTokS: (run) => run.aggregate_throughput_tok_s,
  aggregateGain: (run) => run.aggregate_gain,
  fairness: (run) => run.jain_index,
};

function meanOfAll(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length ? mean(known) : undefined;
}

function besideOf(metric: MetricName, runs: readonly SummaryRun[]): JudgedLevel["beside"] {
  const meanOf = (of: (run: SummaryRun) => number | undefined): number | undefined =>
    mean(runs.map(of).filter((value) => value !== undefined));
  if (metric === "balanceIndex")
    return { name: "true speedup", unit: "×", value: meanOf((run) => run.true_speedup) };
  if (metric === "balancePct")
    return { name: "true efficiency", unit: "%", value: meanOf((run) => run.true_efficiency_percent) };
  return undefined;
}
