/**
 * A foreign program in an agent's place: a recording endpoint of its own is opened before the
 * barrier, the program starts at the barrier, and its requests become ordinary records.
 */
import { assert } from "../core/assert.ts";
import { nsToMs } from "../core/units.ts";
import type { RecordSink } from "../record/record-sink.ts";
import type { AgentTime } from "../record/trial-record.ts";
import type { TrialContext } from "./agent-loop.ts";
import { failureOf } from "./agent-loop.ts";
import { runExternalAgent } from "./external-agent.ts";
import type { SeatedAgent } from "./preparation.ts";
import { startRecordingEndpoint } from "./recording-endpoint.ts";

/** What the agent's records add up to; filled as they pass to the real sink. */
interface Tally {
  requests: number;
  failures: number;
  requestNs: number;
}

/** Opens the endpoint; the returned function starts the program and waits for its end. */
export async function seatExternalAgent(
  agent: SeatedAgent,
  corpusFolder: string,
  trial: TrialContext,
): Promise<(barrierNs: number) => Promise<AgentTime>> {
  const [program, ...args] = agent.spec.command ?? [];
  assert(program !== undefined, `agent ${agent.spec.name} has a command`);
  const tally: Tally = { requests: 0, failures: 0, requestNs: 0 };
  const recording = await startRecordingEndpoint({
    listen: { host: "127.0.0.1", port: 0 },
    upstream: { engine: agent.endpoint.engine, url: agent.endpoint.url },
    agent: agent.spec.name,
    trialId: trial.trialId,
    originNs: trial.originNs,
    phase: "measured",
    endpointName: agent.endpoint.name,
    sink: countingSink(trial, agent.spec.name, tally),
    clock: trial.clock,
  });
  return async (barrierNs) => {
    try {
      const result = await runExternalAgent({
        command: [program, ...args],
        environment: {},
        recording,
        model: agent.model,
        agentName: agent.spec.name,
        corpusPath: corpusFolder,
        clock: trial.clock,
        signal: trial.signal,
        limitMs: trial.limits.totalMs,
      });
      if (result.outcome.kind !== "finished") {
        const message = "message" in result.outcome ? result.outcome.message : result.outcome.kind;
        trial.onRequestEnd?.(agent.spec.name, message);
        trial.sink.event({
          atNs: trial.clock.nowNs(),
          kind: "external-agent-failed",
          message: `${agent.spec.name}: ${message}`,
          data: { trialId: trial.trialId, agent: agent.spec.name },
        });
      }
      const totalMs = nsToMs(trial.clock.nowNs() - barrierNs);
      return {
        agent: agent.spec.name,
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
          ...(result.startupMs === undefined ? {} : { startupMs: result.startupMs }),
          ...(result.rssPeakBytes === undefined ? {} : { rssPeakBytes: result.rssPeakBytes }),
          ...(result.exitCode === undefined ? {} : { exitCode: result.exitCode }),
        },
      };
    } finally {
      await recording.stop();
    }
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
