/** A supervisor on paper: it answers what a test tells it to, and starts nothing. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { realClock } from "../../src/core/clock.ts";
import { BYTES_PER_GIB, BYTES_PER_MIB } from "../../src/core/units.ts";
import { controlHandler } from "../../src/fleet/control/handler.ts";
import type {
  FleetStatus,
  PresetStatus,
  SwitchPlan,
  SwitchReport,
} from "../../src/fleet/control/protocol.ts";
import { startControlServer } from "../../src/fleet/control/server.ts";
import { controlSocketPath } from "../../src/fleet/control/supervisor-lock.ts";
import type { Loan } from "../../src/fleet/loan.ts";
import type { Supervisor } from "../../src/fleet/supervisor.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export const LARGE: PresetStatus = {
  preset: "gemma4-26b-a4b-q4-multi3-128k",
  engine: "llama-server",
  model: "gemma-4-26B-A4B-it-UD-IQ4_XS.gguf",
  state: "ready",
  url: "http://127.0.0.1:41234",
  pid: 4712,
  slots: 3,
  busySlots: 2,
  tokensPerSecond: 132.04,
  declaredBytes: 19_000 * BYTES_PER_MIB,
  usedBytes: 18_500 * BYTES_PER_MIB,
  restarts: 0,
  upSinceIso: "2026-11-20T10:00:00.000Z",
};

export const SMALL: PresetStatus = {
  preset: "vllm-embedding-code",
  engine: "vllm",
  state: "ready",
  url: "http://127.0.0.1:41235",
  declaredBytes: 2_500 * BYTES_PER_MIB,
  restarts: 0,
};

export const IDLE: PresetStatus = {
  preset: "own-gguf",
  engine: "llama-server",
  state: "stopped",
  restarts: 0,
};

export const FLEET_STATUS: FleetStatus = {
  supervisorPid: 4711,
  stateDirectory: "state",
  mode: "coding",
  memory: { kind: "gpu", totalBytes: 24 * BYTES_PER_GIB, freeBytes: 3 * BYTES_PER_GIB, foreignBytes: 0 },
  presets: [LARGE, SMALL, IDLE],
  warnings: [],
};

export const COMMITTED: SwitchReport = {
  outcome: "committed",
  mode: "coding",
  runs: [LARGE.preset, SMALL.preset],
  steps: [
    { step: "stop", preset: "own-gguf", tookMs: 900 },
    { step: "start", preset: LARGE.preset, tookMs: 11_100 },
  ],
  tookMs: 12_041,
  overheadMs: 41,
};

export const ROLLED_BACK: SwitchReport = {
  outcome: "rolled-back",
  mode: "coding",
  failure: {
    step: "start",
    preset: "own-gguf",
    code: "SERVER_OUT_OF_MEMORY",
    message: "the GPU has no memory left for its cache",
    nextStep: "give it fewer slots or a smaller context",
    logTail: ["ggml_cuda_host_malloc: 512.00 MiB", "\u001b[31mCUDA error: out of memory\u001b[0m"],
  },
  runs: [LARGE.preset, SMALL.preset],
  steps: [{ step: "start", preset: "own-gguf", tookMs: 2_000 }],
  tookMs: 2_012,
  overheadMs: 12,
};

export const SWITCH_PLAN: SwitchPlan = {
  from: "coding",
  to: "research",
  keep: [SMALL.preset],
  stop: [{ preset: LARGE.preset, how: "stop", freesBytes: 18_500 * BYTES_PER_MIB }],
  start: [{ preset: "own-gguf", how: "start", needsBytes: 12 * BYTES_PER_GIB, after: [SMALL.preset] }],
  memory: {
    kind: "gpu",
    totalBytes: 24 * BYTES_PER_GIB,
    freeBeforeBytes: 3 * BYTES_PER_GIB,
    freeDuringBytes: 21 * BYTES_PER_GIB,
    freeAfterBytes: 9 * BYTES_PER_GIB,
    marginBytes: 512 * BYTES_PER_MIB,
  },
  checks: [{ id: "port", preset: "own-gguf", passed: true, severity: "error", message: "port 8080 is free" }],
  fits: true,
  alternatives: [],
};

export const REFUSED_PLAN: SwitchPlan = {
  ...SWITCH_PLAN,
  memory: { ...SWITCH_PLAN.memory, freeAfterBytes: 0 },
  fits: false,
  checks: [
    ...SWITCH_PLAN.checks,
    {
      id: "vram",
      preset: "own-gguf",
      passed: false,
      severity: "error",
      message: "needs 22.0 GiB beside a margin of 512 MiB, and 21.0 GiB would be free",
      remedy: "see the alternatives, or end other programs on the GPU",
    },
  ],
  alternatives: [
    {
      kind: "fewer-slots",
      preset: "own-gguf",
      sentence: "own-gguf with 2 slots instead of 3: one agent fewer at once",
      savesBytes: 1_800 * BYTES_PER_MIB,
      fits: true,
      change: { slots: 2 },
    },
    {
      kind: "smaller-kv-type",
      preset: "own-gguf",
      sentence: "own-gguf with a KV cache of q4_0 instead of q8_0: answers may become worse",
      savesBytes: 500 * BYTES_PER_MIB,
      fits: false,
      change: { kvTypeK: "q4_0", kvTypeV: "q4_0" },
    },
  ],
};

const PAPER_LOAN: Loan = {
  id: "loan-1",
  over: new AbortController().signal,
  use: () => Promise.resolve(COMMITTED),
  giveBack: () => Promise.resolve(COMMITTED),
};

/** Everything that the script does not say succeeds at once. */
export function paperSupervisor(script: Partial<Supervisor> = {}): Supervisor {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    begin: () => Promise.resolve([]),
    status: () => Promise.resolve(FLEET_STATUS),
    plan: () => Promise.resolve(SWITCH_PLAN),
    switchMode: () => Promise.resolve(COMMITTED),
    startPreset: () => Promise.resolve(COMMITTED),
    stopPreset: () => Promise.resolve(COMMITTED),
    lease: () => ({ id: "l1", release: () => undefined }),
    borrow: () => Promise.resolve(PAPER_LOAN),
    loan: () => PAPER_LOAN,
    shutdown: () => {
      end();
      return Promise.resolve();
    },
    ended,
    ...script,
  };
}

/** Serves it on the socket of a state directory, whose path is returned. */
export async function serveOnPaper(script: Partial<Supervisor> = {}): Promise<string> {
  const directory = join(temporaryDirectory(), "state");
  mkdirSync(directory, { mode: 0o700 });
  const server = await startControlServer({
    socketPath: controlSocketPath(directory),
    handle: controlHandler(paperSupervisor(script), () => undefined),
    clock: realClock,
    onDefect: (thrown) => {
      throw thrown;
    },
  });
  onTestFinished(() => server.close());
  return directory;
}
