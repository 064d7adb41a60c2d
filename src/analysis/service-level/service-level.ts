/**
 * A run held against service levels. A level is met, missed, or cannot be told: a mean over three
 * trials that lies above its limit with an interval that does not is no pass.
 */
import type { Interval } from "../../stats/describe.ts";
import { describe } from "../../stats/describe.ts";
import { neededSize } from "../../stats/power.ts";
import { proportionInterval, trialsWithoutHit } from "../../stats/proportion.ts";
import type { RunAnalysis } from "../analyse-run.ts";
import type { CostReport } from "../cost/cost.ts";
import { PERCENTILES } from "../request-distribution.ts";
import { BLOCK_FIGURES } from "../verdict/run-figures.ts";
import type { MetricName, ServiceLevelFile, Target } from "./service-level-file.ts";
import { METRICS } from "./service-level-file.ts";

export type LevelState = "met" | "missed" | "unknown";

export interface Limit {
  readonly kind: "atLeast" | "atMost" | "above" | "below";
  readonly value: number;
}

export interface JudgedLevel {
  readonly target: Target;
  /** Label of the configuration that came out worst, where each is judged by itself. */
  readonly cell: string | undefined;
  readonly limit: Limit;
  readonly state: LevelState;
  readonly value: number | undefined;
  readonly interval: Interval | undefined;
  /** Trials, or requests. */
  readonly n: number;
  readonly of: "trials" | "requests" | "costs";
  /** Why it cannot be told, and what would tell it. */
  readonly doubt: string | undefined;
  /** The figure that the published name suggests, printed beside it. */
  readonly beside:
    | { readonly name: string; readonly unit: string; readonly value: number | undefined }
    | undefined;
}

export interface ServiceLevelReport {
  readonly title: string;
  readonly about: string;
  readonly simulated: boolean;
  readonly levels: readonly JudgedLevel[];
  /** The cells are not to be averaged: every level has to hold in each of them. */
  readonly perCell: boolean;
  readonly notJudged: ServiceLevelFile["notJudged"];
  readonly state: LevelState;
}

/** Exit codes of a gate: 0 all met, 1 one missed, 4 none missed and one cannot be told. */
export const SERVICE_LEVEL_EXIT = { met: 0, missed: 1, unknown: 4 } as const satisfies Record<
  LevelState,
  number
>;

/** What one metric came out as, before it is held against a limit. */
interface Reading {
  readonly value: number | undefined;
  readonly interval: Interval | undefined;
  readonly n: number;
  readonly of: JudgedLevel["of"];
  /** Without trials of its own: the number is all there is, and decides. */
  readonly exact: boolean;
  readonly missing: string;
  /** How many of what would decide. */
  readonly needed: (limit: Limit) => string | undefined;
}

export function judgeServiceLevels(
  file: ServiceLevelFile,
  analysis: RunAnalysis,
  costs?: CostReport,
): ServiceLevelReport {
  const levels = file.targets.map((target) => judged(target, analysis, costs));
  return {
    title: file.title,
    about: `run ${analysis.manifest.runId}`,
    simulated: analysis.simulated,
    levels,
    perCell: analysis.pooling.kind === "apart",
    notJudged: file.notJudged,
    state: stateOfAll(levels),
  };
}

function stateOfAll(levels: readonly JudgedLevel[]): LevelState {
  if (levels.some((level) => level.state === "missed")) return "missed";
  return levels.every((level) => level.state === "met") ? "met" : "unknown";
}

/** Of a run as a whole, whatever its cells are: counted over all requests, or priced. */
const RUN_WIDE = [
  "errorPct",
  "timeoutPct",
  "costPerThousand",
  "costPerMillion",
  "costPctOfBaseline",
] as const;

function judged(target: Target, analysis: RunAnalysis, costs: CostReport | undefined): JudgedLevel {
  const runWide = RUN_WIDE.some((metric) => metric === target.metric);
  if (analysis.pooling.kind === "pooled" || runWide) return judgedTogether(target, analysis, costs);
  const each = analysis.cells.map((cell) => ({
    ...judgedTogether(target, { ...analysis, cells: [cell], overall: cell.figures }, costs),
    cell: cell.label,
  }));
  const state = stateOfAll(each);
  const [first, ...others] = each.filter((level) => level.state === state);
  return others.reduce(worse, first ?? judgedTogether(target, analysis, costs));
}

