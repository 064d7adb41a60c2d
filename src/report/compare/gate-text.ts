/** The answer of a gate, check by check, for people and for CI. */
import type { ComparedMetric } from "../../analysis/compare/compare-runs.ts";
import { metricOf } from "../../analysis/compare/metric.ts";
import type { GateCheck, GateResult } from "../../analysis/gate.ts";
import { pText } from "../section/figure-text.ts";
import { changeInterval, changeText, repeatsText, trialsText } from "./change-text.ts";

export function gateHeadline({ verdict, checks }: GateResult): string {
  const count = (wanted: GateCheck["verdict"]): number =>
    checks.filter((check) => check.verdict === wanted).length;
  const parts = (["failed", "inconclusive", "passed"] as const)
    .filter((one) => count(one) > 0)
    .map((one) => `${count(one)} ${one}`);
  return `Gate ${verdict}: ${parts.join(", ")} of ${checks.length} check${checks.length === 1 ? "" : "s"}.`;
}

export function checkName({ clause, cell }: GateCheck): string {
  return `${clause.text} in ${cell}`;
}

/** Without the check's name and verdict, which stand before it. */
export function checkReason(check: GateCheck): string {
  const { metric, why } = check;
  switch (why.kind) {
    case "missing":
      return `not measured: ${why.reason}.`;
    case "too-few":
      return `${why.trials} trial${why.trials === 1 ? "" : "s"} of a side cannot decide it: a spread needs repeats. Measure with --runs ${why.needed} or more; after that the number needed can be said.`;
    case "no-variance":
      return `${metric === undefined ? "" : changed(metric)}: nothing varies, so no test exists and no number of repeats can be said.`;
    case "too-uncertain":
      return metric === undefined
        ? "the interval holds the bound."
        : `${changed(metric)}: the interval holds the bound. About ${repeatsText(why.repeats, metric.design)} would decide it; there are ${trialsText(metric)}.`;
    case "decided":
      return metric === undefined ? "" : `${changed(metric)}: ${decision(check)}`;
  }
}

function changed(metric: ComparedMetric): string {
  return `${metricOf(metric.metric).label} ${changeText(metric)} (95 % CI ${changeInterval(metric)})`;
}

function decision({ verdict, passedBy, adjustedP, metric }: GateCheck): string {
  if (verdict === "failed") {
    const noise = metric?.withinNoise === true ? " It is no larger than the A/A noise floor, though." : "";
    return `shown to be beyond the bound (p = ${adjustedP === undefined ? "" : pText(adjustedP)} against the bound, adjusted over the gate).${noise}`;
  }
  return passedBy === "equivalence"
    ? "shown to be smaller than the bound either way (two one-sided tests)."
    : "the interval leaves the bound out.";
}
