/**
 * An agent that is somebody else's program. It is started with its base URL in the environment, as
 * every client library of the two protocols reads it, and everything it asks a model passes through
 * a recording endpoint. What only the process itself shows is observed here: how long it takes to
 * come up, how much memory it takes, how it ends, and how much of its life passes outside requests.
 */
import { readFileSync } from "node:fs";
import type { Clock, Timer } from "../core/clock.ts";
import { plainEnvironment, startChild } from "../core/process.ts";
import type { ChildExit, OwnedChild } from "../core/process.ts";
import { BYTES_PER_KIB, msToNs, nsToMs } from "../core/units.ts";
import type { RecordingEndpoint } from "./recording/endpoint.ts";

/** How often memory is read. The kernel keeps each process's peak, so only the last moments of a life can be missed. */
const RSS_SAMPLE_MS = 25;

/** Client libraries refuse to start without a key; the servers behind ignore this one. */
const PLACEHOLDER_API_KEY = "slipway";

export interface ExternalAgentOptions {
  /** Program and arguments; never a shell. */
  readonly command: readonly [string, ...string[]];
  readonly cwd?: string;
  /** Names of variables that the agent may inherit beside PATH, HOME and the locale; all others are withheld. */
  readonly allowedVariables?: readonly string[];
  /** Where those names are looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The endpoint that this agent alone uses. */
  readonly recording: Pick<RecordingEndpoint, "url" | "firstRequestNs" | "busyNs">;
  readonly model: string;
  readonly agentName: string;
  /** For the agent to put first into every prompt, where prompts must be cold. */
  readonly nonce?: string;
  /** The folder of files that the agent works on. */
  readonly corpusPath?: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly limitMs: number;
  readonly onStderrLine?: (line: string) => void;
}

export type ExternalAgentOutcome =
  | { readonly kind: "finished" }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "time-limit"; readonly message: string }
  | { readonly kind: "interrupted" };

export interface ExternalAgentResult {
  readonly outcome: ExternalAgentOutcome;
  /** Absent when a signal ended it. */
  readonly exitCode?: number;
  /** Spawn → first request received by the endpoint; absent when none came. */
  readonly startupMs?: number;
  /**
   * Largest resident memory of the process and its children. For a single process it is the kernel's
   * own high-water mark; with children the largest sum of those seen at one sample. Absent without /proc.
   */
  readonly rssPeakBytes?: number;
  /** Spawn → exit. */
  readonly wallMs: number;
  /** Wall during which no request of its was going on, start-up included. */
  readonly outsideRequestsMs: number;
  readonly stderrTail: string;
}

/**
 * Runs the agent to its end. A failed program is a result; only one that cannot be started throws
 * (PROCESS_FAILED). At the time limit, or when the signal aborts, its whole process group is ended.
 */
export async function runExternalAgent(options: ExternalAgentOptions): Promise<ExternalAgentResult> {
  const { clock, recording, limitMs, signal } = options;
  const [command, ...args] = options.command;
  const busyBeforeNs = recording.busyNs();
  const spawnNs = clock.nowNs();
  const child = await startChild(
    {
      command,
      args,
      env: agentEnvironment(options),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.onStderrLine === undefined ? {} : { onStderrLine: options.onStderrLine }),
    },
    clock,
  );
  const memory = new PeakMemory(child.pid, clock);
  const { exit, ending } = await ended(child, clock, limitMs, signal);
  const endNs = clock.nowNs();
  const rssPeakBytes = memory.stop();
  const { firstRequestNs } = recording;
  const wallNs = endNs - spawnNs;
  return {
    outcome: outcomeOf(exit, ending, limitMs),
    ...(exit.code === null ? {} : { exitCode: exit.code }),
    ...(firstRequestNs === undefined || firstRequestNs < spawnNs
      ? {}
      : { startupMs: nsToMs(firstRequestNs - spawnNs) }),
    ...(rssPeakBytes === undefined ? {} : { rssPeakBytes }),
    wallMs: nsToMs(wallNs),
    outsideRequestsMs: nsToMs(Math.max(wallNs - (recording.busyNs() - busyBeforeNs), 0)),
    stderrTail: exit.stderrTail,
  };
}