/** Of two levels of equal state, the one whose figure lies further on the wrong side. */
function worse(one: JudgedLevel, other: JudgedLevel): JudgedLevel {
  if (one.value === undefined) return one;
  if (other.value === undefined) return other;
  const lowIsBad = one.limit.kind === "atLeast" || one.limit.kind === "above";
  return (lowIsBad ? other.value < one.value : other.value > one.value) ? other : one;
}

function judgedTogether(target: Target, analysis: RunAnalysis, costs: CostReport | undefined): JudgedLevel {
  const limit = limitOf(target);
  const reading = readingOf(target, analysis, costs);
  const { value, interval, n, of } = reading;
  const state = stateOf(reading, limit, target.judge);
  return {
    target,
    cell: undefined,
    limit,
    state,
    value,
    interval,
    n,
    of,
    doubt: state === "unknown" ? doubtOf(reading, limit) : undefined,
    beside: besideOf(target.metric, analysis),
  };
}

function limitOf({ atLeast, atMost, above, below }: Target): Limit {
  if (atLeast !== undefined) return { kind: "atLeast", value: atLeast };
  if (atMost !== undefined) return { kind: "atMost", value: atMost };
  return above === undefined ? { kind: "below", value: below as number } : { kind: "above", value: above };
}

function holds(value: number, limit: Limit): boolean {
  switch (limit.kind) {
    case "atLeast":
      return value >= limit.value;
    case "atMost":
      return value <= limit.value;
    case "above":
      return value > limit.value;
    case "below":
      return value < limit.value;
  }
}

function stateOf({ value, interval, exact }: Reading, limit: Limit, judge: Target["judge"]): LevelState {
  if (value === undefined) return "unknown";
  if (exact || judge === "observed") return holds(value, limit) ? "met" : "missed";
  if (interval === undefined) return "unknown";
  const low = holds(interval.low, limit);
  return low === holds(interval.high, limit) ? (low ? "met" : "missed") : "unknown";
}

function doubtOf({ value, interval, missing, needed }: Reading, limit: Limit): string {
  if (value === undefined) return missing;
  const more = needed(limit);
  const why = interval === undefined ? missing : "the interval lies on both sides of the limit";
  return more === undefined ? why : `${why}; ${more}`;
}

function readingOf(target: Target, analysis: RunAnalysis, costs: CostReport | undefined): Reading {
  const { metric } = target;
  const { kind } = METRICS[metric];
  switch (kind) {
    case "mean":
      return meanReading(metric as keyof typeof BLOCK_FIGURES, analysis);
    case "percentile":
      return percentileReading(metric, analysis);
    case "worst":
      return worstReading(analysis);
    case "rate":
      return rateReading(metric, analysis);
    case "cost":
      return costReading(metric, target.option, costs);
  }
}

function meanReading(metric: keyof typeof BLOCK_FIGURES, analysis: RunAnalysis): Reading {
  const values = analysis.cells.flatMap((cell) => cell.blocks.map(BLOCK_FIGURES[metric]));
  const description = describe(values);
  const spread = description?.spread;
  return {
    value: description?.mean,
    interval: spread?.kind === "known" ? spread.ci95 : undefined,
    n: description?.n ?? 0,
    of: "trials",
    exact: false,
    missing:
      description === undefined
        ? "the run does not have it: no comparable solo trial, or no finished one"
        : spread?.kind === "no-variance"
          ? "no variance: equal values carry no interval"
          : "one trial has no interval",
    needed: ({ value: limit }) => {
      if (description === undefined) return undefined;
      if (spread?.kind !== "known") return "at least 2 trials are needed, 5 make a useful interval";
      const size = neededSize(Math.abs(description.mean - limit) / spread.sd, { design: "pairs" });
      return size.kind === "known"
        ? `about ${size.n} trials would decide a distance like this one`
        : "the mean is too close to the limit for any number of trials";
    },
  };
}

type PercentileMetric = Extract<(typeof METRICS)[MetricName], { kind: "percentile" }>;

