/** Drives test/fakes/run-writer-child.mjs, which runs from the built program. */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const SCRIPT = fileURLToPath(new URL("run-writer-child.mjs", import.meta.url));

export interface WriterChild {
  readonly process: ChildProcess;
  /** Lines it said so far; still growing until it is gone. */
  readonly said: readonly string[];
  /** Resolves once it has said that many lines. Rejects when it ends before. */
  heard(count: number): Promise<void>;
  tell(line: string): void;
  /** SIGKILL; resolves when the process is gone and its last words are read. */
  kill(): Promise<void>;
}

export function startWriterChild(...args: readonly string[]): WriterChild {
  const child = spawn(process.execPath, [SCRIPT, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const said: string[] = [];
  let onLine = (): void => undefined;
  createInterface({ input: child.stdout }).on("line", (line) => {
    said.push(line);
    onLine();
  });
  const gone = once(child, "close");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await gone;
  });
  return {
    process: child,
    said,
    heard: (count) =>
      new Promise((resolve, reject) => {
        onLine = () => {
          if (said.length >= count) resolve();
        };
        onLine();
        void gone.then(() => reject(new Error(`the writer ended after ${said.length} lines`)));
      }),
    tell: (line) => child.stdin.write(`${line}\n`),
    kill: async () => {
      child.kill("SIGKILL");
      await gone;
    },
  };
}
