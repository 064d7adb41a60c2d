/**
 * A run as a whole: how its figures are distributed, per scenario and over all, which configurations
 * lie at the top and at the bottom, how consistent repeats are, how often agents contended, and what
 * stood apart.
 */
import type { TelemetrySample } from "../../record/event-record.ts";
import type { TrialRecord } from "../../record/trial-record.ts";
import type { Description } from "../../stats/describe.ts";
import { describe } from "../../stats/describe.ts";
import type { ProportionInterval } from "../../stats/proportion.ts";
import { proportionInterval } from "../../stats/proportion.ts";
import type { RunAnalysis } from "../analyse-run.ts";
import type { BlockAnalysis } from "../block.ts";
import type { CellAnalysis } from "../cell.ts";
import type { Outlier } from "./outlier-causes.ts";
import { outliersOf } from "./outlier-causes.ts";
import type { PooledSpread } from "./pooled-spread.ts";
import { pooledSpread } from "./pooled-spread.ts";

export interface GroupFigure {
  readonly name: string;
  readonly unit: string;
  /** Over all trials of the group. */
  readonly description: Description;
  /** Within its configurations. */
  readonly consistency: PooledSpread;
}

export interface ContentionRate {
  readonly contended: number;
  readonly decided: number;
  /** Shares of 1. */
  readonly interval: ProportionInterval;
}

export interface GroupInsight {
  /** A scenario, or `all`. */
  readonly name: string;
  readonly configurations: number;
  readonly trials: number;
  readonly figures: readonly GroupFigure[];
  readonly contention: ContentionRate;
}

export interface RankedCell {
  readonly label: string;
  readonly trials: number;
  readonly mean: number;
  /** Highest of its trials. */
  readonly peak: number;
  /** Sample standard deviation; absent for one trial. */
  readonly sd: number | undefined;
}

export interface RunInsight {
  readonly runId: string;
  readonly simulated: boolean;
  readonly overall: GroupInsight;
  /** Empty where there is one scenario only. */
  readonly scenarios: readonly GroupInsight[];
  readonly rankedBy: {
    readonly name: string;
    readonly unit: string;
    /** Why cells so ranked are less alike than the figures look; absent where they are. */
    readonly caution?: string;
  };
  readonly top: readonly RankedCell[];
  /** Lowest first; shares no cell with `top`. */
  readonly bottom: readonly RankedCell[];
  readonly outliers: readonly Outlier[];
}

interface Watched {
  readonly name: string;
  readonly unit: string;
  readonly of: (block: BlockAnalysis) => number | undefined;
}

const TRUE_SPEEDUP: Watched = { name: "true speedup", unit: "×", of: (block) => block.true?.speedup };
const TRUE_EFFICIENCY: Watched = {
  name: "true efficiency",
  unit: "%",
  of: (block) => block.true?.efficiencyPct,
};
const BALANCE: Watched = {
  name: "balance (published efficiency)",
  unit: "%",
  of: (block) => block.nominal?.efficiencyPct,
};

const FIGURES: readonly Watched[] = [
  TRUE_SPEEDUP,
  TRUE_EFFICIENCY,
  { name: "balance index (published speedup)", unit: "×", of: (block) => block.nominal?.speedup },
  BALANCE,
  { name: "aggregate throughput", unit: "tok/s", of: (block) => block.figures.whole.tokS },
  { name: "throughput, first − second agent", unit: "tok/s", of: (block) => block.throughputDeltaTokS },
  { name: "TTFT, first − second agent", unit: "ms", of: (block) => block.ttftDeltaMs },
];

/** As many as the studies list. */
const MOST_RANKED = 5;

export interface InsightFacts {
  readonly trials: readonly TrialRecord[];
  /** In file order; leave out where telemetry was not read. */
  readonly telemetry?: readonly TelemetrySample[];
}

