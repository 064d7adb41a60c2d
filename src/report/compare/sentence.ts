/** One plain sentence per metric: what changed, how sure that is, and what would settle it. */
import type { ComparedMetric, Comparison, MissingMetric } from "../../analysis/compare/compare-runs.ts";
import { metricOf } from "../../analysis/compare/metric.ts";
import { pText } from "../section/figure-text.ts";
import {
  changeInterval,
  changeText,
  effectText,
  inUnit,
  marginText,
  percentInterval,
  percentText,
  repeatsText,
  trialsText,
} from "./change-text.ts";

export type Word =
  | "better"
  | "worse"
  | "same"
  | "noise"
  | "equal"
  | "not decided"
  | "not comparable"
  | "unknown";

/** The word for the last column of the table. */
export function wordOf(metric: ComparedMetric): Word {
  const { difference, holm, equivalence } = metric;
  if (metric.unjudged !== undefined) return "not comparable";
  if (difference.kind === "no-variance" && difference.difference === 0) return "equal";
  if (difference.kind !== "tested") return "unknown";
  if (holm.kind === "adjusted" && holm.rejected)
    return metric.withinNoise ? "noise" : isImprovement(metric) ? "better" : "worse";
  return equivalence.kind === "tested" && equivalence.equivalent ? "same" : "not decided";
}

export function isImprovement({ metric, a, b }: ComparedMetric): boolean {
  return metricOf(metric).better === "higher" ? b.mean > a.mean : b.mean < a.mean;
}

export function metricSentence(metric: ComparedMetric, comparison: Comparison): string {
  const { difference } = metric;
  if (metric.unjudged !== undefined)
    return `${name(metric)}: ${values(metric)} (${changeText(metric)}). ${unjudgedText(metric.unjudged)}`;
  if (difference.kind === "too-few")
    return `${name(metric)}: ${values(metric)} in one trial of a side. A single trial has no spread, so nothing can be said; repeat with --runs 5.`;
  if (difference.kind === "no-variance")
    return difference.difference === 0
      ? `${name(metric)}: ${inUnit(metric.a.mean, metric.metric)} in every trial of both. Equal; without variance no test can say how sure that is.`
      : `${name(metric)}: ${values(metric)}, ${metric.design === "pairs" ? "the same difference in every pair" : "the same in every trial of a side"}. Without variance no t test of it exists${permutedPart(metric)}.`;
  return [main(metric, comparison), permutationPart(metric), thinPart(metric)].filter(Boolean).join(" ");
}

function unjudgedText(why: NonNullable<ComparedMetric["unjudged"]>): string {
  return why === "failures"
    ? "No verdict: it describes the requests that were answered, and too many were not."
    : "No verdict: the sides did not do the same work, and this figure depends on it.";
}

export function missingSentence({ metric, reason }: MissingMetric): string {
  return `${capital(metricOf(metric).label)}: not compared, ${reason}.`;
}

/** Whole trials dealt out anew need no variance within a side. */
function permutedPart({ permutation }: ComparedMetric): string {
  return permutation.kind === "tested" ? `; trials permuted give p = ${pText(permutation.p)}` : "";
}

function main(metric: ComparedMetric, comparison: Comparison): string {
  const evidence = `95 % CI ${changeInterval(metric)}; ${values(metric)}, ${trialsText(metric)}`;
  const margin = marginText(comparison.margin);
  switch (wordOf(metric)) {
    case "better":
    case "worse":
      return `${name(metric)} ${moved(metric)} (${evidence}): ${isImprovement(metric) ? "better" : "worse"}, and more than chance (${adjusted(metric, comparison)}; ${effectPart(metric)}).${smallPart(metric, margin)}`;
    case "noise":
      return `${name(metric)} ${moved(metric)} (${evidence}). A test takes that for more than chance (${adjusted(metric, comparison)}), but ${noisePart(metric)} differ by as much here: it is no effect of the change.`;
    case "same":
      return `${name(metric)} is the same within ${margin} (${changeText(metric)}, ${equivalencePart(metric)}${values(metric)}, ${trialsText(metric)}).`;
    case "equal":
    case "not decided":
    case "not comparable":
    case "unknown":
      return `${name(metric)}: not decided. It changed by ${changeText(metric)} (${evidence}; ${adjusted(metric, comparison)})${familyPart(metric)}; ${repeatsText(metric.repeatsNeeded, metric.design)} would show a change of this size${comparison.familySize === 1 ? "" : ` among ${comparison.familySize} figures`}.`;
  }
}

