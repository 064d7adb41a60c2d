/**
 * A block: one together trial and the solo trials of the same repeat of the same cell. Nothing is
 * compared across blocks, so that drift of the machine between repeats falls on both sides alike.
 */
import { jainIndex } from "../stats/jain.ts";
import type { Comparability } from "./comparability.ts";
import { comparability, lengthsDiffer } from "./comparability.ts";
import type { TtftBaseline } from "./contention.ts";
import { isContended } from "./contention.ts";
import type { SharingNull } from "./ideal-sharing.ts";
import { sharingNull } from "./ideal-sharing.ts";
import type { FoldedTrial } from "./run-fold.ts";
import type { SoloBaseline } from "./solo-baseline.ts";
import type { Speedup } from "./speedup.ts";
import { aloneMs, nominalSpeedup, trueSpeedup } from "./speedup.ts";
import type { AgentFigures, TrialFigures } from "./trial-figures.ts";
import { trialFigures } from "./trial-figures.ts";

export interface BlockAgent {
  readonly together: AgentFigures;
  readonly solo: AgentFigures | undefined;
  readonly comparability: Comparability;
  /** Throughput together ÷ alone. */
  readonly retention: number | undefined;
  /** What the work done together takes alone. */
  readonly aloneMs: number | undefined;
  /** Output tokens per request, together ÷ alone. */
  readonly outputLengthRatio: number | undefined;
  readonly contended: boolean | undefined;
}

export interface BlockAnalysis {
  readonly trialId: string;
  readonly repeat: number;
  readonly figures: TrialFigures;
  readonly agents: readonly BlockAgent[];
  /** The published "speedup": a balance index. */
  readonly nominal: Speedup | undefined;
  readonly true: Speedup | undefined;
  /** Whole-trial throughput together ÷ that of the solo trials one after the other. */
  readonly aggregateGain: number | undefined;
  /** First agent − second agent. */
  readonly throughputDeltaTokS: number | undefined;
  readonly ttftDeltaMs: number | undefined;
  readonly contended: boolean | undefined;
  readonly rolesAlike: boolean;
  /** Jain's index over throughput where roles are alike, over retention where they differ. */
  readonly fairness: number | undefined;
  readonly sharing: SharingNull | undefined;
  readonly failures: number;
}

export interface BlockInput {
  readonly together: FoldedTrial;
  /** The solo trial of each agent that has one; agents that differ only in name share it. */
  readonly soloOf: ReadonlyMap<string, SoloBaseline>;
  readonly baselineOf: ReadonlyMap<string, TtftBaseline>;
  readonly thresholdMs: number;
  readonly everyMs: (agent: string) => number | undefined;
}

export function analyseBlock(input: BlockInput): BlockAnalysis {
  const { record } = input.together;
  const figures = trialFigures(input.together);
  const clientLate = lateRequests(figures, input.soloOf);
  const agents = figures.agents.map((agent) => blockAgent(agent, input, clientLate));
  const rolesAlike = areAlike(figures.agents);
  const [first, second] = figures.agents;
  return {
    trialId: record.trialId,
    repeat: record.repeat,
    figures,
    agents,
    nominal: balanceIndex(figures, record.agents.length),
    true: trueSpeedup(
      agents.map((agent) => agent.aloneMs),
      figures.wallMs,
    ),
    aggregateGain: aggregateGain(figures, agents, input.soloOf),
    throughputDeltaTokS: difference(first?.throughputTokS, second?.throughputTokS),
    ttftDeltaMs: difference(first?.ttftMedianMs, second?.ttftMedianMs),
    contended: anyContended(agents),
    rolesAlike,
    fairness: fairness(agents, rolesAlike),
    sharing: clientLate > 0 ? undefined : sharing(agents, input, rolesAlike),
    failures: figures.agents.reduce((total, agent) => total + agent.failed, 0),
  };
}

/** An agent that got no answer did not finish, however early it gave up: there is no balance to it. */
function balanceIndex({ agents, wallMs }: TrialFigures, seats: number): Speedup | undefined {
  const finished = agents.filter((agent) => agent.requests > 0);
  if (finished.length < seats) return undefined;
  return nominalSpeedup(
    finished.map((agent) => agent.totalMs).filter((ms) => ms !== undefined),
    wallMs,
  );
}