function percentileReading(metric: MetricName, analysis: RunAnalysis): Reading {
  const { of, q } = METRICS[metric] as PercentileMetric;
  const place = PERCENTILES.indexOf(q);
  const all = analysis.cells.flatMap((cell) =>
    cell.agents.flatMap((agent) => agent.requestsTogether[of].percentiles[place] ?? []),
  );
  const certified = all.flatMap((one) => (one.kind === "certified" ? [one.value] : []));
  const lacking = all.find((one) => one.kind === "too-few");
  const fewest = Math.min(...all.map((one) => one.n));
  const value = certified.length === 0 ? undefined : Math.max(...certified);
  return {
    value: lacking === undefined ? value : undefined,
    interval: undefined,
    n: all.length === 0 ? 0 : fewest,
    of: "requests",
    exact: true,
    missing:
      lacking?.kind === "too-few"
        ? `${fewest} requests of an agent do not carry this percentile; ${lacking.needed} are needed`
        : "no request finished",
    needed: () => undefined,
  };
}

/** Seen in a trial or not seen: what happened needs no interval. */
function worstReading(analysis: RunAnalysis): Reading {
  const deltas = analysis.cells.flatMap((cell) =>
    cell.blocks.flatMap((block) => (block.ttftDeltaMs === undefined ? [] : [Math.abs(block.ttftDeltaMs)])),
  );
  return {
    value: deltas.length === 0 ? undefined : Math.max(...deltas),
    interval: undefined,
    n: deltas.length,
    of: "trials",
    exact: true,
    missing: "no trial has two agents with a TTFT",
    needed: () => undefined,
  };
}

/** A timeout of ours, of the whole request or between two chunks. */
const TIMEOUT_CODES = ["REQUEST_TIMEOUT", "STREAM_STALLED"] as const;

function rateReading(metric: MetricName, { cells, totals }: RunAnalysis): Reading {
  if (metric === "contentionPct") {
    const sum = (of: (cell: (typeof cells)[number]) => number): number =>
      cells.reduce((total, cell) => total + of(cell), 0);
    return rate(
      sum((cell) => cell.contention.contended),
      sum((cell) => cell.contention.decided),
      "trials",
      "contention is unknown: no solo baseline",
    );
  }
  const hits =
    metric === "errorPct"
      ? totals.failed
      : TIMEOUT_CODES.reduce((sum, code) => sum + (totals.failuresByCode[code] ?? 0), 0);
  return rate(hits, totals.measured, "requests", "no request was measured");
}

function rate(hits: number, n: number, of: "trials" | "requests", missing: string): Reading {
  const interval = proportionInterval(hits, n);
  return {
    value: n === 0 ? undefined : (hits / n) * 100,
    interval: interval.kind === "known" ? { low: interval.low * 100, high: interval.high * 100 } : undefined,
    n,
    of,
    exact: false,
    missing,
    needed: ({ value: limitPct }) => {
      const share = limitPct / 100;
      if (hits > 0 || share <= 0 || share >= 1)
        return `${hits} in ${n} decide neither way; more ${of} are needed`;
      return `none in ${trialsWithoutHit(share)} ${of} would show it`;
    },
  };
}

function costReading(metric: MetricName, name: string | undefined, costs: CostReport | undefined): Reading {
  const option = costs?.options.find((one) => one.name === name);
  const value =
    metric === "costPerThousand"
      ? option?.perThousand
      : metric === "costPerMillion"
        ? option?.perMillion
        : option?.pctOfBaseline;
  return {
    value,
    interval: undefined,
    n: 0,
    of: "costs",
    exact: true,
    missing:
      costs === undefined
        ? "no prices: give a file with --costs"
        : option === undefined
          ? `the cost file has no option ${name}`
          : "its cost is not known",
    needed: () => undefined,
  };
}

function besideOf(metric: MetricName, { overall }: RunAnalysis): JudgedLevel["beside"] {
  if (metric === "balanceIndex") return { name: "true speedup", unit: "×", value: overall.trueSpeedup?.mean };
  if (metric === "balancePct")
    return { name: "true efficiency", unit: "%", value: overall.trueEfficiencyPct?.mean };
  return undefined;
}
