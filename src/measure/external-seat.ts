/**
 * A foreign program in an agent's place: a recording endpoint of its own is opened before the
 * barrier, the program starts at the barrier, and its requests become ordinary records.
 */
import { assert } from "../core/assert.ts";
import { randomStream } from "../core/random.ts";
import { nsToMs } from "../core/units.ts";
import type { RecordSink } from "../record/record-sink.ts";
import type { AgentTime } from "../record/trial-record.ts";
import { makeNonce, UNCALIBRATED } from "../workload/prompt.ts";
import type { TrialContext } from "./trial-context.ts";
import { failureOf } from "./failure.ts";
import type { ExternalAgentResult } from "./external-agent.ts";
import { runExternalAgent } from "./external-agent.ts";
import type { SeatedAgent } from "./preparation.ts";
import type { RecordingEndpoint } from "./recording/endpoint.ts";
import { startRecordingEndpoint } from "./recording/endpoint.ts";

/** What the agent's records add up to; filled as they pass to the real sink. */
interface Tally {
  requests: number;
  failures: number;
  requestNs: number;
}

/** An agent ready for the barrier: what it needs is open. */
export interface Seat {
  /** Begins at once; resolves when the agent has done its work. Called at most once. */
  start(barrierNs: number): Promise<AgentTime>;
  /** Instead of `start`: closes what was opened. */
  leave(): Promise<void>;
}

/** Opens the endpoint; the start runs the program to its end. */
export async function seatExternalAgent(
  agent: SeatedAgent,
  corpusFolder: string,
  trial: TrialContext,
): Promise<Seat> {
  const { spec, endpoint } = agent;
  const tally: Tally = { requests: 0, failures: 0, requestNs: 0 };
  const nonce = trial.promptCold ? nonceOf(agent, trial) : undefined;
  const recording = await startRecordingEndpoint({
    listen: { host: "127.0.0.1", port: 0 },
    upstream: { engine: endpoint.engine, url: endpoint.url, headers: endpoint.headers },
    agent: spec.name,
    ...(nonce === undefined ? {} : { nonce }),
    trialId: trial.trialId,
    originNs: trial.originNs,
    phase: "measured",
    endpointName: endpoint.name,
    sink: countingSink(trial, spec.name, tally),
    clock: trial.clock,
  });
  const start = async (barrierNs: number): Promise<AgentTime> => {
    let result: ExternalAgentResult;
    try {
      result = await runProgram(agent, { corpusFolder, recording, nonce }, trial);
    } finally {
      // Records of requests that the program broke off are written by the stop.
      await recording.stop();
    }
    noteFailure(spec.name, result, trial);
    return agentTime(spec.name, result, tally, nsToMs(trial.clock.nowNs() - barrierNs));
  };
  return { start, leave: () => recording.stop() };
}

/** Begins this agent's prompts in this trial and no others. */
function nonceOf({ spec, endpoint, model }: SeatedAgent, trial: TrialContext): string {
  const vocabulary = endpoint.vocabularies.get(model) ?? UNCALIBRATED;
  return makeNonce(vocabulary, randomStream(trial.seed, "nonce", spec.name, trial.promptKey));
}

function runProgram(
  { spec, model }: SeatedAgent,
  given: {
    readonly corpusFolder: string;
    readonly recording: RecordingEndpoint;
    readonly nonce: string | undefined;
  },
  trial: TrialContext,
): Promise<ExternalAgentResult> {
  const [program, ...args] = spec.command ?? [];
  assert(program !== undefined, `agent ${spec.name} has a command`);
  return runExternalAgent({
    command: [program, ...args],
    environment: {},
    recording: given.recording,
    model,
    agentName: spec.name,
    ...(given.nonce === undefined ? {} : { nonce: given.nonce }),
    corpusPath: given.corpusFolder,
    clock: trial.clock,
    signal: trial.signal,
    limitMs: trial.limits.agentMs,
  });
}

function noteFailure(agent: string, { outcome }: ExternalAgentResult, trial: TrialContext): void {
  if (outcome.kind === "finished") return;
  const message = "message" in outcome ? outcome.message : outcome.kind;
  trial.onRequestEnd?.(agent, message);
  trial.sink.event({
    atNs: trial.clock.nowNs(),
    kind: "external-agent-failed",
    message: `${agent}: ${message}`,
    data: { trialId: trial.trialId, agent },
  });
}

function agentTime(agent: string, result: ExternalAgentResult, tally: Tally, totalMs: number): AgentTime {
  const { startupMs, rssPeakBytes, exitCode } = result;
  return {
    agent,
    totalMs,
    requestMs: nsToMs(tally.requestNs),
    fileMs: 0,
    waitMs: 0,
    queueMs: 0,
    // Requests of a foreign program may overlap, so the rest is taken from when none was going on.
    otherMs: result.outsideRequestsMs,
    requests: tally.requests,
    failures: tally.failures + (result.outcome.kind === "finished" ? 0 : 1),
    process: {
      ...(startupMs === undefined ? {} : { startupMs }),
      ...(rssPeakBytes === undefined ? {} : { rssPeakBytes }),
      ...(exitCode === undefined ? {} : { exitCode }),
    },
  };
}

function countingSink({ sink, onRequestEnd }: TrialContext, agent: string, tally: Tally): RecordSink {
  return {
    request: (record, chunks) => {
      tally.requests++;
      if (record.outcome.kind !== "ok") tally.failures++;
      tally.requestNs += record.stamps.endNs - (record.stamps.sentNs ?? record.stamps.endNs);
      sink.request(record, chunks);
      onRequestEnd?.(agent, failureOf(record.outcome));
    },
    trial: (record) => sink.trial(record),
    telemetry: (sample) => sink.telemetry(sample),
    event: (event) => sink.event(event),
  };
}
