/**
 * The figures that two runs can be compared by, under the names a gate uses. Each is one number per
 * together trial: the trial is the unit of replication, and however many requests it held, it is
 * one value.
 */
import { mean } from "../../stats/quantile.ts";
import type { BlockAnalysis } from "../block.ts";

export type MetricUnit = "ms" | "tok/s" | "times" | "share" | "index" | "percent";

interface MetricEntry {
  readonly unit: MetricUnit;
  /** Which direction is an improvement. */
  readonly better: "lower" | "higher";
  /** As a sentence names it. */
  readonly label: string;
  readonly of: (block: BlockAnalysis) => number | undefined;
  /** The share of a trial's requests below it, where the figure is a percentile over them. */
  readonly percentile?: number;
  /**
   * `work`: of answered requests, and another figure when more is asked of them. `token`: of answered
   * requests, what one token costs. `outcome`: of all requests.
   */
  readonly describes: "work" | "token" | "outcome";
}

const metric = (
  label: string,
  unit: MetricUnit,
  better: MetricEntry["better"],
  of: MetricEntry["of"],
): MetricEntry => ({ label, unit, better, of, describes: "work" });

/** In the order a report lists them. */
export const METRICS = {
  ttftMsP50: metric("median TTFT", "ms", "lower", ({ figures }) => figures.pooled.ttftMsP50),
  ttftMsP95: {
    ...metric("TTFT p95", "ms", "lower", ({ figures }) => figures.pooled.ttftMsP95),
    percentile: 0.95,
  },
  latencyMsP50: metric("median latency", "ms", "lower", ({ figures }) => figures.pooled.latencyMsP50),
  latencyMsP95: {
    ...metric("latency p95", "ms", "lower", ({ figures }) => figures.pooled.latencyMsP95),
    percentile: 0.95,
  },
  itlMsP50: {
    ...metric("median inter-token latency", "ms", "lower", ({ figures }) => figures.pooled.itlMsP50),
    describes: "token",
  },
  decodeTps: {
    ...metric("decode rate of a stream", "tok/s", "higher", ({ figures }) => figures.pooled.decodeTokS),
    describes: "token",
  },
  agentTps: metric("throughput of an agent", "tok/s", "higher", ({ figures }) => figures.pooled.agentTokS),
  aggregateTps: metric("aggregate throughput", "tok/s", "higher", ({ figures }) => figures.whole.tokS),
  steadyTps: metric(
    "aggregate throughput while all are busy",
    "tok/s",
    "higher",
    ({ figures }) => figures.steady?.tokS,
  ),
  retention: metric("retention", "share", "higher", ({ agents }) =>
    meanOfAll(agents.map((a) => a.retention)),
  ),
  trueSpeedup: metric("true speedup", "times", "higher", (block) => block.true?.speedup),
  aggregateGain: metric("aggregate gain", "times", "higher", (block) => block.aggregateGain),
  balanceIndex: metric("balance index", "times", "higher", (block) => block.nominal?.speedup),
  fairness: metric("fairness", "index", "higher", (block) => block.fairness),
  wallMs: metric("wall time of a trial", "ms", "lower", ({ figures }) => figures.wallMs),
  failurePct: {
    ...metric("share of failed requests", "percent", "lower", failurePct),
    describes: "outcome",
  },
} as const satisfies Readonly<Record<string, MetricEntry>>;

export type MetricName = keyof typeof METRICS;

export const METRIC_NAMES = Object.keys(METRICS) as readonly MetricName[];

/** What is compared when nobody names a metric: one figure for each question, since every further one costs power. */
export const USUAL_METRICS: readonly MetricName[] = [
  "ttftMsP50",
  "latencyMsP50",
  "decodeTps",
  "aggregateTps",
  "retention",
  "trueSpeedup",
  "wallMs",
];

export function metricOf(name: MetricName): MetricEntry {
  return METRICS[name];
}

export function isMetricName(name: string): name is MetricName {
  return Object.hasOwn(METRICS, name);
}

/** Requests that a set time cut off neither failed nor were answered. */
function failurePct({ failures, figures }: BlockAnalysis): number | undefined {
  const requests = figures.pooled.requests + failures;
  return requests === 0 ? undefined : (failures / requests) * 100;
}

function meanOfAll(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length ? mean(known) : undefined;
}
