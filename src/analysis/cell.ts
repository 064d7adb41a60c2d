/** One cell over its repeats: what each agent got, and how the figures of the blocks spread. */
import type { AgentTime } from "../record/trial-record.ts";
import type { Description } from "../stats/describe.ts";
import type { Difference } from "../stats/difference.ts";
import { differenceOfMeans } from "../stats/difference.ts";
import { mean } from "../stats/quantile.ts";
import type { AgentSpec } from "../workload/scenario.ts";
import type { AgentPlan } from "./agent-plan.ts";
import { everyMsOf } from "./agent-plan.ts";
import type { Bounds } from "./bounded.ts";
import { describeWithin, NOT_NEGATIVE, UNBOUNDED } from "./bounded.ts";
import type { BlockAgent, BlockAnalysis } from "./block.ts";
import { analyseBlock } from "./block.ts";
import { PUBLISHED_THRESHOLD_MS, ttftBaselines } from "./contention.ts";
import type { EngineSplitMeans } from "./engine-split.ts";
import { engineSplit } from "./engine-split.ts";
import type { Pauses } from "./pauses.ts";
import { pausesOf } from "./pauses.ts";
import type { RequestDistributions } from "./request-distribution.ts";
import { requestDistributions } from "./request-distribution.ts";
import type { RequestRows } from "./request-table.ts";
import type { FoldedRun, FoldedTrial } from "./run-fold.ts";
import { soloBaselines } from "./solo-baseline.ts";
import type { TimeParts } from "./time-parts.ts";
import { meanTimeParts } from "./time-parts.ts";
import type { AgentFigures } from "./trial-figures.ts";

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
  /** As the engine reports it; absent where it does not. */
  readonly engineSplit: EngineSplitMeans | undefined;
  readonly time: TimeParts | undefined;
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
  readonly pauses: Pauses;
  readonly contention: { readonly thresholdMs: number; readonly contended: number; readonly decided: number };
}

/** `trials` are those of one cell; `undefined` when none of them is a together trial. `seed`: of the run. */
export function analyseCell(
  trials: readonly FoldedTrial[],
  run: FoldedRun,
  plan: AgentPlan,
  seed: number,
): CellAnalysis | undefined {
  const together = trials.filter((trial) => trial.record.kind === "together");
  const first = together[0]?.record;
  if (first === undefined) return undefined;
  const thresholdMs = plan.contentionThresholdMs ?? PUBLISHED_THRESHOLD_MS;
  const solos = trials.filter((trial) => trial.record.kind === "solo");
  const baselineOf = ttftBaselines(solos);
  const soloOf = soloBaselines(solos);
  const blocks = together.map((trial) =>
    analyseBlock({
      together: trial,
      soloOf: soloOf.get(trial.record.repeat) ?? new Map(),
      baselineOf,
      thresholdMs,
      everyMs: (agent) => everyMsOf(plan.agent(first.cellHash, agent)),
    }),
  );
  const seats = seatsOf(blocks);
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
    agents: first.agents.map((agent) => ({
      ...agentSummary(agent, seats.get(agent) ?? [], requestDistributions(agent, together, run, seed)),
      engineSplit: engineSplit(rowsOf(agent, together)),
      endpoints: endpointsOf(seats.get(agent) ?? [], plan.agent(first.cellHash, agent)),
    })),
    figures: figuresOf(blocks),
    sharing: cellNull(blocks),
    pauses: pausesOf(
      timesOf(blocks, (agent) => agent.together),
      timesOf(blocks, (agent) => agent.solo),
      first.agents.map((agent) => plan.agent(first.cellHash, agent)),
    ),
    contention: {
      thresholdMs,
      contended: blocks.filter((block) => block.contended === true).length,
      decided: blocks.filter((block) => block.contended !== undefined).length,
    },
  };
}

/** In a set time all agents end with it, and the index is their number whatever happened. */
function balanceOf({ nominal, figures }: BlockAnalysis): BlockAnalysis["nominal"] {
  return figures.windowMs === undefined ? nominal : undefined;
}

/** A trial without an answer has a wall and a rate of 0, which measure nothing: no figure contains it. */
export function hasAnswer({ agents }: BlockAnalysis): boolean {
  return agents.some(({ together }) => together.requests > 0);
}

