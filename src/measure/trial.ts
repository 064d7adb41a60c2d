/** One trial: prepare, start all agents at one barrier, wait for the last, write the trial's line. */
import { setMaxListeners } from "node:events";
import { NS_PER_MS } from "../core/units.ts";
import type { AgentTime, ClientHealth, TrialRecord, TrialWarning } from "../record/trial-record.ts";
import { TRIAL_RECORD_VERSION } from "../record/trial-record.ts";
import type { EndpointFacts } from "../record/run-manifest.ts";
import type { Scenario } from "../workload/scenario.ts";
import type { PlannedTrial } from "../workload/trial-plan.ts";
import type { TrialContext } from "./trial-context.ts";
import { programOf } from "../workload/programs/program-of.ts";
import { AgentLoop } from "./agent-loop.ts";
import type { Seat } from "./external-seat.ts";
import { seatExternalAgent } from "./external-seat.ts";
import type { SeatedAgent } from "./preparation.ts";
import {
  calibrateAll,
  coolDown,
  effectiveHash,
  loadModels,
  openConnections,
  readFacts,
  unloadAll,
  warmUp,
} from "./preparation.ts";
import { TrialWindow, windowSentence } from "./trial-window.ts";

/** Measures the measuring process itself, from `start` to `stop`. */
export interface ClientHealthMeter {
  start(): { stop(): ClientHealth };
}

export interface TrialPlan {
  readonly planned: PlannedTrial;
  readonly agents: readonly SeatedAgent[];
  readonly scenario: Scenario;
  /** Whether the trial before it was of another cell. */
  readonly cellChanged: boolean;
  readonly corpusFolder: string;
}

export interface TrialOutcome {
  readonly record: TrialRecord;
  readonly facts: readonly EndpointFacts[];
}

export async function runTrial(
  plan: TrialPlan,
  trial: TrialContext,
  health: ClientHealthMeter,
): Promise<TrialOutcome> {
  const { planned, agents, scenario } = plan;
  if (plan.cellChanged && scenario.unload === "forced") await unloadAll(agents, trial);
  await coolDown(trial, scenario.coolDownMs);
  await loadModels(agents, trial);
  await calibrateAll(agents, trial);
  await warmUp(agents, trial, scenario.warmUpRequests);
  const facts = await readFacts(agents);
  await openConnections(agents);
  trial.sink.event({
    atNs: trial.clock.nowNs(),
    kind: "barrier",
    message: `start of ${agents.map((agent) => agent.spec.name).join(", ")}`,
    data: { trialId: trial.trialId },
  });
  const window = windowOf(scenario, trial);
  const ending = new AbortController();
  const signals = [trial.signal, ending.signal, ...(window === undefined ? [] : [window.signal])];
  const ownTrial = {
    ...trial,
    signal: AbortSignal.any(signals),
    ...(window === undefined ? {} : { window }),
  };
  setMaxListeners(0, ownTrial.signal);
  const seats = await takeSeats(plan, facts, ownTrial);
  const meter = health.start();
  const barrierNs = trial.clock.nowNs();
  window?.open(barrierNs);
  let agentTimes: readonly AgentTime[];
  let client: ClientHealth;
  try {
    agentTimes = await runTogether(seats, barrierNs, ending);
  } finally {
    client = meter.stop();
  }
  const windowNs = windowLength(window, trial);
  const endNs = barrierNs + Math.max(...agentTimes.map((time) => time.totalMs)) * NS_PER_MS;
  const record = trialRecord(planned, trial, {
    agentTimes,
    client,
    barrierNs,
    endNs,
    ...(windowNs === undefined ? {} : { windowNs }),
  });
  return {
    record: { ...record, effectiveHash: effectiveHash(agents, facts), simulated: anySimulated(facts) },
    facts,
  };
}

function windowOf({ durationMs, stop }: Scenario, { clock }: TrialContext): TrialWindow | undefined {
  return durationMs === undefined ? undefined : new TrialWindow(clock, durationMs, stop);
}

