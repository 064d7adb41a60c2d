/** One metric of one cell, before and after: how large the change is, and how sure. */
import type { RandomStream } from "../../core/random.ts";
import type { EffectSize } from "../../stats/cohens-d.ts";
import { cohensD } from "../../stats/cohens-d.ts";
import type { Description, Interval } from "../../stats/describe.ts";
import { describe } from "../../stats/describe.ts";
import type { Equivalence } from "../../stats/equivalence.ts";
import type { Shift } from "../../stats/hodges-lehmann.ts";
import { hodgesLehmann, hodgesLehmannPaired } from "../../stats/hodges-lehmann.ts";
import { neededForPercentile } from "../../stats/percentile-certificate.ts";
import type { PermutationTest } from "../../stats/permutation.ts";
import { pairedPermutationTest, permutationTest } from "../../stats/permutation.ts";
import type { MeanTest } from "../../stats/welch.ts";
import type { MetricName } from "./metric.ts";
import { metricOf } from "./metric.ts";
import type { Pairing } from "./pairing.ts";
import { trialPairs } from "./pairing.ts";
import type { Change, Samples } from "./samples.ts";
import {
  differences,
  equivalentWithin,
  NO_CHANGE,
  relativeChange,
  relativeInterval,
  testAgainst,
} from "./samples.ts";
import type { ComparedCell } from "./side.ts";

export interface Contrast {
  readonly metric: MetricName;
  readonly design: Pairing["design"];
  readonly a: Description;
  readonly b: Description;
  /** B − A in the metric's unit, by Welch's test or within pairs; its p is not adjusted. */
  readonly difference: MeanTest;
  /** B ÷ A − 1, from the means; absent where A is not above 0. */
  readonly relative: { readonly share: number; readonly interval: Interval | undefined } | undefined;
  /** The same question without an assumption about distributions. */
  readonly permutation: PermutationTest;
  /** Median shift with its own interval; two outliers do not move it. */
  readonly shift: Shift;
  readonly effect: EffectSize;
  /** Whether the change is shown to be smaller than the margin. */
  readonly equivalence: Equivalence;
  /** Values of the trials, in the order of the repeats. */
  readonly samples: Samples;
  /** Trials of this metric have fewer requests than their percentile needs to describe the service. */
  readonly thinPercentile: { readonly requests: number; readonly needed: number } | undefined;
}

export type ContrastResult =
  | { readonly kind: "contrast"; readonly contrast: Contrast }
  | { readonly kind: "missing"; readonly metric: MetricName; readonly reason: string };

export interface ContrastInput {
  readonly metric: MetricName;
  readonly a: ComparedCell;
  readonly b: ComparedCell;
  readonly pairing: Pairing;
  /** What counts as no change worth speaking of. */
  readonly margin: Change;
  readonly random: RandomStream;
}

export function contrastOf(input: ContrastInput): ContrastResult {
  const { metric, a, b, margin, random } = input;
  const samples = samplesOf(input);
  const before = describe(samples.a);
  const after = describe(samples.b);
  if (before === undefined || after === undefined)
    return missing(metric, `no trial of ${missingSide(before, after)} has it`);
  const uneven = unevenPercentile(metric, a, b);
  if (uneven !== undefined) return missing(metric, uneven);
  const share = relativeChange(samples);
  const paired = samples.design === "pairs";
  const own = differences(samples);
  return {
    kind: "contrast",
    contrast: {
      metric,
      design: samples.design,
      a: before,
      b: after,
      difference: testAgainst(samples, NO_CHANGE),
      relative: share === undefined ? undefined : { share, interval: relativeInterval(samples) },
      permutation: paired
        ? pairedPermutationTest(own, { random })
        : permutationTest(samples.b, samples.a, { random }),
      shift: paired ? hodgesLehmannPaired(own) : hodgesLehmann(samples.b, samples.a),
      effect: cohensD(samples.b, samples.a),
      equivalence: equivalentWithin(samples, margin),
      samples,
      thinPercentile: thinPercentile(metric, a, b),
    },
  };
}

function missing(metric: MetricName, reason: string): ContrastResult {
  return { kind: "missing", metric, reason };
}

function missingSide(before: Description | undefined, after: Description | undefined): string {
  if (before === undefined) return after === undefined ? "either side" : "A";
  return "B";
}

/** Pairs stay pairs only where every trial has the metric. */
function samplesOf({ metric, a, b, pairing }: ContrastInput): Samples {
  const valuesOf = (cell: ComparedCell): readonly number[] =>
    cell.trials.flatMap((trial) => trial.values.get(metric) ?? []);
  if (pairing.design === "pairs") {
    const both = trialPairs(a, b).flatMap(([one, other]) => {
      const before = one.values.get(metric);
      const after = other.values.get(metric);
      return before === undefined || after === undefined ? [] : [[before, after] as const];
    });
    return { design: "pairs", a: both.map(([before]) => before), b: both.map(([, after]) => after) };
  }
  return { design: "two-samples", a: valuesOf(a), b: valuesOf(b) };
}

/** Requests per trial may differ by this share before their percentiles stop meaning the same. */
const TOLERATED_SHARE = 0.05;

/** The p95 of 12 requests is nearly their slowest one, that of 40 is not: samples of another size are no comparison. */
function unevenPercentile(metric: MetricName, a: ComparedCell, b: ComparedCell): string | undefined {
  const { percentile } = metricOf(metric);
  if (percentile === undefined) return undefined;
  const [before, after] = [requestsPerTrial(a), requestsPerTrial(b)];
  const uneven = Math.abs(before - after) > TOLERATED_SHARE * Math.max(before, after);
  if (!uneven || Math.min(before, after) >= neededForPercentile(percentile)) return undefined;
  return `a p${percentile * 100} of ${before.toFixed(0)} requests a trial and one of ${after.toFixed(0)} are different figures`;
}

function thinPercentile(metric: MetricName, a: ComparedCell, b: ComparedCell): Contrast["thinPercentile"] {
  const { percentile } = metricOf(metric);
  if (percentile === undefined) return undefined;
  const requests = Math.min(requestsPerTrial(a), requestsPerTrial(b));
  const needed = neededForPercentile(percentile);
  return requests < needed ? { requests: Math.round(requests), needed } : undefined;
}

function requestsPerTrial({ trials }: ComparedCell): number {
  return trials.reduce((total, trial) => total + trial.requests, 0) / Math.max(trials.length, 1);
}
