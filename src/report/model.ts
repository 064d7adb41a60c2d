/**
 * The data contract behind every view: the terminal, report.md and whatever follows read this and
 * compute nothing. Numbers keep their unit in their name; an unknown one is `undefined`.
 */
import type { RunAnalysis } from "../analysis/analyse-run.ts";
import type { AgentSummary, CellAnalysis, CellNull, NullFigures } from "../analysis/cell.ts";
import type { EngineSplitMeans } from "../analysis/engine-split.ts";
import type { PercentileInterval } from "../analysis/percentile-interval.ts";
import type { RequestDistribution } from "../analysis/request-distribution.ts";
import { PERCENTILES } from "../analysis/request-distribution.ts";
import type { LadderScaling } from "../analysis/scaling/scaling.ts";
import { scalingOf } from "../analysis/scaling/scaling.ts";
import type { CellRoles } from "../analysis/roles/measured-roles.ts";
import type { TimeParts } from "../analysis/time-parts.ts";
import type { RunWarning } from "../analysis/warning-check.ts";
import type { SummaryRecord } from "../record/summary-record.ts";
import type { Description, Interval } from "../stats/describe.ts";
import { hasAnswer } from "../analysis/cell.ts";
import { answerOf } from "./answer.ts";
import type { FactView } from "./facts.ts";
import { factsOf } from "./facts.ts";
import { importedAnswer } from "./imported/imported-section.ts";
import { nextStep } from "./next-step.ts";

/** A figure over trials, and how sure it is. */
export interface Measured {
  readonly mean: number | undefined;
  readonly trials: number;
  /** `whole-range`: the interval leaves out no value that the figure can have. */
  readonly ci95: Interval | "too-few" | "no-variance" | "whole-range";
}

export interface AgentView {
  readonly agent: string;
  readonly endpoints: readonly string[];
  readonly requests: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Means over trials of each trial's median. */
  readonly ttftMs: Measured | undefined;
  readonly soloTtftMs: Measured | undefined;
  readonly latencyMs: Measured | undefined;
  readonly aloneTokS: Measured | undefined;
  readonly togetherTokS: Measured | undefined;
  readonly retention: Measured | undefined;
  readonly idealShared: number | undefined;
  readonly idealOneAtATime: number | undefined;
  readonly contendedTrials: number;
  /** TTFT together − alone by per-trial medians: whether chance explains it. */
  readonly ttftShiftMs: number | undefined;
  readonly ttftShift: "shifted" | "not-decided" | "unknown";
  readonly distributions: readonly DistributionView[];
  readonly engineSplit: EngineSplitMeans | undefined;
  readonly time: TimeParts | undefined;
}

/** Over requests; a percentile says the n it would need where it lacks it. */
export interface DistributionView {
  readonly figure: string;
  readonly n: number;
  readonly mean: number | undefined;
  readonly percentiles: readonly PercentileView[];
}

export interface PercentileView {
  readonly label: string;
  readonly value: number | undefined;
  readonly needed: number | undefined;
  /** 95 % over trials; absent with its value. */
  readonly interval: PercentileInterval | undefined;
}

export type FigureUnit = "times" | "percent" | "tok/s" | "ms" | "duration" | "index";

export interface FigureView {
  readonly name: string;
  readonly unit: FigureUnit;
  readonly signed: boolean;
  readonly measured: Measured;
  readonly idealShared: number | undefined;
  readonly idealOneAtATime: number | undefined;
}

export interface CellView {
  readonly label: string;
  readonly trials: number;
  readonly agents: readonly AgentView[];
  readonly figures: readonly FigureView[];
  readonly contention: CellAnalysis["contention"];
  /** 1/N, where it holds. */
  readonly equalShare: number | undefined;
  readonly trueSpeedup: Measured | undefined;
  readonly balanceIndex: Measured | undefined;
  readonly retention: Measured | undefined;
  readonly aggregateGain: Measured | undefined;
  readonly aggregateTokS: Measured | undefined;
}

