/**
 * A run held against service levels. A level is met, missed, or cannot be told: a mean over three
 * trials that lies above its limit with an interval that does not is no pass.
 */
import type { Interval } from "../../stats/describe.ts";
import type { RunAnalysis } from "../analyse-run.ts";
import type { CellAnalysis } from "../cell.ts";
import type { CostReport } from "../cost/cost.ts";
import type { Limit, Reading } from "./reading.ts";
import { readingOf } from "./reading.ts";
import type { MetricName, ServiceLevelFile, Target } from "./service-level-file.ts";
import { METRICS } from "./service-level-file.ts";

export type LevelState = "met" | "missed" | "unknown";

/** `not-applicable`: it is about sharing, and every configuration has one agent. It decides nothing. */
export type JudgedState = LevelState | "not-applicable";

export interface JudgedLevel {
  readonly target: Target;
  /** Label of the configuration that came out worst, where each is judged by itself. */
  readonly cell: string | undefined;
  readonly limit: Limit;
  readonly state: JudgedState;
  /** Labels of the configurations of one agent, where the level is about sharing. */
  readonly spared: readonly string[];
  readonly value: number | undefined;
  readonly interval: Interval | undefined;
  /** Trials, or requests. */
  readonly n: number;
  readonly of: Reading["of"];
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
  /** There are several configurations: every level has to hold in each of them. */
  readonly perCell: boolean;
  readonly notJudged: ServiceLevelFile["notJudged"];
  readonly state: LevelState;
}

/** Exit codes of a gate: 0 all met, 1 one missed, 4 none missed and one cannot be told. */
export const SERVICE_LEVEL_EXIT = { met: 0, missed: 1, unknown: 4 } as const satisfies Record<
  LevelState,
  number
>;

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
    perCell: analysis.cells.length > 1,
    notJudged: file.notJudged,
    state: stateOfAll(levels),
  };
}

/** Of those that apply; where none does, nothing was shown. */
export function stateOfAll(levels: readonly JudgedLevel[]): LevelState {
  const judgedOnes = levels.filter((level) => level.state !== "not-applicable");
  if (judgedOnes.some((level) => level.state === "missed")) return "missed";
  return judgedOnes.length > 0 && judgedOnes.every((level) => level.state === "met") ? "met" : "unknown";
}

/** Of a run as a whole, whatever its cells are: counted over all requests, or priced. */
const RUN_WIDE = [
  "errorPct",
  "timeoutPct",
  "costPerThousand",
  "costPerMillion",
  "costPctOfBaseline",
] as const;

/**
 * Each configuration by itself, whatever they differ in: a mean over a plan of settings describes
 * none of them, and its interval takes the plan for noise.
 */
function judged(target: Target, analysis: RunAnalysis, costs: CostReport | undefined): JudgedLevel {
  if (RUN_WIDE.some((metric) => metric === target.metric)) return judgedTogether(target, analysis, costs);
  const applies = ({ agentNames }: CellAnalysis): boolean =>
    agentNames.length !== 1 || !("sharing" in METRICS[target.metric]);
  const cells = analysis.cells.filter(applies);
  const spared = analysis.cells.filter((cell) => !applies(cell)).map((cell) => cell.label);
  if (spared.length > 0 && cells.length === 0)
    return { ...judgedTogether(target, { ...analysis, cells }, costs), ...NOT_APPLICABLE, spared };
  const each = cells.map((cell) => ({
    ...judgedTogether(target, { ...analysis, cells: [cell], overall: cell.figures }, costs),
    ...(analysis.cells.length > 1 ? { cell: cell.label } : {}),
    spared,
  }));
  return worstOf(each) ?? judgedTogether(target, analysis, costs);
}

/** Of what each configuration came out as, the one that decides; `undefined` without configurations. */
export function worstOf(each: readonly JudgedLevel[]): JudgedLevel | undefined {
  const state = stateOfAll(each);
  const [first, ...others] = each.filter((level) => level.state === state);
  return first === undefined ? undefined : others.reduce(worse, first);
}

const NOT_APPLICABLE = { state: "not-applicable", doubt: undefined, beside: undefined } as const;

/** Of two levels of equal state, the one whose figure lies further on the wrong side. */
function worse(one: JudgedLevel, other: JudgedLevel): JudgedLevel {
  if (one.value === undefined) return one;
  if (other.value === undefined) return other;
  const lowIsBad = one.limit.kind === "atLeast" || one.limit.kind === "above";
  return (lowIsBad ? other.value < one.value : other.value > one.value) ? other : one;
}

function judgedTogether(target: Target, analysis: RunAnalysis, costs: CostReport | undefined): JudgedLevel {
  return judgedReading(target, readingOf(target, analysis, costs), besideOf(target.metric, analysis));
}

export function judgedReading(target: Target, reading: Reading, beside: JudgedLevel["beside"]): JudgedLevel {
  const limit = limitOf(target);
  const { value, interval, n, of } = reading;
  const state = stateOf(reading, limit, target.judge);
  return {
    target,
    cell: undefined,
    limit,
    state,
    spared: [],
    value,
    interval,
    n,
    of,
    doubt: state === "unknown" ? doubtOf(reading, limit) : undefined,
    beside,
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

function besideOf(metric: MetricName, { overall }: RunAnalysis): JudgedLevel["beside"] {
  if (metric === "balanceIndex") return { name: "true speedup", unit: "×", value: overall.trueSpeedup?.mean };
  if (metric === "balancePct")
    return { name: "true efficiency", unit: "%", value: overall.trueEfficiencyPct?.mean };
  return undefined;
}
