/** Changes and their intervals in words, the same in sentences, tables and a gate's report. */
import type { ComparedMetric } from "../../analysis/compare/compare-runs.ts";
import type { MetricUnit } from "../../analysis/compare/metric.ts";
import { metricOf } from "../../analysis/compare/metric.ts";
import type { Change } from "../../analysis/compare/samples.ts";
import { UNKNOWN } from "../../core/units.ts";
import type { Interval } from "../../stats/describe.ts";
import type { NeededSize } from "../../stats/power.ts";
import { figureText, withUnit } from "../section/figure-text.ts";

const UNIT_TEXT: Readonly<Record<MetricUnit, string>> = {
  ms: "ms",
  "tok/s": "tok/s",
  times: "×",
  share: "",
  index: "",
  percent: "%",
};

export function inUnit(value: number | undefined, metric: ComparedMetric["metric"]): string {
  return withUnit(value, UNIT_TEXT[metricOf(metric).unit]);
}

/** +12.3 %, −0.4 %; a tenth of a percent is finer than any repeat of a trial. */
export function percentText(share: number): string {
  const text = Math.abs(share * 100).toFixed(1);
  return `${Number(text) === 0 ? "±" : share < 0 ? "−" : "+"}${text} %`;
}

export function percentInterval({ low, high }: Interval): string {
  return `${percentText(low).replace(" %", "")} … ${percentText(high)}`;
}

/** B against A as a share of A, or in the metric's unit where there is no share; of a percentage in points. */
export function changeText(metric: ComparedMetric): string {
  if (isPercentage(metric) && metric.difference.kind !== "too-few")
    return `${signed(metric.difference.difference)} points`;
  if (metric.relative !== undefined) return percentText(metric.relative.share);
  return metric.difference.kind === "too-few" ? UNKNOWN : signed(metric.difference.difference);
}

/** The 95 % interval of the change, or why there is none. */
export function changeInterval(metric: ComparedMetric): string {
  const { relative, difference } = metric;
  if (difference.kind === "too-few") return "one trial";
  // A difference that is the same in every pair still leaves the share of A uncertain.
  if (relative?.interval !== undefined && !isPercentage(metric)) return percentInterval(relative.interval);
  if (difference.kind === "no-variance") return "no variance";
  return `${signed(difference.interval.low)} … ${signed(difference.interval.high)}`;
}

function isPercentage({ metric }: ComparedMetric): boolean {
  return metricOf(metric).unit === "percent";
}

export function signed(value: number): string {
  return value > 0 ? `+${figureText(value)}` : figureText(value);
}

/** Cohen's d to a hundredth, as its classes are. */
export function effectText(d: number): string {
  return `${d < 0 ? "−" : "+"}${Math.abs(d).toFixed(2)}`;
}

export function marginText(margin: Change): string {
  return margin.kind === "relative"
    ? `±${figureText(margin.share * 100)} %`
    : `±${figureText(margin.amount)}`;
}

/** Beyond this nobody repeats a trial: the effect is smaller than what a machine drifts by meanwhile. */
const MOST_WORTH_NAMING = 1_000;

/** "9 pairs", "14 repeats of each", or that no number would do. */
export function repeatsText(needed: NeededSize | undefined, design: ComparedMetric["design"]): string {
  if (needed === undefined) return "an unknown number of repeats";
  if (needed.kind === "out-of-reach" || needed.n > MOST_WORTH_NAMING)
    return `more than ${MOST_WORTH_NAMING} repeats`;
  return design === "pairs" ? `${needed.n} pairs` : `${needed.n} repeats of each`;
}

export function trialsText({ design, a, b }: ComparedMetric): string {
  if (design === "pairs") return `${a.n} pairs`;
  return a.n === b.n ? `${a.n} trials each` : `${a.n} and ${b.n} trials`;
}