/** Of the together trial and the solo trials that stand for its agents, each counted once. */
function lateRequests(figures: TrialFigures, soloOf: BlockInput["soloOf"]): number {
  const solos = new Set(figures.agents.flatMap(({ agent }) => soloOf.get(agent)?.agent ?? []));
  return [...figures.agents, ...solos].reduce((total, { clientLate }) => total + clientLate, 0);
}

function blockAgent(together: AgentFigures, input: BlockInput, clientLate: number): BlockAgent {
  const solo = input.soloOf.get(together.agent);
  const compared = comparability(together, solo?.agent, clientLate);
  const rows = input.together.agents.get(together.agent)?.rows;
  const pace = compared.kind === "comparable" ? solo?.pace : undefined;
  const baseline = input.baselineOf.get(together.agent);
  return {
    together,
    solo: solo?.agent,
    comparability: compared,
    retention:
      compared.kind === "comparable" ? ratio(together.throughputTokS, solo?.agent.throughputTokS) : undefined,
    aloneMs: rows === undefined || pace === undefined ? undefined : aloneMs(rows, pace),
    outputLengthRatio: ratio(together.outputPerRequest, solo?.agent.outputPerRequest),
    contended:
      rows === undefined || baseline === undefined
        ? undefined
        : isContended(rows, baseline, input.thresholdMs),
  };
}

/** Alike: the same steps with prompts and answers of the same length. */
function areAlike(agents: readonly AgentFigures[]): boolean {
  const first = agents[0];
  return agents.every(
    (agent) =>
      first !== undefined &&
      [...agent.steps].sort().join("\n") === [...first.steps].sort().join("\n") &&
      !lengthsDiffer(agent.inputPerRequest, first.inputPerRequest) &&
      !lengthsDiffer(agent.outputPerRequest, first.outputPerRequest),
  );
}

function aggregateGain(
  figures: TrialFigures,
  agents: readonly BlockAgent[],
  soloOf: BlockInput["soloOf"],
): number | undefined {
  let tokens = 0;
  let wallMs = 0;
  for (const agent of agents) {
    const solo = soloOf.get(agent.together.agent);
    if (solo === undefined || agent.comparability.kind !== "comparable") return undefined;
    tokens += solo.trial.whole.tokens;
    wallMs += solo.trial.wallMs;
  }
  if (tokens === 0 || wallMs === 0 || figures.wallMs === 0) return undefined;
  return figures.whole.tokens / figures.wallMs / (tokens / wallMs);
}

/** Contended as soon as one agent is; free of it only when every agent could be judged. */
function anyContended(agents: readonly BlockAgent[]): boolean | undefined {
  if (agents.some((agent) => agent.contended === true)) return true;
  return agents.length > 0 && agents.every((agent) => agent.contended === false) ? false : undefined;
}

function fairness(agents: readonly BlockAgent[], rolesAlike: boolean): number | undefined {
  const shares = agents.map((agent) => (rolesAlike ? agent.together.throughputTokS : agent.retention));
  const known = shares.filter((share) => share !== undefined);
  return known.length === shares.length && known.length > 1 ? jainIndex(known) : undefined;
}

function sharing(
  agents: readonly BlockAgent[],
  { soloOf, everyMs }: BlockInput,
  rolesAlike: boolean,
): SharingNull | undefined {
  const works = agents.flatMap(({ together: { agent } }) => {
    const requests = soloOf.get(agent)?.requests ?? [];
    const cadenceMs = everyMs(agent);
    if (requests.length === 0) return [];
    return [{ agent, requests, ...(cadenceMs === undefined ? {} : { everyMs: cadenceMs }) }];
  });
  return works.length === agents.length && works.length > 0 ? sharingNull(works, rolesAlike) : undefined;
}

function difference(first: number | undefined, second: number | undefined): number | undefined {
  return first === undefined || second === undefined ? undefined : first - second;
}

function ratio(above: number | undefined, below: number | undefined): number | undefined {
  return above === undefined || below === undefined || below === 0 ? undefined : above / below;
}
