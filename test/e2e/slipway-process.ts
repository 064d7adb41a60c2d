/** Runs the real program from `dist` in a process of its own, as a person would. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const PROGRAM = resolve(import.meta.dirname, "../../bin/slipway.js");

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningSlipway {
  readonly pid: number;
  readonly finished: Promise<Finished>;
  /** Resolves when stderr contains the text; rejects when the program ends before. */
  stderrHas(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/** A folder that is gone after the test file. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "slipway-e2e-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

interface StartOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A program that starts the rest of its command line, and its own arguments. */
  readonly through?: readonly string[];
}

export function startSlipway(args: readonly string[], options: StartOptions): RunningSlipway {
  const [command = "", ...rest] = [...(options.through ?? []), process.execPath, PROGRAM, ...args];
  const child = spawn(command, rest, {
    cwd: options.cwd,
    env: { PATH: process.env["PATH"] ?? "", HOME: options.cwd, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const waiting: {
    readonly text: string;
    readonly resolve: () => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  child.stdout.on("data", (bytes: Buffer) => (stdout += bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => {
    stderr += bytes.toString();
    for (const wait of waiting) if (stderr.includes(wait.text)) wait.resolve();
  });
  const finished = new Promise<Finished>((resolveFinished) => {
    child.once("close", (code) => {
      for (const wait of waiting)
        wait.reject(new Error(`it ended without saying "${wait.text}":\n${stderr}`));
      resolveFinished({ code, stdout, stderr });
    });
  });
  return {
    pid: child.pid as number,
    finished,
    stderrHas: (text) =>
      new Promise((resolveHas, reject) => {
        if (stderr.includes(text)) resolveHas();
        else waiting.push({ text, resolve: resolveHas, reject });
      }),
    kill: (signal) => void child.kill(signal),
  };
}

export function slipway(args: readonly string[], options: StartOptions): Promise<Finished> {
  return startSlipway(args, options).finished;
}
