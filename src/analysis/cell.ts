/** One cell over its repeats: what each agent got, and how the figures of the blocks spread. */
import type { Description } from "../stats/describe.ts";
import { describe } from "../stats/describe.ts";
import type { Difference } from "../stats/difference.ts";
import { differenceOfMeans } from "../stats/difference.ts";
import { mean } from "../stats/quantile.ts";
import type { AgentPlan } from "./agent-plan.ts";
import type { BlockAgent, BlockAnalysis } from "./block.ts";
import { analyseBlock } from "./block.ts";
import { PUBLISHED_THRESHOLD_MS, ttftBaseline } from "./contention.ts";
import type { RequestDistributions } from "./request-distribution.ts";
import { requestDistributions } from "./request-distribution.ts";
import type { RequestRows } from "./request-table.ts";
import type { FoldedRun, FoldedTrial } from "./run-fold.ts";

export interface AgentSummary {
  readonly agent: string;
  readonly endpoints: readonly string[];
  readonly requests: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Each value is one trial's. */
  readonly throughputTokS: Description | undefined;
  readonly soloThroughputTokS: Description | undefined;
  readonly decodeTokS: Description | undefined;
  readonly retention: Description | undefined;
  readonly ttftMedianMs: Description | undefined;
  readonly soloTtftMedianMs: Description | undefined;
  readonly latencyMedianMs: Description | undefined;
  /** Per-trial median TTFT, together − alone. */
  readonly ttftShift: Difference;
  readonly contendedTrials: number;
  readonly nullOneAtATime: number | undefined;
  readonly nullShared: number | undefined;
  /** Over requests of all together trials. */
  readonly requestsTogether: RequestDistributions;
}

export interface BlockFigures {
  readonly balanceIndex: Description | undefined;
  readonly balancePct: Description | undefined;
  readonly trueSpeedup: Description | undefined;
  readonly trueEfficiencyPct: Description | undefined;
  readonly retention: Description | undefined;
  readonly wallMs: Description | undefined;
  readonly aggregateTokS: Description | undefined;
  readonly steadyTokS: Description | undefined;
  readonly aggregateGain: Description | undefined;
  readonly throughputDeltaTokS: Description | undefined;
  readonly ttftDeltaMs: Description | undefined;
  readonly fairness: Description | undefined;
}

/** Means over the blocks of what ideal devices would show. */
export interface CellNull {
  readonly equalShare: number | undefined;
  readonly oneAtATime: NullFigures;
  readonly shared: NullFigures;
}

export interface NullFigures {
  readonly retention: number | undefined;
  readonly trueSpeedup: number | undefined;
  readonly gain: number | undefined;
}

export interface CellAnalysis {
  readonly hash: string;
  readonly label: string;
  readonly scenario: string;
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  readonly agentNames: readonly string[];
  readonly rolesAlike: boolean;
  /** Absent when its trials disagree or none says. */
  readonly effectiveHash: string | undefined;
  readonly blocks: readonly BlockAnalysis[];
  readonly agents: readonly AgentSummary[];
  readonly figures: BlockFigures;
  readonly sharing: CellNull | undefined;
  readonly contention: { readonly thresholdMs: number; readonly contended: number; readonly decided: number };
}

/** `trials` are those of one cell; `undefined` when none of them is a together trial. */
export function analyseCell(
  trials: readonly FoldedTrial[],
  run: FoldedRun,
  plan: AgentPlan,
): CellAnalysis | undefined {
  const together = trials.filter((trial) => trial.record.kind === "together");
  const first = together[0]?.record;
  if (first === undefined) return undefined;
  const thresholdMs = plan.contentionThresholdMs ?? PUBLISHED_THRESHOLD_MS;
  const baselineOf = new Map(
    first.agents.map((agent) => [agent, ttftBaseline(soloRowsOf(agent, trials))] as const),
  );
  const blocks = together.map((trial) =>
    analyseBlock({
      together: trial,
      soloOf: soloTrialsOf(trial, trials),
      baselineOf,
      thresholdMs,
      everyMs: (agent) => plan.everyMs(first.cellHash, agent),
    }),
  );
  const hashes = new Set(together.map((trial) => trial.record.effectiveHash));
  return {
    hash: first.cellHash,
    label: first.cell,
    scenario: first.scenario,
    parameters: first.parameters,
    agentNames: first.agents,
    rolesAlike: blocks.every((block) => block.rolesAlike),
    effectiveHash: hashes.size === 1 ? first.effectiveHash : undefined,
    blocks,
    agents: first.agents.map((agent) => agentSummary(agent, blocks, together, run)),
    figures: figuresOf(blocks),
    sharing: cellNull(blocks),
    contention: {
      thresholdMs,
      contended: blocks.filter((block) => block.contended === true).length,
      decided: blocks.filter((block) => block.contended !== undefined).length,
    },
  };
}

