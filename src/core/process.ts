/**
 * Spawning, the only place in the program: argument arrays, never a shell, an own process group
 * that is ended as a whole, output bounded.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { StringDecoder } from "node:string_decoder";
import type { Clock } from "./clock.ts";
import { OperatorError, messageOf } from "./errors.ts";
import { CHILD_GRACE_MS, MAX_CHILD_TAIL_BYTES } from "./limits.ts";
import { type ProcessIdentity, identityOf } from "./process-identity.ts";
import { NS_PER_MS } from "./units.ts";

export interface SpawnSpec {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment; nothing is inherited unless it stands here. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly onStdoutLine?: (line: string) => void;
  readonly onStderrLine?: (line: string) => void;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** The last lines of stderr. */
  readonly stderrTail: string;
}

export interface OwnedChild {
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  /** SIGTERM to the group, SIGKILL after the grace. Resolves when the child is gone. */
  stop(): Promise<ChildExit>;
}

/** Starts a child in a process group of its own. Rejects with PROCESS_FAILED if it cannot start. */
export async function startChild(spec: SpawnSpec, clock: Clock): Promise<OwnedChild> {
  const child = spawn(spec.command, [...spec.args], {
    env: { ...spec.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
  });
  let stderrTail = "";
  readLines(child.stdout, (line) => spec.onStdoutLine?.(line));
  readLines(child.stderr, (line) => {
    stderrTail = `${stderrTail}${line}\n`.slice(-MAX_CHILD_TAIL_BYTES);
    spec.onStderrLine?.(line);
  });
  const exited = new Promise<ChildExit>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal, stderrTail }));
  });
  child.once("exit", () => endRestOfGroup(child.pid));
  await started(child, spec.command);
  const pid = child.pid as number;
  return { pid, exited, stop: () => stopGroup(pid, child, exited, clock) };
}

export interface DetachedSpec {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment; nothing is inherited unless it stands here. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Open for appending. Both outputs go into it; the caller may close its own copy afterwards. */
  readonly outputDescriptor: number;
}

export interface DetachedChild {
  readonly identity: ProcessIdentity;
  readonly exited: Promise<Pick<ChildExit, "code" | "signal">>;
}

/**
 * Starts a child that outlives us, in a session of its own. Its output goes straight into a file:
 * the end of a pipe would go down with us, and a pipe that nobody empties stops who writes to it.
 * A file takes every write at once or, on a full disk, refuses it; what a program makes of a
 * refused write is its own affair. Rejects with PROCESS_FAILED if it cannot start.
 */
export async function startDetached(spec: DetachedSpec): Promise<DetachedChild> {
  const child = spawnDetached(spec);
  // At once: until the event loop goes on, even a child that has ended is still there to be read.
  const identity = child.pid === undefined ? undefined : identityOf(child.pid);
  const exited = new Promise<Pick<ChildExit, "code" | "signal">>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  await started(child, spec.command);
  child.unref();
  return { identity: identity as ProcessIdentity, exited };
}

/** Most failures are told later, by an event; some, such as arguments that are too long, are thrown. */
function spawnDetached({ command, args, env, cwd, outputDescriptor }: DetachedSpec): ChildProcess {
  try {
    return spawn(command, [...args], {
      env: { ...env },
      stdio: ["ignore", outputDescriptor, outputDescriptor],
      detached: true,
      cwd,
    });
  } catch (thrown) {
    throw cannotStart(command, thrown);
  }
}

function started(child: ChildProcess, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("spawn", () => resolve());
    child.once("error", (thrown) => reject(cannotStart(command, thrown)));
  });
}

function cannotStart(command: string, thrown: unknown): OperatorError {
  return new OperatorError("PROCESS_FAILED", {
    message: `cannot start ${command}: ${messageOf(thrown)}`,
    received: command,
    nextStep: "check that the program is installed and on the PATH",
    cause: thrown,
  });
}

async function stopGroup(
  pid: number,
  child: ChildProcess,
  exited: Promise<ChildExit>,
  clock: Clock,
): Promise<ChildExit> {
  signalGroup(pid, "SIGTERM", child);
  const timer = clock.timerAt(clock.nowNs() + CHILD_GRACE_MS * NS_PER_MS, () =>
    signalGroup(pid, "SIGKILL", child),
  );
  const exit = await exited;
  timer.cancel();
  return exit;
}

/** The group is signalled only while our child is known to be alive: afterwards its number may be another's. */
function signalGroup(pid: number, signal: NodeJS.Signals, child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-pid, signal);
  } catch {
    child.kill(signal);
  }
}

/**
 * Children that a child leaves behind would keep its ports and memory, and hold our pipes open so
 * that its end is never seen. The group's number cannot be a stranger's yet: it stays taken while
 * the group has members, and numbers are given out in a circle, so one freed just now comes last.
 */
function endRestOfGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // ESRCH, the usual case: nothing was left.
  }
}

/** Longest line handed on; the rest of a longer one is dropped, so that no child can fill memory. */
const MAX_CHILD_LINE_CHARACTERS = 1_000_000;

function readLines(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  if (stream === null) return;
  const decoder = new StringDecoder("utf8");
  let rest = "";
  stream.on("data", (bytes: Buffer) => {
    rest += decoder.write(bytes);
    const lines = rest.split("\n");
    rest = (lines.pop() ?? "").slice(0, MAX_CHILD_LINE_CHARACTERS);
    for (const line of lines) onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
  });
  stream.on("end", () => {
    if (rest !== "") onLine(rest);
  });
}

/** Runs a program to its end and returns its output; a time limit ends it. */
export async function runProgram(
  spec: Omit<SpawnSpec, "onStdoutLine" | "onStderrLine">,
  clock: Clock,
  limitMs: number,
): Promise<ChildExit & { readonly stdoutLines: readonly string[] }> {
  const stdoutLines: string[] = [];
  const child = await startChild({ ...spec, onStdoutLine: (line) => stdoutLines.push(line) }, clock);
  const timer = clock.timerAt(clock.nowNs() + limitMs * NS_PER_MS, () => void child.stop());
  const exit = await child.exited;
  timer.cancel();
  return { ...exit, stdoutLines };
}

/** The variables a child usually needs and no secret: PATH, HOME, locale, CUDA's device choice. */
export function plainEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const kept = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH"];
  const environment: Record<string, string> = {};
  for (const name of kept) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, ...extra };
}