/** The figures of any set of blocks: of one cell, or of all cells of a run that may be pooled. */
export function figuresOf(all: readonly BlockAnalysis[]): BlockFigures {
  const blocks = all.filter(hasAnswer);
  const agents = Math.max(1, ...blocks.map((block) => block.agents.length));
  const over = (
    figure: (block: BlockAnalysis) => number | undefined,
    bounds: Bounds = NOT_NEGATIVE,
  ): Description | undefined => describeWithin(blocks.map(figure), bounds);
  return {
    // Σ agent times ÷ the longest of them.
    balanceIndex: over((block) => balanceOf(block)?.speedup, { low: 1, high: agents }),
    balancePct: over((block) => balanceOf(block)?.efficiencyPct, { low: 100 / agents, high: 100 }),
    trueSpeedup: over((block) => block.true?.speedup),
    trueEfficiencyPct: over((block) => block.true?.efficiencyPct),
    retention: over((block) => meanKnown(block.agents.map((agent) => agent.retention))),
    wallMs: over((block) => block.figures.wallMs),
    aggregateTokS: over((block) => block.figures.whole.tokS),
    steadyTokS: over((block) => block.figures.steady?.tokS),
    aggregateGain: over((block) => block.aggregateGain),
    throughputDeltaTokS: over((block) => block.throughputDeltaTokS, UNBOUNDED),
    ttftDeltaMs: over((block) => block.ttftDeltaMs, UNBOUNDED),
    fairness: over((block) => block.fairness, { low: 1 / agents, high: 1 }),
  };
}

/** The mean where every member is known; a mean of some agents would not be the block's. */
function meanKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length ? mean(known) : undefined;
}

/** An agent in one block, with what the ideal devices leave it there. */
interface Seat {
  readonly own: BlockAgent;
  readonly idealOneAtATime: number | undefined;
  readonly idealShared: number | undefined;
}

function seatsOf(blocks: readonly BlockAnalysis[]): ReadonlyMap<string, readonly Seat[]> {
  const seats = new Map<string, Seat[]>();
  for (const { agents, sharing } of blocks)
    agents.forEach((own, index) => {
      const seat: Seat = {
        own,
        idealOneAtATime: sharing?.oneAtATime.retention[index],
        idealShared: sharing?.shared.retention[index],
      };
      const same = seats.get(own.together.agent);
      if (same === undefined) seats.set(own.together.agent, [seat]);
      else same.push(seat);
    });
  return seats;
}

/** Those its requests went to; of an agent that sent none, the one it was to use. */
function endpointsOf(seats: readonly Seat[], planned: AgentSpec | undefined): readonly string[] {
  const used = new Set(seats.flatMap(({ own }) => own.together.endpoints));
  return used.size === 0 && planned !== undefined ? [planned.endpoint] : [...used];
}

function agentSummary(
  agent: string,
  seats: readonly Seat[],
  requestsTogether: RequestDistributions,
): Omit<AgentSummary, "endpoints" | "engineSplit"> {
  const own = seats.map((seat) => seat.own);
  const over = (figure: (agent: BlockAgent) => number | undefined): Description | undefined =>
    describeWithin(own.map(figure), NOT_NEGATIVE);
  const sum = (figure: (agent: BlockAgent) => number): number =>
    own.reduce((total, one) => total + figure(one), 0);
  const known = (figure: (agent: BlockAgent) => number | undefined): readonly number[] =>
    own.map(figure).filter((value) => value !== undefined);
  return {
    agent,
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
    nullOneAtATime: meanKnown(seats.map((seat) => seat.idealOneAtATime)),
    nullShared: meanKnown(seats.map((seat) => seat.idealShared)),
    requestsTogether,
    time: meanTimeParts(own.map((one) => one.together.time).filter((time) => time !== undefined)),
  };
}

function rowsOf(agent: string, trials: readonly FoldedTrial[]): readonly RequestRows[] {
  return trials.map((trial) => trial.agents.get(agent)?.rows).filter((rows) => rows !== undefined);
}

function timesOf(
  blocks: readonly BlockAnalysis[],
  trial: (agent: BlockAgent) => AgentFigures | undefined,
): readonly AgentTime[] {
  return blocks.flatMap((block) => block.agents.flatMap((agent) => trial(agent)?.time ?? []));
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