/** The figures of any set of blocks: of one cell, or of a whole run. */
export function figuresOf(blocks: readonly BlockAnalysis[]): BlockFigures {
  const over = (figure: (block: BlockAnalysis) => number | undefined): Description | undefined =>
    describe(blocks.map(figure));
  return {
    balanceIndex: over((block) => block.nominal?.speedup),
    balancePct: over((block) => block.nominal?.efficiencyPct),
    trueSpeedup: over((block) => block.true?.speedup),
    trueEfficiencyPct: over((block) => block.true?.efficiencyPct),
    retention: over((block) => meanKnown(block.agents.map((agent) => agent.retention))),
    wallMs: over((block) => block.figures.wallMs),
    aggregateTokS: over((block) => block.figures.whole.tokS),
    steadyTokS: over((block) => block.figures.steady?.tokS),
    aggregateGain: over((block) => block.aggregateGain),
    throughputDeltaTokS: over((block) => block.throughputDeltaTokS),
    ttftDeltaMs: over((block) => block.ttftDeltaMs),
    fairness: over((block) => block.fairness),
  };
}

/** The mean where every member is known; a mean of some agents would not be the block's. */
function meanKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length ? mean(known) : undefined;
}

function isSoloOf(agent: string, { record }: FoldedTrial): boolean {
  return record.kind === "solo" && (record.soloFor?.includes(agent) ?? record.soloAgent === agent);
}

function soloTrialsOf(
  together: FoldedTrial,
  trials: readonly FoldedTrial[],
): ReadonlyMap<string, FoldedTrial> {
  const sameBlock = trials.filter((trial) => trial.record.repeat === together.record.repeat);
  return new Map(
    together.record.agents.flatMap((agent) => {
      const solo = sameBlock.find((trial) => isSoloOf(agent, trial));
      return solo === undefined ? [] : [[agent, solo] as const];
    }),
  );
}

function soloRowsOf(agent: string, trials: readonly FoldedTrial[]): readonly RequestRows[] {
  return trials
    .filter((trial) => isSoloOf(agent, trial))
    .flatMap((trial) => [...trial.agents.values()].map((run) => run.rows));
}

function agentSummary(
  agent: string,
  blocks: readonly BlockAnalysis[],
  together: readonly FoldedTrial[],
  run: FoldedRun,
): AgentSummary {
  const places = blocks.flatMap((block) => {
    const index = block.agents.findIndex((candidate) => candidate.together.agent === agent);
    const own = block.agents[index];
    return own === undefined ? [] : [{ own, sharing: block.sharing, index }];
  });
  const own = places.map((place) => place.own);
  const over = (figure: (agent: BlockAgent) => number | undefined): Description | undefined =>
    describe(own.map(figure));
  const sum = (figure: (agent: BlockAgent) => number): number =>
    own.reduce((total, one) => total + figure(one), 0);
  const known = (figure: (agent: BlockAgent) => number | undefined): readonly number[] =>
    own.map(figure).filter((value) => value !== undefined);
  return {
    agent,
    endpoints: [...new Set(own.flatMap((one) => one.together.endpoints))],
    requests: sum((one) => one.together.requests),
    failed: sum((one) => one.together.failed),
    cancelled: sum((one) => one.together.cancelled),
    throughputTokS: over((one) => one.together.throughputTokS),
    soloThroughputTokS: over((one) => one.solo?.throughputTokS),
    decodeTokS: over((one) => one.together.decodeTokS),
    retention: over((one) => one.retention),
    ttftMedianMs: over((one) => one.together.ttftMedianMs),
    soloTtftMedianMs: over((one) => one.solo?.ttftMedianMs),
    latencyMedianMs: over((one) => one.together.latencyMedianMs),
    ttftShift: differenceOfMeans(
      known((one) => one.together.ttftMedianMs),
      known((one) => one.solo?.ttftMedianMs),
    ),
    contendedTrials: own.filter((one) => one.contended === true).length,
    nullOneAtATime: meanKnown(places.map(({ sharing, index }) => sharing?.oneAtATime.retention[index])),
    nullShared: meanKnown(places.map(({ sharing, index }) => sharing?.shared.retention[index])),
    requestsTogether: requestDistributions(agent, together, run),
  };
}

function cellNull(blocks: readonly BlockAnalysis[]): CellNull | undefined {
  const nulls = blocks.map((block) => block.sharing).filter((sharing) => sharing !== undefined);
  if (nulls.length === 0) return undefined;
  const figures = (device: "oneAtATime" | "shared"): NullFigures => ({
    retention: mean(
      nulls.flatMap((sharing) => sharing[device].retention.filter((value) => value !== undefined)),
    ),
    trueSpeedup: meanKnown(nulls.map((sharing) => sharing[device].trueSpeedup?.speedup)),
    gain: meanKnown(nulls.map((sharing) => sharing[device].gain)),
  });
  return {
    equalShare: meanKnown(nulls.map((sharing) => sharing.equalShare)),
    oneAtATime: figures("oneAtATime"),
    shared: figures("shared"),
  };
}
