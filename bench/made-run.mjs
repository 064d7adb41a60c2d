// A run directory of any size with plausible records: blocks of a together trial and each agent's solo trial.
import { realClock } from "../dist/core/clock.js";
import { randomStream } from "../dist/core/random.js";
import { createRunDirectory } from "../dist/store/run-directory.js";

const EVENTS_PER_REQUEST = 24;
const NS_PER_MS = 1e6;

/** The matrix of the kernel-profiling study, 3 × 3 × 3. */
export const STUDY_MATRIX = [60, 80, 120].flatMap((num_gpu) =>
  [512, 1024, 2048].flatMap((num_ctx) =>
    [0.6, 0.8, 1].map((temperature) => ({ num_gpu, num_ctx, temperature })),
  ),
);
const COUNTS = { role: 1, empty: 0, keepAlive: 0, usage: 1, finish: 1, other: 1 };

function cellsOf(matrix) {
  return matrix.map((parameters, index) => ({
    hash: index.toString(16).padStart(16, "0"),
    label: ["made", ...Object.entries(parameters).map(([name, value]) => `${name}=${value}`)].join(" "),
    parameters,
  }));
}

export function manifest(plannedTrials = 1, matrix = [{}]) {
  return {
    formatVersion: 1,
    runId: "20260101T000000Z-made-0000",
    slipwayVersion: "0.0.0",
    nodeVersion: process.version,
    command: ["bench", "made"],
    scenario: "made",
    spec: {},
    specHash: "0123456789abcdef",
    seed: 1,
    startedIso: "2026-01-01T00:00:00.000Z",
    status: "running",
    host: { os: "made", gpus: [] },
    endpoints: [{ name: "e", url: "http://127.0.0.1:1", engine: "openai", simulated: true, settings: {} }],
    simulated: true,
    cells: cellsOf(matrix).map(({ hash, label }) => ({ hash, label })),
    plannedTrials,
  };
}

/**
 * Writes `repeats` blocks of each cell of `matrix`, every trial with about `perTrial` requests, chunk
 * stamps included, and answers the directory's path.
 */
export function writeMadeRun(runsDir, { agents = 8, repeats, matrix = [{}], perTrial }) {
  const names = Array.from({ length: agents }, (_, index) => `agent-${index}`);
  const cells = cellsOf(matrix);
  const writer = createRunDirectory({
    runsDir,
    manifest: manifest(repeats * cells.length * (agents + 1), matrix),
    durable: false,
    clock: realClock,
  });
  const random = randomStream(1, "made-run");
  let order = 0;
  for (let repeat = 0; repeat < repeats; repeat++)
    for (const cell of cells)
      for (const taking of [names, ...names.map((name) => [name])])
        writeTrial(writer, random, { cell, order: order++, repeat, agents: taking, perTrial });
  writer.close("complete");
  return writer.path;
}

/** A million requests of eight agents in one cell. */
export function writeMillionRequests(runsDir) {
  return writeMadeRun(runsDir, { repeats: 111, perTrial: 1_001 });
}

function writeTrial(writer, random, { cell, order, repeat, agents, perTrial }) {
  const solo = agents.length === 1;
  const trialId = `${cell.hash}.${repeat}.${solo ? agents[0] : "together"}`;
  const agentTimes = agents.map((agent) => {
    let nowNs = 0;
    let requestMs = 0;
    const count = Math.floor(perTrial / agents.length);
    for (let position = 0; position < count; position++) {
      const written = writeRequest(writer, random, { trialId, agent, position, scheduledNs: nowNs, solo });
      requestMs += (written.endNs - written.sentNs) / NS_PER_MS;
      nowNs = written.endNs + 1000;
    }
    const totalMs = nowNs / NS_PER_MS;
    const otherMs = totalMs - requestMs;
    return {
      agent,
      totalMs,
      requestMs,
      fileMs: 0,
      waitMs: 0,
      queueMs: 0,
      otherMs,
      requests: count,
      failures: 0,
    };
  });
  writer.trial({
    v: 1,
    trialId,
    cellHash: cell.hash,
    cell: cell.label,
    scenario: "made",
    parameters: cell.parameters,
    kind: solo ? "solo" : "together",
    ...(solo ? { soloAgent: agents[0] } : {}),
    repeat,
    order,
    agents,
    originIso: "2026-01-01T00:00:00.000Z",
    originMonotonicNs: 1e15 + order * 1e12,
    barrierNs: 0,
    endNs: Math.max(...agentTimes.map(({ totalMs }) => Math.round(totalMs * NS_PER_MS))),
    agentTimes,
    client: {},
    status: "complete",
    failures: 0,
    warnings: [],
    simulated: true,
  });
}

function writeRequest(writer, random, { trialId, agent, position, scheduledNs, solo }) {
  const requestId = `${trialId}/${agent}/${position}`;
  const sentNs = scheduledNs + 40_000;
  const firstTokenNs = sentNs + Math.round((30 + random.exponential(20)) * NS_PER_MS);
  const gapsUs = Array.from({ length: EVENTS_PER_REQUEST - 1 }, () =>
    Math.round((solo ? 8_000 : 20_000) * (0.8 + 0.4 * random.next())),
  );
  const lastTokenNs = firstTokenNs + gapsUs.reduce((sum, gap) => sum + gap, 0) * 1000;
  const endNs = lastTokenNs + 200_000;
  const record = {
    v: 1,
    requestId,
    trialId,
    agent,
    phase: "measured",
    position,
    step: "turn",
    endpoint: "e",
    engine: "openai",
    model: "made:8b",
    stamps: {
      scheduledNs,
      sentNs,
      firstByteNs: firstTokenNs,
      firstTokenNs,
      firstVisibleNs: firstTokenNs,
      lastTokenNs,
      endNs,
    },
    tokens: { input: 512, inputTarget: 512, cached: 0, output: EVENTS_PER_REQUEST, outputSource: "engine" },
    events: { text: EVENTS_PER_REQUEST, ...COUNTS },
    sharedStampEvents: 0,
    finishReason: "stop",
    outcome: { kind: "ok" },
    promptCold: true,
    promptHash: "0123456789abcdef",
    simulated: true,
  };
  writer.request(record, { v: 1, requestId, firstNs: firstTokenNs, gapsUs });
  return { sentNs, endNs };
}
