/** What each metric of a service level came out as in a run, before it is held against a limit. */
import type { Interval } from "../../stats/describe.ts";
import { describe } from "../../stats/describe.ts";
import { neededSize } from "../../stats/power.ts";
import { proportionInterval, trialsWithoutHit } from "../../stats/proportion.ts";
import type { RunAnalysis } from "../analyse-run.ts";
import type { CostReport } from "../cost/cost.ts";
import { PERCENTILES } from "../request-distribution.ts";
import { BLOCK_FIGURES } from "../verdict/run-figures.ts";
import type { MetricName, Target } from "./service-level-file.ts";
import { METRICS } from "./service-level-file.ts";

export interface Limit {
  readonly kind: "atLeast" | "atMost" | "above" | "below";
  readonly value: number;
}

/** What one metric came out as, before it is held against a limit. */
export interface Reading {
  readonly value: number | undefined;
  readonly interval: Interval | undefined;
  readonly n: number;
  readonly of: "trials" | "requests" | "costs";
  /** Without trials of its own: the number is all there is, and decides. */
  readonly exact: boolean;
  readonly missing: string;
  /** How many of what would decide. */
  readonly needed: (limit: Limit) => string | undefined;
}

export function readingOf(target: Target, analysis: RunAnalysis, costs: CostReport | undefined): Reading {
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
  return meanOfTrials(
    analysis.cells.flatMap((cell) => cell.blocks.map(BLOCK_FIGURES[metric])),
    "the run does not have it: no comparable solo trial, or no finished one",
  );
}

/** `missing`: why there is none where no trial has it. */
export function meanOfTrials(values: readonly (number | undefined)[], missing: string): Reading {
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
        ? missing
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
  return worstOfTrials(
    analysis.cells.flatMap((cell) => cell.blocks.map((block) => block.ttftDeltaMs)),
    "no trial has two agents with a TTFT",
  );
}

export function worstOfTrials(values: readonly (number | undefined)[], missing: string): Reading {
  const deltas = values.filter((value) => value !== undefined).map(Math.abs);
  return {
    value: deltas.length === 0 ? undefined : Math.max(...deltas),
    interval: undefined,
    n: deltas.length,
    of: "trials",
    exact: true,
    missing,
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

export function rate(hits: number, n: number, of: "trials" | "requests", missing: string): Reading {
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

export function costReading(
  metric: MetricName,
  name: string | undefined,
  costs: CostReport | undefined,
): Reading {
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
