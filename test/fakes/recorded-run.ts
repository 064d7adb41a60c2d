/** Runs made up from known timings, so that every figure of them can be worked out by hand. */
import type { ChunkRecord, RequestRecord } from "../../src/record/request-record.ts";
import type { EndpointFacts, RunManifest } from "../../src/record/run-manifest.ts";
import type { RunSource } from "../../src/record/run-source.ts";
import type { TrialRecord } from "../../src/record/trial-record.ts";

const NS_PER_MS = 1_000_000;

export interface MadeRequest {
  /** Sent at, from the barrier. Default: when the agent's previous request ended. */
  readonly atMs?: number;
  readonly ttftMs: number;
  readonly tokens: number;
  /** From the first token to the last, and to the end. */
  readonly decodeMs: number;
  readonly record?: Partial<Omit<RequestRecord, "stamps">>;
  /** Tokens of each text event; default one event per token. */
  readonly chunkTokens?: readonly number[];
}

export interface MadeTrial {
  readonly kind: "solo" | "together";
  readonly repeat?: number;
  readonly cell?: string;
  readonly agents: Readonly<Record<string, readonly MadeRequest[]>>;
  readonly record?: Partial<TrialRecord>;
}

export interface MadeRun extends Pick<RunSource, "manifest" | "trials" | "eachRequest" | "eachChunk"> {
  readonly requests: readonly RequestRecord[];
  readonly chunks: readonly ChunkRecord[];
}

/** The barrier does not fall on the trial's origin, so that mixing the two up shows. */
const BARRIER_NS = 5 * NS_PER_MS;

export function madeRun(trials: readonly MadeTrial[], manifest: Partial<RunManifest> = {}): MadeRun {
  const made = trials.map((trial, order) => madeTrial(trial, order));
  const requests = made.flatMap((trial) => trial.requests);
  const chunks = made.flatMap((trial) => trial.chunks);
  const records = made.map((trial) => trial.record);
  return {
    manifest: madeManifest(records, manifest),
    trials: records,
    requests,
    chunks,
    eachRequest: (visit) => {
      for (const request of requests) visit(request, "finished");
    },
    eachChunk: (visit) => {
      for (const chunk of chunks) visit(chunk, "finished");
    },
  };
}

export function madeEndpoint(name: string, facts: Partial<EndpointFacts> = {}): EndpointFacts {
  return {
    name,
    url: `http://127.0.0.1/${name}`,
    engine: "openai",
    simulated: false,
    settings: {},
    ...facts,
  };
}

function madeManifest(trials: readonly TrialRecord[], manifest: Partial<RunManifest>): RunManifest {
  const labels = new Map(trials.map((trial) => [trial.cellHash, trial.cell]));
  return {
    formatVersion: 1,
    runId: "20260102T030405Z-made-0001",
    slipwayVersion: "0.1.0",
    nodeVersion: "v20.20.2",
    command: ["slipway", "bench", "chimera_homo"],
    scenario: "chimera_homo",
    spec: {},
    specHash: "0000000000000000",
    seed: 1,
    startedIso: "2026-01-02T03:04:05.000Z",
    status: "complete",
    host: { os: "linux", gpus: [] },
    endpoints: [madeEndpoint("a"), madeEndpoint("b")],
    simulated: false,
    cells: [...labels].map(([hash, label]) => ({ hash, label })),
    plannedTrials: trials.length,
    ...manifest,
  };
}