/** After the last agent; says in the run's events how the set time ended. */
function windowLength(window: TrialWindow | undefined, trial: TrialContext): number | undefined {
  if (window === undefined) return undefined;
  const settled = window.settle();
  trial.sink.event({
    atNs: trial.clock.nowNs(),
    kind: "window-end",
    message: windowSentence(settled),
    data: { trialId: trial.trialId, windowNs: settled.windowNs, ...settled.end },
  });
  return settled.windowNs;
}

/** Everything that can be done before the barrier is done; when one seat cannot be had, the others are given up. */
async function takeSeats(
  plan: TrialPlan,
  facts: readonly EndpointFacts[],
  trial: TrialContext,
): Promise<readonly Seat[]> {
  const taken = await Promise.allSettled(
    plan.agents.map((agent, index) => takeSeat(agent, plan, facts[index], trial)),
  );
  const seats = taken.flatMap((seat) => (seat.status === "fulfilled" ? [seat.value] : []));
  const refused = taken.find((seat) => seat.status === "rejected");
  if (refused === undefined) return seats;
  for (const seat of seats) await seat.leave();
  throw refused.reason;
}

async function takeSeat(
  agent: SeatedAgent,
  plan: TrialPlan,
  facts: EndpointFacts | undefined,
  trial: TrialContext,
): Promise<Seat> {
  const program = programOf(agent.spec);
  if (program === undefined) return seatExternalAgent(agent, plan.corpusFolder, trial);
  const loop = new AgentLoop(agent.spec, agent.model, agent.endpoint, trial, facts?.contextTokens);
  return { start: (barrierNs) => loop.run(program, barrierNs), leave: () => Promise.resolve() };
}

/** All at once. When one cannot go on at all, its program being absent, the others are ended before its error is passed on. */
async function runTogether(
  seats: readonly Seat[],
  barrierNs: number,
  ending: AbortController,
): Promise<readonly AgentTime[]> {
  const running = seats.map((seat) => seat.start(barrierNs));
  try {
    return await Promise.all(running);
  } catch (thrown) {
    ending.abort(new Error("another agent could not go on"));
    await Promise.allSettled(running);
    throw thrown;
  }
}

function anySimulated(facts: readonly EndpointFacts[]): boolean {
  return facts.some((fact) => fact.simulated);
}

interface Measured {
  readonly agentTimes: readonly AgentTime[];
  readonly client: ClientHealth;
  readonly barrierNs: number;
  readonly endNs: number;
  readonly windowNs?: number;
}

function trialRecord(
  planned: PlannedTrial,
  trial: TrialContext,
  measured: Measured,
): Omit<TrialRecord, "effectiveHash" | "simulated"> {
  const failures = measured.agentTimes.reduce((sum, time) => sum + time.failures, 0);
  const warnings: readonly TrialWarning[] =
    failures === 0
      ? []
      : [
          {
            code: "FAILED_REQUESTS",
            message: `${failures} of ${measured.agentTimes.reduce((sum, time) => sum + time.requests, 0)} requests of this trial failed; rates count answered tokens only`,
            remedy: "see the outcomes in requests.jsonl; slipway doctor shows whether the endpoint is well",
          },
        ];
  return {
    v: TRIAL_RECORD_VERSION,
    trialId: planned.trialId,
    cellHash: planned.cell.hash,
    cell: planned.cell.label,
    scenario: planned.cell.scenario,
    parameters: planned.cell.parameters,
    kind: planned.kind,
    ...(planned.soloAgent === undefined ? {} : { soloAgent: planned.soloAgent }),
    ...(planned.soloFor === undefined ? {} : { soloFor: planned.soloFor }),
    repeat: planned.repeat,
    order: planned.order,
    agents: measured.agentTimes.map((time) => time.agent),
    originIso: trial.clock.wallIso(),
    originMonotonicNs: trial.originNs,
    barrierNs: measured.barrierNs - trial.originNs,
    endNs: Math.round(measured.endNs - trial.originNs),
    ...(measured.windowNs === undefined ? {} : { windowNs: measured.windowNs }),
    agentTimes: measured.agentTimes,
    client: measured.client,
    status: trial.signal.aborted ? "interrupted" : "complete",
    failures,
    warnings,
  };
}