export interface ReportModel {
  readonly runId: string;
  readonly scenario: string;
  readonly simulated: boolean;
  /** Plain sentences; the first answers the question the run was made for. */
  readonly answer: readonly string[];
  /** Another program measured it: what can be said of it stands in its own section. */
  readonly imported: boolean;
  readonly cells: readonly CellView[];
  /** Over all cells; only where there are several that may be averaged. */
  readonly overall: readonly FigureView[];
  /** Cells that differ in the number of agents alone. */
  readonly scaling: readonly LadderScaling[];
  /** Of cells whose agents have roles or a set time. */
  readonly roles: readonly CellRoles[];
  /** What those are averages of, or why there are none; only where there are several cells. */
  readonly overallLabel: string | undefined;
  readonly repeats: readonly string[];
  readonly warnings: readonly RunWarning[];
  readonly facts: readonly FactView[];
  readonly runDirectory: string | undefined;
  readonly nextStep: string;
}

export interface ReportOptions {
  readonly runDirectory?: string;
  /** The figures of a run that another program measured: it has no records of ours. */
  readonly imported?: SummaryRecord;
}

export function toReportModel(analysis: RunAnalysis, options: ReportOptions = {}): ReportModel {
  const { manifest, cells } = analysis;
  return {
    runId: manifest.runId,
    scenario: manifest.scenario,
    simulated: analysis.simulated,
    answer: options.imported === undefined ? answerOf(analysis) : importedAnswer(options.imported),
    imported: options.imported !== undefined,
    cells: cells.map(cellView),
    overall: cells.length > 1 ? figureViews(analysis.overall, undefined) : [],
    scaling: scalingOf(analysis),
    roles: analysis.roles,
    overallLabel: cells.length > 1 ? overallLabel(analysis) : undefined,
    repeats: analysis.repeats.map(repeatSentence),
    warnings: analysis.warnings,
    facts: factsOf(analysis),
    runDirectory: options.runDirectory,
    nextStep: nextStep(analysis, options.runDirectory),
  };
}

function cellView(cell: CellAnalysis): CellView {
  return {
    label: cell.label,
    trials: cell.blocks.length,
    agents: cell.agents.map(agentView),
    figures: figureViews(cell.figures, cell.sharing),
    contention: cell.contention,
    equalShare: cell.sharing?.equalShare,
    trueSpeedup: measured(cell.figures.trueSpeedup),
    balanceIndex: measured(cell.figures.balanceIndex),
    retention: measured(cell.figures.retention),
    aggregateGain: measured(cell.figures.aggregateGain),
    aggregateTokS: measured(cell.figures.aggregateTokS),
  };
}

function agentView(agent: AgentSummary): AgentView {
  const { requestsTogether: requests, ttftShift } = agent;
  return {
    agent: agent.agent,
    endpoints: agent.endpoints,
    requests: agent.requests,
    failed: agent.failed,
    cancelled: agent.cancelled,
    ttftMs: measured(agent.ttftMedianMs),
    soloTtftMs: measured(agent.soloTtftMedianMs),
    latencyMs: measured(agent.latencyMedianMs),
    aloneTokS: measured(agent.soloThroughputTokS),
    togetherTokS: measured(agent.throughputTokS),
    retention: measured(agent.retention),
    idealShared: agent.nullShared,
    idealOneAtATime: agent.nullOneAtATime,
    contendedTrials: agent.contendedTrials,
    ttftShiftMs: ttftShift.kind === "too-few" ? undefined : ttftShift.difference,
    ttftShift: ttftShift.kind !== "known" ? "unknown" : ttftShift.decided ? "shifted" : "not-decided",
    engineSplit: agent.engineSplit,
    time: agent.time,
    distributions: [
      distributionView("TTFT", requests.ttftMs),
      distributionView("response TTFT", requests.responseTtftMs),
      distributionView("time to first visible token", requests.firstVisibleMs),
      distributionView("latency", requests.latencyMs),
      distributionView("response latency", requests.responseLatencyMs),
      distributionView(
        requests.itl.kind === "chunk" ? "inter-token latency" : "inter-token latency (mean)",
        requests.itl.ms,
      ),
      ...(requests.chunkGapMs === undefined ? [] : [distributionView("chunk gap", requests.chunkGapMs)]),
    ],
  };
}