function values({ a, b, metric }: ComparedMetric): string {
  const [before, after] = [inUnit(a.mean, metric), inUnit(b.mean, metric)];
  const unit = before.split(" ")[1];
  return unit !== undefined && after.endsWith(` ${unit}`)
    ? `${before.split(" ")[0]} → ${after}`
    : `${before} → ${after}`;
}

function name({ metric }: ComparedMetric): string {
  return capital(metricOf(metric).label);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function moved(metric: ComparedMetric): string {
  const by = changeText(metric).replace(/^[+−±]/, "");
  return `${metric.b.mean > metric.a.mean ? "rose" : "fell"} by ${by}`;
}

function adjusted({ holm }: ComparedMetric, { familySize }: Comparison): string {
  if (holm.kind === "undefined") return "no test";
  return familySize === 1 ? `p = ${pText(holm.p)}` : `adjusted p = ${pText(holm.adjustedP)}`;
}

function effectPart({ effect }: ComparedMetric): string {
  return effect.kind === "known" ? `d = ${effectText(effect.d)}, ${effect.size}` : "no d";
}

function smallPart({ equivalence }: ComparedMetric, margin: string): string {
  return equivalence.kind === "tested" && equivalence.equivalent
    ? ` It is also shown to be smaller than ${margin.slice(1)}.`
    : "";
}

function noisePart({ noiseFloor }: ComparedMetric): string {
  const size = noiseFloor?.share === undefined ? "" : ` (${percentText(noiseFloor.share).slice(1)})`;
  switch (noiseFloor?.basis) {
    case "same-settings":
      return `cells with the same effective settings${size}`;
    case "halves-of-pairs":
      return `the first and the second half of the pairs${size}`;
    case "halves":
    case undefined:
      return `two halves of the same cell's repeats${size}`;
  }
}

/** The interval of two one-sided tests at 5 % each: the one that lies within the margin. */
function equivalencePart({ equivalence, a }: ComparedMetric): string {
  if (equivalence.kind !== "tested" || a.mean <= 0) return "";
  const { low, high } = equivalence.interval;
  return `90 % CI ${percentInterval({ low: low / a.mean, high: high / a.mean })}; `;
}

/** A level that a single test would be judged by. */
const ALONE = 0.05;

function familyPart({ holm }: ComparedMetric): string {
  return holm.kind === "adjusted" && holm.p < ALONE
    ? `. Alone it would pass for significant (p = ${pText(holm.p)}), among the others it may be the luckiest`
    : "";
}

/** Said where the two tests disagree: t leans on a normal distribution that so few trials cannot show. */
function permutationPart({ holm, permutation }: ComparedMetric): string {
  if (holm.kind !== "adjusted" || !holm.rejected || permutation.kind !== "tested" || permutation.p <= ALONE)
    return "";
  return permutation.smallestP > ALONE
    ? `With so few trials a permutation test cannot go below p = ${pText(permutation.smallestP)}, so this rests on the t test alone.`
    : `A permutation test does not confirm it (p = ${pText(permutation.p)}).`;
}

function thinPart({ thinPercentile, metric }: ComparedMetric): string {
  if (thinPercentile === undefined) return "";
  return `A ${metricOf(metric).label} of ${thinPercentile.requests} requests a trial describes these trials' slowest requests; of the service it would need ${thinPercentile.needed}.`;
}
