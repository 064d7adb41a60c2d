// A run directory of any size with plausible records: solo and together trials of eight agents.
import { realClock } from "../dist/core/clock.js";
import { randomStream } from "../dist/core/random.js";
import { createRunDirectory } from "../dist/store/run-directory.js";

const AGENTS = Array.from({ length: 8 }, (_, index) => `agent-${index}`);
const EVENTS_PER_REQUEST = 24;
const NS_PER_MS = 1e6;
const CELL = { hash: "0123456789abcdef", label: "made" };
const COUNTS = { role: 1, empty: 0, keepAlive: 0, usage: 1, finish: 1, other: 1 };

export function manifest(plannedTrials = 1) {
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
    cells: [CELL],
    plannedTrials,
  };
}

/** Writes about `requests` requests, chunk stamps included, and answers the directory's path. */
export function writeMadeRun(runsDir, requests, perTrial = 1_000) {
  const trials = Math.ceil(requests / perTrial);
  const writer = createRunDirectory({
    runsDir,
    manifest: manifest(trials),
    durable: false,
    clock: realClock,
  });
  const random = randomStream(1, "made-run");
  // Blocks of one together trial and eight solo trials, as the runner interleaves them.
  for (let order = 0; order < trials; order++) {
    const place = order % (AGENTS.length + 1);
    const agents = place === 0 ? AGENTS : [AGENTS[place - 1]];
    writeTrial(writer, random, { order, repeat: Math.floor(order / (AGENTS.length + 1)), agents, perTrial });
  }
  writer.close("complete");
  return writer.path;
}

function writeTrial(writer, random, { order, repeat, agents, perTrial }) {
  const solo = agents.length === 1;
  const trialId = `made.${repeat}.${solo ? agents[0] : "together"}`;
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
    cellHash: CELL.hash,
    cell: CELL.label,
    scenario: "made",
    parameters: {},
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