function distributionView(figure: string, distribution: RequestDistribution): DistributionView {
  return {
    figure,
    n: distribution.n,
    mean: distribution.mean,
    percentiles: distribution.percentiles.map((percentile, index) => ({
      label: `p${Math.round((PERCENTILES[index] ?? 0) * 100)}`,
      value: percentile.kind === "certified" ? percentile.value : undefined,
      needed: percentile.kind === "too-few" ? percentile.needed : undefined,
      interval: percentile.kind === "certified" ? percentile.interval : undefined,
    })),
  };
}

function figureViews(figures: RunAnalysis["overall"], sharing: CellNull | undefined): readonly FigureView[] {
  const view = (
    name: string,
    unit: FigureUnit,
    description: Description | undefined,
    ideal?: (device: NullFigures) => number | undefined,
    signed = false,
  ): readonly FigureView[] => {
    const over = measured(description);
    if (over === undefined) return [];
    return [
      {
        name,
        unit,
        signed,
        measured: over,
        idealShared: sharing === undefined ? undefined : ideal?.(sharing.shared),
        idealOneAtATime: sharing === undefined ? undefined : ideal?.(sharing.oneAtATime),
      },
    ];
  };
  return [
    ...view("true speedup", "times", figures.trueSpeedup, (device) => device.trueSpeedup),
    ...view("true efficiency", "percent", figures.trueEfficiencyPct),
    ...view("balance index (published speedup)", "times", figures.balanceIndex),
    ...view("balance (published efficiency)", "percent", figures.balancePct),
    ...view("aggregate gain", "times", figures.aggregateGain, (device) => device.gain),
    ...view("aggregate throughput", "tok/s", figures.aggregateTokS),
    ...view("  while all agents are busy", "tok/s", figures.steadyTokS),
    ...view("throughput, first − second agent", "tok/s", figures.throughputDeltaTokS, undefined, true),
    ...view("TTFT, first − second agent", "ms", figures.ttftDeltaMs, undefined, true),
    ...view("fairness (Jain)", "index", figures.fairness),
    ...view("wall time of a trial", "duration", figures.wallMs),
  ];
}

function measured(description: Description | undefined): Measured | undefined {
  if (description === undefined) return undefined;
  const { mean, n, spread } = description;
  if (spread.kind !== "known") return { mean, trials: n, ci95: spread.kind };
  return { mean, trials: n, ci95: spread.ci95.clipped === "both" ? "whole-range" : spread.ci95 };
}

function overallLabel({ cells, pooling }: RunAnalysis): string {
  if (pooling.kind === "apart") return `No averages over all cells: their ${pooling.differ} differ`;
  const blocks = cells.flatMap((cell) => cell.blocks);
  const answered = blocks.filter(hasAnswer).length;
  const trials = answered < blocks.length ? `${answered} of ${blocks.length}` : `all ${blocks.length}`;
  const agents = `${pooling.agents} agent${pooling.agents === 1 ? "" : "s"} each`;
  return `Over ${trials} together trials: ${cells.length} cells of ${agents}`;
}

function repeatSentence({ cells, noiseFloor }: RunAnalysis["repeats"][number]): string {
  const parts = [
    noiseFloor.balancePct === undefined ? [] : [`${noiseFloor.balancePct.toFixed(2)} points of balance`],
    noiseFloor.trueSpeedup === undefined ? [] : [`${noiseFloor.trueSpeedup.toFixed(3)} of true speedup`],
    noiseFloor.aggregateTokS === undefined ? [] : [`${noiseFloor.aggregateTokS.toFixed(1)} tok/s`],
  ].flat();
  return `${cells.join(", ")} ran with the same effective settings: they are repeats, and their difference (${parts.join(", ")}) is the noise floor. Smaller differences between other cells say nothing.`;
}
