/**
 * From evidence to a verdict. A condition holds, fails or cannot be told; a rule whose outcome hangs
 * on one that cannot be told says "unknown", unless every way it could turn out gives the same verdict.
 */
import { defined } from "../../core/assert.ts";
import type { Condition, Rule, Verdict } from "./hypothesis-file.ts";
import type { Evidence } from "./measure.ts";

export interface Ruling {
  readonly words: string;
  readonly verdict: Verdict;
  /** The conditions that decided, or that could not be told. */
  readonly because: readonly JudgedCondition[];
  /** What the rule's author says of this outcome. */
  readonly say: string | undefined;
}

export interface JudgedCondition {
  readonly measure: string;
  readonly truth: Truth;
  readonly bound: ConditionBound;
  readonly by: "point" | "interval";
}

export type Truth = "holds" | "fails" | "open";

export type ConditionBound =
  | { readonly kind: "above" | "atLeast" | "below" | "atMost"; readonly limit: number }
  | { readonly kind: "significant"; readonly wanted: boolean };

export function ruling(rule: Rule, evidence: ReadonlyMap<string, Evidence>): Ruling {
  const possible = new Map<Verdict, string | undefined>();
  const open: JudgedCondition[] = [];
  let decisive: readonly JudgedCondition[] = [];
  let failed: JudgedCondition[] = [];
  for (const { when, verdict, say } of rule.decide) {
    const judged = when.flatMap((condition) => judgedBounds(condition, rule, evidence));
    const truth = allOf(judged);
    if (truth === "fails") {
      failed = [...failed, ...judged.filter((one) => one.truth === "fails")];
      continue;
    }
    if (!possible.has(verdict)) possible.set(verdict, say);
    if (truth === "holds") {
      decisive = judged;
      break;
    }
    open.push(...judged.filter((one) => one.truth === "open"));
  }
  if (decisive.length === 0 && !possible.has(rule.otherwise.verdict))
    possible.set(rule.otherwise.verdict, rule.otherwise.say);
  const [only, ...others] = possible;
  if (only !== undefined && others.length === 0)
    return {
      words: rule.words,
      verdict: only[0],
      say: only[1],
      because: unique(decisive.length > 0 ? decisive : [...open, ...failed]),
    };
  return { words: rule.words, verdict: "unknown", say: undefined, because: unique(open) };
}

function allOf(conditions: readonly JudgedCondition[]): Truth {
  if (conditions.some((one) => one.truth === "fails")) return "fails";
  return conditions.some((one) => one.truth === "open") ? "open" : "holds";
}

function judgedBounds(
  condition: Condition,
  rule: Rule,
  evidence: ReadonlyMap<string, Evidence>,
): readonly JudgedCondition[] {
  const own = defined(evidence.get(condition.measure), `the evidence of ${condition.measure}`);
  const by = condition.by ?? rule.by;
  return boundsOf(condition).map((bound) => ({
    measure: condition.measure,
    bound,
    by,
    truth: bound.kind === "significant" ? significance(own, bound.wanted) : within(own, bound, by),
  }));
}

function boundsOf(condition: Condition): readonly ConditionBound[] {
  const limits = (["above", "atLeast", "below", "atMost"] as const).flatMap((kind) => {
    const limit = condition[kind];
    return limit === undefined ? [] : [{ kind, limit }];
  });
  return condition.significant === undefined
    ? limits
    : [...limits, { kind: "significant", wanted: condition.significant }];
}

function significance({ test }: Evidence, wanted: boolean): Truth {
  if (test?.kind !== "tested") return "open";
  // Not significant is not "no difference": whoever needs that asks for an interval within bounds.
  return test.significant === wanted ? "holds" : "fails";
}

function within(
  { value, interval }: Evidence,
  { kind, limit }: Exclude<ConditionBound, { kind: "significant" }>,
  by: "point" | "interval",
): Truth {
  const holds = (number: number): boolean => {
    switch (kind) {
      case "above":
        return number > limit;
      case "atLeast":
        return number >= limit;
      case "below":
        return number < limit;
      case "atMost":
        return number <= limit;
    }
  };
  if (value === undefined) return "open";
  if (by === "point") return holds(value) ? "holds" : "fails";
  if (interval === undefined) return "open";
  const low = holds(interval.low);
  return low !== holds(interval.high) ? "open" : low ? "holds" : "fails";
}

function unique(conditions: readonly JudgedCondition[]): readonly JudgedCondition[] {
  const seen = new Set<string>();
  return conditions.filter(({ measure, bound }) => {
    const key = `${measure} ${JSON.stringify(bound)}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