export function runInsight(analysis: RunAnalysis, facts: InsightFacts): RunInsight {
  const { cells, manifest } = analysis;
  const byScenario = new Map<string, CellAnalysis[]>();
  for (const cell of cells) byScenario.set(cell.scenario, [...(byScenario.get(cell.scenario) ?? []), cell]);
  const rankedBy = rankingFigure(cells);
  const ranked = cells.flatMap((cell) => rankedCell(cell, rankedBy)).sort((a, b) => b.mean - a.mean);
  const each = Math.min(MOST_RANKED, Math.ceil(ranked.length / 2));
  return {
    runId: manifest.runId,
    simulated: analysis.simulated,
    overall: groupInsight("all", cells, analysis.pooling.kind === "pooled"),
    scenarios:
      byScenario.size > 1
        ? [...byScenario].map(([name, own]) => groupInsight(name, own, !countsDiffer(own)))
        : [],
    rankedBy: {
      name: rankedBy.name,
      unit: rankedBy.unit,
      ...(countsDiffer(cells) ? { caution: COUNTS_DIFFER } : {}),
    },
    top: ranked.slice(0, each),
    bottom: ranked.slice(each).reverse().slice(0, MOST_RANKED),
    outliers: outliersOf(cells, {
      trials: new Map(facts.trials.map((trial) => [trial.trialId, trial])),
      telemetry: (trial) => samplesOf(trial, facts.telemetry ?? []),
    }),
  };
}

const COUNTS_DIFFER =
  "efficiencies of different numbers of agents are not alike: each is a speedup divided by its own number";

/**
 * True figures whenever some cell has them, the balance index only where none has: it says nothing
 * of what running together gained. Efficiency has one scale for one number of agents only.
 */
function rankingFigure(cells: readonly CellAnalysis[]): Watched {
  if (!cells.some((cell) => valuesOf(cell, TRUE_EFFICIENCY.of).length > 0)) return BALANCE;
  return countsDiffer(cells) ? TRUE_SPEEDUP : TRUE_EFFICIENCY;
}

function countsDiffer(cells: readonly CellAnalysis[]): boolean {
  return new Set(cells.map((cell) => cell.agentNames.length)).size > 1;
}

/** Figures only where the cells may be averaged; see the pooling of the analysis. */
function groupInsight(name: string, cells: readonly CellAnalysis[], pooled: boolean): GroupInsight {
  const sum = (of: (cell: CellAnalysis) => number): number =>
    cells.reduce((total, cell) => total + of(cell), 0);
  const contended = sum((cell) => cell.contention.contended);
  const decided = sum((cell) => cell.contention.decided);
  return {
    name,
    configurations: cells.length,
    trials: sum((cell) => cell.blocks.length),
    figures: (pooled ? FIGURES : []).flatMap(({ name: figure, unit, of }) => {
      const groups = cells.map((cell) => valuesOf(cell, of));
      const description = describe(groups.flat());
      return description === undefined
        ? []
        : [{ name: figure, unit, description, consistency: pooledSpread(groups) }];
    }),
    contention: { contended, decided, interval: proportionInterval(contended, decided) },
  };
}

function rankedCell(cell: CellAnalysis, { of }: Watched): readonly RankedCell[] {
  const description = describe(valuesOf(cell, of));
  if (description === undefined) return [];
  const { n, mean, max, spread } = description;
  return [
    {
      label: cell.label,
      trials: n,
      mean,
      peak: max,
      sd: spread.kind === "known" ? spread.sd : spread.kind === "no-variance" ? 0 : undefined,
    },
  ];
}

function valuesOf(cell: CellAnalysis, of: Watched["of"]): readonly number[] {
  return cell.blocks.map(of).filter((value) => value !== undefined);
}

/** Telemetry and trials share the monotonic clock of their host. */
function samplesOf(
  { originMonotonicNs, endNs }: TrialRecord,
  samples: readonly TelemetrySample[],
): readonly TelemetrySample[] {
  return samples.filter(({ atNs }) => atNs >= originMonotonicNs && atNs <= originMonotonicNs + endNs);
}
