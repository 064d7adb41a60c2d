/** A run as `bench` would have recorded it on a simulated server whose constants are known. */
import type { SimulatedTurn } from "../../src/predict/simulate/simulate-workload.ts";
import { simulateWorkload } from "../../src/predict/simulate/simulate-workload.ts";
import type { StepTimeModel } from "../../src/predict/step-time.ts";
import type { RequestRecord } from "../../src/record/request-record.ts";
import type { RunSource } from "../../src/record/run-source.ts";
import type { TrialRecord } from "../../src/record/trial-record.ts";
import { roleSchema } from "../../src/workload/role.ts";
import { sampleManifest, sampleRequest, sampleTrial } from "./sample-records.ts";

const NS_PER_MS = 1_000_000;

export interface SimulatedCell {
  readonly agents: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Prompt tokens that each next agent has more, so that agents do not run in step. */
  readonly promptStep?: number;
}

export interface SimulatedServer {
  readonly time: StepTimeModel;
  readonly slots: number;
  readonly contextTokens: number;
  readonly batchTokens: number;
  readonly jitter?: number;
  /** Of each trial. */
  readonly durationMs: number;
  readonly repeats?: number;
}

export type SimulatedRun = Pick<RunSource, "manifest" | "trials" | "eachRequest"> & {
  readonly requests: readonly RequestRecord[];
};

export function simulatedRun(server: SimulatedServer, cells: readonly SimulatedCell[]): SimulatedRun {
  const trials: TrialRecord[] = [];
  const requests: RequestRecord[] = [];
  for (let repeat = 0; repeat < (server.repeats ?? 1); repeat++)
    for (const cell of cells) {
      const label = `N=${cell.agents} prompt=${cell.promptTokens}`;
      const trialId = `${label} r${repeat}`;
      trials.push(sampleTrial({ trialId, cell: label, cellHash: label, repeat }));
      for (const turn of turnsOf(server, cell, repeat)) requests.push(recordOf(turn, trialId));
    }
  return {
    manifest: sampleManifest({
      endpoints: [
        {
          name: "a",
          url: "http://127.0.0.1:1",
          engine: "simulated",
          simulated: true,
          settings: {},
          slots: server.slots,
          contextTokens: server.contextTokens,
        },
      ],
    }),
    trials,
    requests,
    eachRequest: (visit) => {
      for (const request of requests) visit(request, "finished");
    },
  };
}

function turnsOf(server: SimulatedServer, cell: SimulatedCell, repeat: number): SimulatedTurn[] {
  const { time, slots, contextTokens, batchTokens, jitter = 0, durationMs } = server;
  const turns: SimulatedTurn[] = [];
  const options = {
    servers: [
      {
        time,
        mode: "continuous" as const,
        slots,
        batchTokens,
        defaults: { contextTokens, gpuLayers: time.gpuLayers ?? time.model.layers + 1 },
        loadNs: 0,
        jitter,
        speed: 1,
        seed: repeat + 1,
      },
    ],
    agents: Array.from({ length: cell.agents }, (_unused, agent) => ({
      name: `agent-${agent}`,
      role: roleSchema.parse({
        name: "R",
        messageTokens: cell.promptTokens + agent * (cell.promptStep ?? 0),
        maxOutputTokens: cell.outputTokens,
      }),
      server: 0,
    })),
    durationNs: durationMs * NS_PER_MS,
  };
  simulateWorkload(options, (turn) => turns.push(turn));
  return turns;
}

/** A turn that the end of the trial cut off leaves no counts, as a cancelled request does. */
function recordOf(turn: SimulatedTurn, trialId: string): RequestRecord {
  if (turn.outcome !== "done") {
    const stamps = { scheduledNs: turn.submittedNs, sentNs: turn.submittedNs, endNs: turn.endNs };
    const outcome = { kind: "cancelled", reason: "the trial ended" } as const;
    const agent = `agent-${turn.agent}`;
    return sampleRequest({ trialId, agent, position: turn.position, stamps, tokens: {}, outcome });
  }
  const { submittedNs, endNs, startedNs = submittedNs, firstTokenNs = endNs } = turn;
  return sampleRequest({
    trialId,
    agent: `agent-${turn.agent}`,
    position: turn.position,
    stamps: { scheduledNs: submittedNs, sentNs: submittedNs, firstTokenNs, lastTokenNs: endNs, endNs },
    tokens: {
      input: turn.promptTokens,
      cached: turn.cachedTokens ?? 0,
      output: turn.outputTokens,
      outputSource: "engine",
    },
    split: {
      queueMs: (startedNs - submittedNs) / NS_PER_MS,
      prefillMs: (firstTokenNs - startedNs) / NS_PER_MS,
      decodeMs: (endNs - firstTokenNs) / NS_PER_MS,
    },
  });
}
