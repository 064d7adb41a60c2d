/** An analysis in the words of `summary.json`. Unknown figures are absent fields. */
import type {
  SummaryAgent,
  SummaryConfiguration,
  SummaryDistribution,
  SummaryOverall,
  SummaryRecord,
  SummaryRun,
} from "../record/summary-record.ts";
import { SUMMARY_VERSION } from "../record/summary-record.ts";
import type { Description } from "../stats/describe.ts";
import type { RunAnalysis } from "./analyse-run.ts";
import type { BlockAgent, BlockAnalysis } from "./block.ts";
import type { BlockFigures, CellAnalysis } from "./cell.ts";

export function toSummary(analysis: RunAnalysis): SummaryRecord {
  const { manifest, cells } = analysis;
  return {
    version: SUMMARY_VERSION,
    run_id: manifest.runId,
    scenario: manifest.scenario,
    simulated: analysis.simulated,
    imported: false,
    configurations: cells.map(configuration),
    overall: overall(analysis),
  };
}

function configuration(cell: CellAnalysis): SummaryConfiguration {
  return {
    test: cell.label,
    scenario: cell.scenario,
    parameters: { ...cell.parameters },
    runs: cell.blocks.flatMap(run),
    ...averages(cell.figures, [cell]),
    ...known({ peak_efficiency_percent: cell.figures.balancePct?.max }),
    cell_hash: cell.hash,
  };
}

/** A trial in which no time passed has no speedup, and is no run. */
function run(block: BlockAnalysis): readonly SummaryRun[] {
  const { nominal } = block;
  if (nominal === undefined || nominal.speedup <= 0) return [];
  return [
    {
      run: block.repeat + 1,
      concurrency_speedup: nominal.speedup,
      efficiency_percent: nominal.efficiencyPct,
      ...known({
        throughput_delta: block.throughputDeltaTokS,
        ttft_delta_ms: block.ttftDeltaMs,
        resource_contention_detected: block.contended,
        true_speedup: block.true?.speedup,
        true_efficiency_percent: block.true?.efficiencyPct,
        aggregate_gain: block.aggregateGain,
        aggregate_throughput_tok_s: block.figures.whole.tokS,
        jain_index: block.fairness,
      }),
      wall_ms: block.figures.wallMs,
      failures: block.failures,
      trial_id: block.trialId,
      agents: block.agents.map(agent),
    },
  ];
}

function agent({ together, retention, contended }: BlockAgent): SummaryAgent {
  return {
    agent: together.agent,
    ...known({
      throughput_tok_s: together.throughputTokS,
      ttft_ms: together.ttftMedianMs,
      total_ms: together.totalMs,
      output_tokens: together.outputTokens,
      retention,
      contention_detected: contended,
    }),
    requests: together.requests,
    failures: together.failed,
  };
}

function overall({ cells, overall: figures }: RunAnalysis): SummaryOverall {
  return {
    configurations: cells.length,
    runs: cells.reduce((total, cell) => total + cell.blocks.flatMap(run).length, 0),
    ...averages(figures, cells),
    ...known({
      concurrency_speedup: distribution(figures.balanceIndex),
      efficiency_percent: distribution(figures.balancePct),
      throughput_delta: distribution(figures.throughputDeltaTokS),
      ttft_delta_ms: distribution(figures.ttftDeltaMs),
      true_speedup: distribution(figures.trueSpeedup),
      aggregate_gain: distribution(figures.aggregateGain),
    }),
  };
}

function averages(figures: BlockFigures, cells: readonly CellAnalysis[]) {
  const decided = cells.reduce((total, cell) => total + cell.contention.decided, 0);
  const contended = cells.reduce((total, cell) => total + cell.contention.contended, 0);
  return known({
    average_concurrency_speedup: figures.balanceIndex?.mean,
    average_efficiency: figures.balancePct?.mean,
    average_throughput_delta: figures.throughputDeltaTokS?.mean,
    average_ttft_delta_ms: figures.ttftDeltaMs?.mean,
    average_true_speedup: figures.trueSpeedup?.mean,
    average_true_efficiency: figures.trueEfficiencyPct?.mean,
    average_aggregate_gain: figures.aggregateGain?.mean,
    contention_runs: decided === 0 ? undefined : contended,
  });
}

function distribution(description: Description | undefined): SummaryDistribution | undefined {
  if (description === undefined) return undefined;
  const { n, mean, median, min, max, p5, p25, p75, p95, spread } = description;
  return {
    n,
    mean,
    median,
    min,
    max,
    ...known({
      std: spread.kind === "known" ? spread.sd : spread.kind === "no-variance" ? 0 : undefined,
      cv_percent: spread.kind === "known" ? spread.cvPct : undefined,
    }),
    p5,
    p25,
    p75,
    p95,
  };
}

type Known<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The fields that have a value: an unknown one is left out, as the schema wants it. */
function known<T extends object>(fields: T): Known<T> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Known<T>;
}
