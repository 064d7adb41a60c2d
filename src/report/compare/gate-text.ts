/** The answer of a gate, check by check, for people and for CI. */
import type { ComparedMetric } from "../../analysis/compare/compare-runs.ts";
import type { PairFailures } from "../../analysis/compare/failures.ts";
import { metricOf } from "../../analysis/compare/metric.ts";
import type { GateCheck, GateResult } from "../../analysis/gate.ts";
import { pText } from "../section/figure-text.ts";
import { changeInterval, changeText, repeatsText, trialsText } from "./change-text.ts";

export function gateHeadline({ verdict, checks, lostCells }: GateResult): string {
  const count = (wanted: GateCheck["verdict"]): number =>
    checks.filter((check) => check.verdict === wanted).length;
  const parts = (["failed", "inconclusive", "passed"] as const)
    .filter((one) => count(one) > 0)
    .map((one) => `${count(one)} ${one}`);
  const lost = lostCells.length === 0 ? "" : `, and B lacks ${cells(lostCells.length)} of A`;
  return `Gate ${verdict}: ${parts.join(", ")} of ${checks.length} check${checks.length === 1 ? "" : "s"}${lost}.`;
}

function cells(count: number): string {
  return count === 1 ? "one cell" : `${count} cells`;
}

/** Of a cell that A has and B has not. */
export const LOST_CELL =
  "not in B. A cell that failed or was left out cannot pass: measure it, or judge the rest with --allow-missing-cells.";

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
      return `${metric === undefined ? "" : changed(metric)}: against the bound nothing varies, so no test exists and no number of repeats can be said.`;
    case "too-uncertain":
      return metric === undefined
        ? "the interval holds the bound."
        : `${changed(metric)}: the interval holds the bound. About ${repeatsText(why.repeats, metric.design)} would decide it; there are ${trialsText(metric)}.`;
    case "within-noise":
      return `${metric === undefined ? "" : changed(metric)}: beyond the bound, but no larger than the A/A noise floor (what the same thing differs from itself by here). A quieter machine would decide it.`;
    case "other-work":
      return `${metric === undefined ? "" : changed(metric)}: the sides did not do the same work, and this figure depends on it.`;
    case "failures":
      return failuresText(check, why.failures);
    case "too-few-requests":
      return `none of B's ${why.requests} requests failed, which allows for more than the bound all the same: ${why.needed} without a failure would decide it.`;
    case "decided":
      return metric === undefined ? "" : `${changed(metric)}: ${decision(check)}`;
  }
}

function changed(metric: ComparedMetric): string {
  return `${metricOf(metric.metric).label} ${changeText(metric)} (95 % CI ${changeInterval(metric)})`;
}

function failuresText({ verdict, clause }: GateCheck, { a, b, p }: PairFailures): string {
  const counts = `${a.failed} of ${a.requests} requests failed in A and ${b.failed} of ${b.requests} in B`;
  const isBound = metricOf(clause.metric).describes === "outcome";
  return verdict === "failed"
    ? `${counts}, more than chance${p === undefined ? "" : ` (p = ${pText(p)}, trials permuted)`}.${isBound ? "" : " Bound failurePct to say how many are allowed."}`
    : `${counts}: the figure describes the rest, and what failed could hide the answer.`;
}

function decision({ verdict, passedBy, adjustedP }: GateCheck): string {
  if (verdict === "failed")
    return `shown to be beyond the bound (p = ${adjustedP === undefined ? "" : pText(adjustedP)} against the bound, adjusted over the gate).`;
  if (passedBy === "no-failures") return "no request of B failed, of so many that the bound is out of reach.";
  return passedBy === "equivalence"
    ? "shown to be smaller than the bound either way (two one-sided tests)."
    : "the interval leaves the bound out.";
}
