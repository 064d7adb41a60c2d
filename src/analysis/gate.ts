/**
 * A gate answers with three words, because two would lie. It fails only where the change is shown
 * to be larger than stated: significant, after Holm's correction over the gate's own tests, against
 * the bound itself. It passes only where the opposite is shown: the interval leaves the bound out on
 * the allowed side, or equivalence within it holds. Whatever lies between is inconclusive, and says
 * how many repeats would decide it.
 */
import type { HolmResult } from "../stats/holm.ts";
import { holm } from "../stats/holm.ts";
import type { NeededSize } from "../stats/power.ts";
import type { MeanTest } from "../stats/welch.ts";
import type { ComparedMetric, ComparedPair, Comparison } from "./compare/compare-runs.ts";
import { ALPHA } from "./compare/compare-runs.ts";
import { equivalentWithin, repeatsToDecide, testAgainst } from "./compare/samples.ts";
import type { GateClause } from "./gate-grammar.ts";

export type GateVerdict = "passed" | "failed" | "inconclusive";

export interface GateCheck {
  readonly clause: GateClause;
  /** The matched cell, by its name on side A. */
  readonly cell: string;
  readonly verdict: GateVerdict;
  /** Against the bound, Holm-adjusted over all checks of the gate; absent where there is no test. */
  readonly adjustedP: number | undefined;
  readonly passedBy: "interval" | "equivalence" | undefined;
  readonly why: GateReason;
  readonly metric: ComparedMetric | undefined;
}

export type GateReason =
  | { readonly kind: "decided" }
  /** The interval holds the bound. `repeats`: per side, or pairs. */
  | { readonly kind: "too-uncertain"; readonly repeats: NeededSize | undefined }
  | { readonly kind: "too-few"; readonly trials: number; readonly needed: number }
  | { readonly kind: "no-variance" }
  | { readonly kind: "missing"; readonly reason: string };

export interface GateResult {
  /** Failed if any check is, else inconclusive if any is, else passed. */
  readonly verdict: GateVerdict;
  readonly checks: readonly GateCheck[];
}

/** With five repeats a 95 % interval reaches 1.2 deviations each way; with three, 2.5. */
const FEWEST_WORTH_TRYING = 5;

/** A gate that finds no common cell has nothing to pass on. */
export function judgeGate(comparison: Comparison, clauses: readonly GateClause[]): GateResult {
  const questions = comparison.pairs.flatMap((pair) => clauses.map((clause) => ({ pair, clause })));
  const tests = questions.map(({ pair, clause }) => boundTest(pair, clause));
  const adjusted = holm(
    tests.map((test) => (test?.kind === "tested" ? test.p : undefined)),
    ALPHA,
  );
  const checks = questions.map(({ pair, clause }, index) =>
    check(pair, clause, tests[index], adjusted[index] ?? { kind: "undefined" }, questions.length),
  );
  return { verdict: overall(checks), checks };
}

function overall(checks: readonly GateCheck[]): GateVerdict {
  if (checks.some(({ verdict }) => verdict === "failed")) return "failed";
  return checks.length > 0 && checks.every(({ verdict }) => verdict === "passed") ? "passed" : "inconclusive";
}

function metricOf(pair: ComparedPair, clause: GateClause): ComparedMetric | undefined {
  return pair.metrics.find(({ metric }) => metric === clause.metric);
}

function boundTest(pair: ComparedPair, clause: GateClause): MeanTest | undefined {
  const metric = metricOf(pair, clause);
  return metric === undefined ? undefined : testAgainst(metric.samples, clause.bound);
}

function check(
  pair: ComparedPair,
  clause: GateClause,
  test: MeanTest | undefined,
  adjusted: HolmResult,
  checks: number,
): GateCheck {
  const metric = metricOf(pair, clause);
  const adjustedP = adjusted.kind === "adjusted" ? adjusted.adjustedP : undefined;
  const answer = (
    verdict: GateVerdict,
    why: GateReason,
    passedBy?: "interval" | "equivalence",
  ): GateCheck => ({ clause, cell: pair.a.label, verdict, adjustedP, passedBy, why, metric });
  if (metric === undefined || test === undefined) {
    const reason = pair.missing.find((one) => one.metric === clause.metric)?.reason ?? "it was not measured";
    return answer("inconclusive", { kind: "missing", reason });
  }
  if (test.kind === "too-few") {
    const trials = Math.min(metric.a.n, metric.b.n);
    return answer("inconclusive", { kind: "too-few", trials, needed: FEWEST_WORTH_TRYING });
  }
  if (test.kind === "no-variance") return answer("inconclusive", { kind: "no-variance" });
  const beyond = clause.allowed === "below" ? test.difference > 0 : test.difference < 0;
  if (beyond && adjusted.kind === "adjusted" && adjusted.rejected)
    return answer("failed", { kind: "decided" });
  const clear = clause.allowed === "below" ? test.interval.high < 0 : test.interval.low > 0;
  if (clear) return answer("passed", { kind: "decided" }, "interval");
  if (isEquivalent(metric, clause)) return answer("passed", { kind: "decided" }, "equivalence");
  return answer("inconclusive", {
    kind: "too-uncertain",
    // Bonferroni's share of the level is what Holm asks of the smallest p: no repeat too few.
    repeats: repeatsToDecide(metric.samples, clause.bound, ALPHA / checks),
  });
}

/** A bound that asks for an improvement is not met by showing that nothing changed. */
function isEquivalent(metric: ComparedMetric, { bound, allowed }: GateClause): boolean {
  const size = bound.kind === "relative" ? bound.share : bound.amount;
  const toleratesNothing = allowed === "below" ? size <= 0 : size >= 0;
  if (toleratesNothing) return false;
  const equivalence = equivalentWithin(metric.samples, bound);
  return equivalence.kind === "tested" && equivalence.equivalent;
}
