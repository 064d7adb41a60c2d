/**
 * `summary.json`: the results of one run in the field names of the dual-instance study, so that
 * its tools and ours can read each other's files. The study's own fields keep the study's names
 * and definitions; what Slipway adds beside them is optional, in the same snake case, unit last.
 * An unknown value is an absent field, never 0 or null.
 */
import { z } from "zod";

export const SUMMARY_VERSION = 1;

const count = z.int().min(0);
const positive = z.number().gt(0);
const amount = z.number().min(0);
/** A cell's parameter; a list where each agent has its own, in the order of the agents. */
const parameter = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.array(z.union([z.string(), z.number(), z.boolean()])),
]);

/** One agent in one run. */
export const summaryAgentSchema = z.object({
  agent: z.string().min(1),
  /** Σ output tokens ÷ Σ (end − sent), tokens per second. */
  throughput_tok_s: amount.exactOptional(),
  /** Median over the agent's requests of the run. */
  ttft_ms: amount.exactOptional(),
  /** Barrier → the agent's last end. */
  total_ms: amount.exactOptional(),
  output_tokens: count.exactOptional(),
  requests: count.exactOptional(),
  failures: count.exactOptional(),
  /** Throughput together ÷ throughput alone. */
  retention: amount.exactOptional(),
  /** By the published rule: TTFT above its baseline by more than the threshold. */
  contention_detected: z.boolean().exactOptional(),
});

/** One together trial. */
export const summaryRunSchema = z.object({
  /** Counted from 1, as the study does. */
  run: z.int().min(1),
  /** Σ agent times ÷ wall: the published formula, a balance index and no speedup over running alone. */
  concurrency_speedup: positive,
  /** concurrency_speedup ÷ agents × 100. */
  efficiency_percent: positive,
  /** First agent − second agent, tokens per second. */
  throughput_delta: z.number().exactOptional(),
  /** First agent − second agent. */
  ttft_delta_ms: z.number().exactOptional(),
  /** Absent where no baseline was measured. */
  resource_contention_detected: z.boolean().exactOptional(),
  /** Σ of the times the agents' work takes alone ÷ wall, from solo trials. */
  true_speedup: positive.exactOptional(),
  /** true_speedup ÷ agents × 100. */
  true_efficiency_percent: positive.exactOptional(),
  /** Aggregate throughput together ÷ solo throughput. */
  aggregate_gain: amount.exactOptional(),
  aggregate_throughput_tok_s: amount.exactOptional(),
  jain_index: amount.exactOptional(),
  wall_ms: amount.exactOptional(),
  failures: count.exactOptional(),
  trial_id: z.string().exactOptional(),
  agents: z.array(summaryAgentSchema),
});

/** Means over the runs of one configuration, or over all runs. */
const averages = {
  average_concurrency_speedup: positive.exactOptional(),
  average_efficiency: positive.exactOptional(),
  average_throughput_delta: z.number().exactOptional(),
  average_ttft_delta_ms: z.number().exactOptional(),
  average_true_speedup: positive.exactOptional(),
  average_true_efficiency: positive.exactOptional(),
  average_aggregate_gain: amount.exactOptional(),
  /** Runs with resource_contention_detected; absent where it was not decided in any. */
  contention_runs: count.exactOptional(),
};

export const summaryConfigurationSchema = z.object({
  test: z.string().min(1),
  scenario: z.string().min(1),
  parameters: z.record(z.string(), parameter),
  runs: z.array(summaryRunSchema),
  ...averages,
  peak_efficiency_percent: positive.exactOptional(),
  cell_hash: z.string().exactOptional(),
});

/** Spread over all runs: n − 1 standard deviation, type 7 percentiles. */
const distribution = z.object({
  n: count,
  mean: z.number(),
  median: z.number(),
  min: z.number(),
  max: z.number(),
  /** Absent below two runs. */
  std: amount.exactOptional(),
  /** std ÷ mean × 100; absent where the mean is 0. */
  cv_percent: z.number().exactOptional(),
  p5: z.number().exactOptional(),
  p25: z.number().exactOptional(),
  p75: z.number().exactOptional(),
  p95: z.number().exactOptional(),
});

const overallSummary = z.object({
  configurations: count,
  runs: count,
  ...averages,
  concurrency_speedup: distribution.exactOptional(),
  efficiency_percent: distribution.exactOptional(),
  throughput_delta: distribution.exactOptional(),
  ttft_delta_ms: distribution.exactOptional(),
  true_speedup: distribution.exactOptional(),
  aggregate_gain: distribution.exactOptional(),
});

export const summarySchema = z.object({
  version: z.literal(SUMMARY_VERSION),
  run_id: z.string().min(1),
  scenario: z.string().min(1),
  /** Everything in it was measured on the simulated engine. */
  simulated: z.boolean(),
  /** The figures come from elsewhere and were not recomputed from requests. */
  imported: z.boolean(),
  configurations: z.array(summaryConfigurationSchema),
  overall: overallSummary,
});

export type SummaryRecord = z.output<typeof summarySchema>;
export type SummaryConfiguration = z.output<typeof summaryConfigurationSchema>;
export type SummaryRun = z.output<typeof summaryRunSchema>;
export type SummaryAgent = z.output<typeof summaryAgentSchema>;
export type SummaryDistribution = z.output<typeof distribution>;
export type SummaryOverall = z.output<typeof overallSummary>;
