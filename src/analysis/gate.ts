/**
 * A gate answers with three words, because two would lie. It fails only where the change is shown
 * to be larger than stated: significant, after Holm's correction over the gate's own tests, against
 * the bound itself. It passes only where the opposite is shown: the interval leaves the bound out on
 * the allowed side, or equivalence within it holds. Whatever lies between is inconclusive, and says
 * how many repeats would decide it. So is what the figures cannot say at all: cells that B has lost,
 * figures of unlike work, and figures of the requests that were answered where too many were not.
 */
import type { HolmResult } from "../stats/holm.ts";
import { holm } from "../stats/holm.ts";
import { proportionInterval, trialsWithoutHit } from "../stats/proportion.ts";
import type { NeededSize } from "../stats/power.ts";
import type { MeanTest } from "../stats/welch.ts";
import type { ComparedMetric, ComparedPair, Comparison } from "./compare/compare-runs.ts";
import { ALPHA } from "./compare/compare-runs.ts";
import type { PairFailures } from "./compare/failures.ts";
import { failedShare } from "./compare/failures.ts";
import { metricOf } from "./compare/metric.ts";
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
  readonly passedBy: "interval" | "equivalence" | "no-failures" | undefined;
  readonly why: GateReason;
  readonly metric: ComparedMetric | undefined;
}

export type GateReason =
  | { readonly kind: "decided" }
  /** The interval holds the bound. `repeats`: per side, or pairs. */
  | { readonly kind: "too-uncertain"; readonly repeats: NeededSize | undefined }
  | { readonly kind: "too-few"; readonly trials: number; readonly needed: number }
  | { readonly kind: "no-variance" }
  | { readonly kind: "missing"; readonly reason: string }
  /** Shown to be beyond the bound, and no larger than what the same thing differs from itself by. */
  | { readonly kind: "within-noise" }
  | { readonly kind: "other-work" }
  /** Failed: more than before, and more than chance. Inconclusive: enough on a side to hide the answer. */
  | { readonly kind: "failures"; readonly failures: PairFailures }
  /** No request failed, and `requests` without a failure allow for more than the bound; `needed` would not. */
  | { readonly kind: "too-few-requests"; readonly requests: number; readonly needed: number };

export interface GateResult {
  /** Failed if any check is, else inconclusive if any is or cells are lost, else passed. */
  readonly verdict: GateVerdict;
  readonly checks: readonly GateCheck[];
  /** Cells that A has and B has not: a branch that lost its failing cells must not go green. */
  readonly lostCells: readonly string[];
}

export interface GateChoice {
  /** Judges the cells that are left as if they were all. Default false. */
  readonly allowMissingCells?: boolean;
}

/** With five repeats a 95 % interval reaches 1.2 deviations each way; with three, 2.5. */
const FEWEST_WORTH_TRYING = 5;

/** A gate that finds no common cell has nothing to pass on. */
export function judgeGate(
  comparison: Comparison,
  clauses: readonly GateClause[],
  { allowMissingCells = false }: GateChoice = {},
): GateResult {
  const questions = comparison.pairs.flatMap((pair) => clauses.map((clause) => ({ pair, clause })));
  const tests = questions.map(({ pair, clause }) => boundTest(pair, clause));
  const adjusted = holm(
    tests.map((test) => (test?.kind === "tested" ? test.p : undefined)),
    ALPHA,
  );
  // Who bounds failures has said how many are too many.
  const failuresAreBounded = clauses.some(({ metric }) => metricOf(metric).describes === "outcome");
  const checks = questions.map(({ pair, clause }, index) => {
    const byFigures = check(
      pair,
      clause,
      tests[index],
      adjusted[index] ?? { kind: "undefined" },
      questions.length,
    );
    return tempered(byFigures, pair, failuresAreBounded);
  });
  const lostCells = allowMissingCells ? [] : comparison.lost;
  return { verdict: overall(checks, lostCells), checks, lostCells };
}

function overall(checks: readonly GateCheck[], lostCells: readonly string[]): GateVerdict {
  if (checks.some(({ verdict }) => verdict === "failed")) return "failed";
  if (lostCells.length > 0) return "inconclusive";
  return checks.length > 0 && checks.every(({ verdict }) => verdict === "passed") ? "passed" : "inconclusive";
}

/**
 * What the figures say, held against what they are figures of. A check that failed stays failed where
 * B lost at least as large a share as A: fewer requests to serve make the rest faster, not slower.
 */