function madeTrial(trial: MadeTrial, order: number) {
  const cell = trial.cell ?? "made";
  const repeat = trial.repeat ?? 0;
  const names = Object.keys(trial.agents);
  const suffix = trial.kind === "solo" ? `solo-${names[0]}` : "together";
  const trialId = `${cell.replaceAll(" ", "-")}-r${repeat}-${suffix}`;
  const requests: RequestRecord[] = [];
  const chunks: ChunkRecord[] = [];
  const agentTimes = names.map((agent, seat) => {
    let endMs = 0;
    let requestMs = 0;
    const own = trial.agents[agent] ?? [];
    own.forEach((made, position) => {
      const atMs = made.atMs ?? endMs;
      endMs = atMs + made.ttftMs + made.decodeMs;
      requestMs += endMs - atMs;
      const request = madeRequest(made, {
        trialId,
        agent,
        position,
        atMs,
        endpoint: seat % 2 === 0 ? "a" : "b",
      });
      requests.push(request);
      chunks.push(madeChunks(made, request));
    });
    return {
      agent,
      totalMs: endMs,
      requestMs,
      fileMs: 0,
      waitMs: 0,
      queueMs: 0,
      otherMs: endMs - requestMs,
      requests: own.length,
      failures: 0,
    };
  });
  const record: TrialRecord = {
    v: 1,
    trialId,
    cellHash: `hash-${cell}`,
    cell,
    scenario: "chimera_homo",
    parameters: {},
    kind: trial.kind,
    ...(trial.kind === "solo" ? { soloAgent: names[0] as string } : {}),
    repeat,
    order,
    agents: names,
    originIso: "2026-01-02T03:04:05.000Z",
    originMonotonicNs: 1_000_000_000,
    barrierNs: BARRIER_NS,
    endNs: BARRIER_NS + Math.max(...agentTimes.map((time) => time.totalMs)) * NS_PER_MS,
    agentTimes,
    client: { loopLagMsP99: 0.4, cpuPct: 6 },
    status: "complete",
    failures: requests.filter((request) => request.outcome.kind === "failed").length,
    warnings: [],
    simulated: false,
    ...trial.record,
  };
  return { record, requests, chunks };
}

interface Seat {
  readonly trialId: string;
  readonly agent: string;
  readonly position: number;
  readonly atMs: number;
  readonly endpoint: string;
}

function madeRequest(made: MadeRequest, seat: Seat): RequestRecord {
  const sentNs = BARRIER_NS + seat.atMs * NS_PER_MS;
  const firstTokenNs = sentNs + made.ttftMs * NS_PER_MS;
  const lastTokenNs = firstTokenNs + made.decodeMs * NS_PER_MS;
  return {
    v: 1,
    requestId: `${seat.trialId}/${seat.agent}/${seat.position}`,
    trialId: seat.trialId,
    agent: seat.agent,
    phase: "measured",
    position: seat.position,
    step: `turn-${seat.position + 1}`,
    endpoint: seat.endpoint,
    engine: "openai",
    model: "tiny",
    stamps: {
      scheduledNs: sentNs,
      sentNs,
      firstByteNs: firstTokenNs,
      firstTokenNs,
      firstVisibleNs: firstTokenNs,
      lastTokenNs,
      endNs: lastTokenNs,
    },
    tokens: { input: 200, cached: 0, output: made.tokens, outputSource: "engine" },
    events: { text: made.tokens, role: 0, empty: 0, keepAlive: 0, usage: 1, finish: 1, other: 0 },
    sharedStampEvents: 0,
    outcome: { kind: "ok" },
    promptCold: true,
    promptHash: `00000000000${seat.position}abcd`,
    simulated: false,
    ...made.record,
  };
}

function madeChunks(made: MadeRequest, request: RequestRecord): ChunkRecord {
  const events = made.chunkTokens?.length ?? made.tokens;
  const gapUs = events > 1 ? (made.decodeMs * 1000) / (events - 1) : 0;
  return {
    v: 1,
    requestId: request.requestId,
    firstNs: request.stamps.firstTokenNs ?? 0,
    gapsUs: Array.from({ length: Math.max(events - 1, 0) }, () => gapUs),
    ...(made.chunkTokens === undefined ? {} : { tokens: made.chunkTokens }),
  };
}

/** `tokens` tokens at `tokS` from the moment of sending on: the first comes after one token's time. */
export function steadyRequest(tokens: number, tokS: number): MadeRequest {
  const tokenMs = 1000 / tokS;
  return { ttftMs: tokenMs, tokens, decodeMs: tokenMs * (tokens - 1) };
}