function agentEnvironment(options: ExternalAgentOptions): Record<string, string> {
  const { recording, environment } = options;
  const allowed: Record<string, string> = {};
  for (const name of options.allowedVariables ?? []) {
    const value = environment[name];
    if (value !== undefined) allowed[name] = value;
  }
  return plainEnvironment({
    ...allowed,
    SLIPWAY_BASE_URL: recording.url,
    OPENAI_BASE_URL: `${recording.url}/v1`,
    OPENAI_API_KEY: PLACEHOLDER_API_KEY,
    OLLAMA_HOST: recording.url,
    SLIPWAY_MODEL: options.model,
    SLIPWAY_AGENT: options.agentName,
    ...(options.nonce === undefined ? {} : { SLIPWAY_NONCE: options.nonce }),
    ...(options.corpusPath === undefined ? {} : { SLIPWAY_CORPUS: options.corpusPath }),
  });
}

type AgentEnding = "by-itself" | "time-limit" | "interrupted";

async function ended(
  child: OwnedChild,
  clock: Clock,
  limitMs: number,
  signal: AbortSignal | undefined,
): Promise<{ readonly exit: ChildExit; readonly ending: AgentEnding }> {
  let ending: AgentEnding = "by-itself";
  const end = (reason: AgentEnding): void => {
    if (ending !== "by-itself") return;
    ending = reason;
    // What the stop resolves to is what `exited` resolves to below.
    void child.stop();
  };
  const onAbort = (): void => end("interrupted");
  const limit = clock.timerAt(clock.nowNs() + msToNs(limitMs), () => end("time-limit"));
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    return { exit: await child.exited, ending };
  } finally {
    limit.cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}

function outcomeOf(exit: ChildExit, ending: AgentEnding, limitMs: number): ExternalAgentOutcome {
  switch (ending) {
    case "interrupted":
      return { kind: "interrupted" };
    case "time-limit":
      return { kind: "time-limit", message: `the agent was ended after its limit of ${limitMs} ms` };
    case "by-itself": {
      if (exit.code === 0) return { kind: "finished" };
      const how =
        exit.code === null ? `was ended by ${exit.signal ?? "a signal"}` : `exited with code ${exit.code}`;
      const said = lastLines(exit.stderrTail);
      return {
        kind: "failed",
        message: `the agent ${how}${said === "" ? ", and said nothing on stderr" : `: ${said}`}`,
      };
    }
  }
}

/** A traceback ends with what went wrong. */
const SHOWN_STDERR_LINES = 3;

function lastLines(text: string): string {
  return text.trim().split("\n").slice(-SHOWN_STDERR_LINES).join("\n");
}

/** Samples a process tree's memory until stopped. */
class PeakMemory {
  readonly #pid: number;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #peakBytes: number | undefined;

  constructor(pid: number, clock: Clock) {
    this.#pid = pid;
    this.#clock = clock;
    this.#sample();
  }

  stop(): number | undefined {
    this.#timer?.cancel();
    return this.#peakBytes;
  }

  #sample(): void {
    const bytes = treePeakBytes(this.#pid);
    if (bytes !== undefined) this.#peakBytes = Math.max(this.#peakBytes ?? 0, bytes);
    this.#timer = this.#clock.timerAt(this.#clock.nowNs() + msToNs(RSS_SAMPLE_MS), () => this.#sample());
  }
}

/** A launcher such as a package runner is small; the agent it starts is its child. */
function treePeakBytes(pid: number): number | undefined {
  const own = peakBytes(pid);
  if (own === undefined) return undefined;
  return childrenOf(pid).reduce((sum, child) => sum + (treePeakBytes(child) ?? 0), own);
}

/** VmHWM of /proc/<pid>/status (proc(5)), in bytes. Absent for a process that has ended, and where there is no /proc. */
function peakBytes(pid: number): number | undefined {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(readProc(`/proc/${pid}/status`));
  return match === null ? undefined : Number(match[1]) * BYTES_PER_KIB;
}

function childrenOf(pid: number): readonly number[] {
  const list = readProc(`/proc/${pid}/task/${pid}/children`).trim();
  return list === "" ? [] : list.split(" ").map(Number);
}

/** These files are made by the kernel as they are read, in microseconds: reading them here blocks nothing. */
function readProc(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
