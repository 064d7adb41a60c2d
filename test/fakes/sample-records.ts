/** Records as a run of two agents writes them; each maker takes what a test wants different. */
import type { EventRecord, TelemetrySample } from "../../src/record/event-record.ts";
import type { ChunkRecord, RequestRecord } from "../../src/record/request-record.ts";
import type { RunManifest } from "../../src/record/run-manifest.ts";
import type { TrialRecord } from "../../src/record/trial-record.ts";

export const SAMPLE_CELL_HASH = "5f0c1d2e3a4b5968";

export function sampleManifest(over: Partial<RunManifest> = {}): RunManifest {
  return {
    formatVersion: 1,
    runId: "20261120T105312Z-chimera_homo-3fa9",
    slipwayVersion: "0.1.0",
    nodeVersion: "v20.20.2",
    command: ["bench", "chimera_homo", "--runs", "1"],
    scenario: "chimera_homo",
    spec: { name: "chimera_homo", runs: 1 },
    specHash: "00112233445566aa",
    seed: 42,
    startedIso: "2026-11-20T10:53:12.000Z",
    status: "running",
    host: { os: "Linux 6.1", cpuModel: "sample", logicalCores: 2, gpus: [] },
    endpoints: [
      {
        name: "a",
        url: "http://127.0.0.1:11434",
        engine: "simulated",
        slots: 2,
        contextTokens: 4096,
        simulated: true,
        settings: { num_gpu: 80 },
      },
    ],
    simulated: true,
    cells: [{ hash: SAMPLE_CELL_HASH, label: "chimera_homo" }],
    plannedTrials: 3,
    ...over,
  };
}

export function sampleRequest(over: Partial<RequestRecord> = {}): RequestRecord {
  const { trialId = "5f0c1d2e-r0-together", agent = "collector", position = 0 } = over;
  return {
    v: 1,
    requestId: `${trialId}/${agent}/${position}`,
    trialId,
    agent,
    phase: "measured",
    position,
    step: "summarise",
    endpoint: "a",
    engine: "simulated",
    model: "sample-7b",
    stamps: {
      scheduledNs: 1_000_000,
      sentNs: 1_200_000,
      firstByteNs: 51_000_000,
      firstTokenNs: 51_000_000,
      firstVisibleNs: 51_000_000,
      lastTokenNs: 111_000_000,
      endNs: 111_400_000,
    },
    tokens: { input: 256, inputTarget: 256, cached: 0, output: 4, outputSource: "engine" },
    events: { text: 4, role: 1, empty: 0, keepAlive: 0, usage: 1, finish: 1, other: 0 },
    sharedStampEvents: 0,
    split: { prefillMs: 49.5, prefillTokens: 256, decodeMs: 60, decodeTokens: 4 },
    finishReason: "length",
    outcome: { kind: "ok" },
    promptCold: true,
    promptHash: "89abcdef01234567",
    simulated: true,
    ...over,
  };
}

export function sampleChunks(requestId: string): ChunkRecord {
  return { v: 1, requestId, firstNs: 51_000_000, gapsUs: [20_000, 20_000, 20_000], tokens: [1, 1, 1, 1] };
}

export function sampleTrial(over: Partial<TrialRecord> = {}): TrialRecord {
  return {
    v: 1,
    trialId: "5f0c1d2e-r0-together",
    cellHash: SAMPLE_CELL_HASH,
    cell: "chimera_homo",
    scenario: "chimera_homo",
    parameters: { "agents.*.options.numGpu": 80 },
    kind: "together",
    repeat: 0,
    order: 0,
    agents: ["collector", "insight"],
    originIso: "2026-11-20T10:53:13.000Z",
    originMonotonicNs: 5_000_000_000,
    barrierNs: 1_000_000,
    endNs: 111_400_000,
    agentTimes: ["collector", "insight"].map((agent) => ({
      agent,
      totalMs: 110.4,
      requestMs: 110.2,
      fileMs: 0,
      waitMs: 0,
      queueMs: 0.2,
      otherMs: 0,
      requests: 1,
      failures: 0,
    })),
    client: { loopLagMsP99: 0.4, loopLagMsMax: 1.1, cpuPct: 12, gcMs: 0.3 },
    effectiveHash: "0f1e2d3c4b5a6978",
    status: "complete",
    failures: 0,
    warnings: [],
    simulated: true,
    ...over,
  };
}

export function sampleEvent(over: Partial<EventRecord> = {}): EventRecord {
  return { atNs: 5_000_000_000, kind: "trial-started", message: "5f0c1d2e-r0-together", ...over };
}

export function sampleTelemetry(over: Partial<TelemetrySample> = {}): TelemetrySample {
  return {
    atNs: 5_050_000_000,
    gpus: [
      { index: 0, memoryUsedBytes: 6_442_450_944, utilizationPct: 97, powerW: 101.5, throttleReasons: [] },
    ],
    memoryAvailableBytes: 4_000_000_000,
    memoryTotalBytes: 8_000_000_000,
    cpuPct: 35,
    loadAverage1: 0.7,
    processes: [{ pid: 4321, name: "llama-server", rssBytes: 1_000_000_000 }],
    ...over,
  };
}