function tempered(own: GateCheck, pair: ComparedPair, failuresAreBounded: boolean): GateCheck {
  const { describes } = metricOf(own.clause.metric);
  const { failures } = pair;
  if (describes !== "outcome" && failures !== undefined) {
    const why: GateReason = { kind: "failures", failures };
    if (failures.bFailsMore && !failuresAreBounded)
      return { ...own, verdict: "failed", why, passedBy: undefined };
    const staysFailed = own.verdict === "failed" && failedShare(failures.b) >= failedShare(failures.a);
    if (own.metric?.unjudged === "failures" && !staysFailed)
      return { ...own, verdict: "inconclusive", why, passedBy: undefined };
  }
  if (own.metric?.unjudged === "other-work")
    return { ...own, verdict: "inconclusive", why: { kind: "other-work" }, passedBy: undefined };
  if (own.verdict === "failed" && own.metric?.withinNoise === true)
    return { ...own, verdict: "inconclusive", why: { kind: "within-noise" } };
  return own;
}

function comparedFigure(pair: ComparedPair, clause: GateClause): ComparedMetric | undefined {
  return pair.metrics.find(({ metric }) => metric === clause.metric);
}

function boundTest(pair: ComparedPair, clause: GateClause): MeanTest | undefined {
  const metric = comparedFigure(pair, clause);
  return metric === undefined ? undefined : testAgainst(metric.samples, clause.bound);
}

function check(
  pair: ComparedPair,
  clause: GateClause,
  test: MeanTest | undefined,
  adjusted: HolmResult,
  checks: number,
): GateCheck {
  const metric = comparedFigure(pair, clause);
  const adjustedP = adjusted.kind === "adjusted" ? adjusted.adjustedP : undefined;
  const answer = (verdict: GateVerdict, why: GateReason, passedBy?: GateCheck["passedBy"]): GateCheck => ({
    clause,
    cell: pair.a.label,
    verdict,
    adjustedP,
    passedBy,
    why,
    metric,
  });
  if (metric === undefined || test === undefined) {
    const reason = pair.missing.find((one) => one.metric === clause.metric)?.reason ?? "it was not measured";
    return answer("inconclusive", { kind: "missing", reason });
  }
  if (test.kind === "too-few") {
    const trials = Math.min(metric.a.n, metric.b.n);
    return answer("inconclusive", { kind: "too-few", trials, needed: FEWEST_WORTH_TRYING });
  }
  if (test.kind === "no-variance" && metricOf(clause.metric).describes === "outcome") {
    const { verdict, why } = equalShares(pair, metric, clause);
    return answer(verdict, why, verdict === "passed" ? "no-failures" : undefined);
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

/**
 * Trials of each side that all lost the same share, mostly none. That none failed of B's requests
 * bounds B's share, and so what it can have risen by, by the exact interval of a proportion.
 */
function equalShares(
  { b, failures }: ComparedPair,
  metric: ComparedMetric,
  { allowed, bound }: GateClause,
): Pick<GateCheck, "verdict" | "why"> {
  const points = bound.kind === "absolute" ? bound.amount : 0;
  const risen = metric.b.mean - metric.a.mean;
  if (allowed === "below" && failures !== undefined && risen > points && failures.bFailsMore)
    return { verdict: "failed", why: { kind: "failures", failures } };
  if (allowed === "above" || metric.b.mean > 0 || points <= 0 || points >= 100)
    return { verdict: "inconclusive", why: { kind: "no-variance" } };
  const share = proportionInterval(0, b.requests);
  if (share.kind === "known" && share.high < points / 100)
    return { verdict: "passed", why: { kind: "decided" } };
  const needed = trialsWithoutHit(points / 100);
  return { verdict: "inconclusive", why: { kind: "too-few-requests", requests: b.requests, needed } };
}

/** A bound that asks for an improvement is not met by showing that nothing changed. */
function isEquivalent(metric: ComparedMetric, { bound, allowed }: GateClause): boolean {
  const size = bound.kind === "relative" ? bound.share : bound.amount;
  const toleratesNothing = allowed === "below" ? size <= 0 : size >= 0;
  if (toleratesNothing) return false;
  const equivalence = equivalentWithin(metric.samples, bound);
  return equivalence.kind === "tested" && equivalence.equivalent;
}
