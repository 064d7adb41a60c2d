/**
 * Profiles are read in a child process with limits. Files come from other people: a damaged one may
 * break the reader, a hostile one may fill its memory or keep it computing, and neither may take
 * the program with it.
 */
import { fileURLToPath } from "node:url";
import type { Clock } from "../core/clock.ts";
import { OperatorError } from "../core/errors.ts";
import { plainEnvironment, startChild } from "../core/process.ts";
import { NS_PER_MS } from "../core/units.ts";
import type { ProfileFigures } from "./figures.ts";
import type { OnFileProgress } from "./read-profile.ts";
import type { ReaderMessage } from "./reader-message.ts";

/** Heap of the reader. Columns lie outside of it and have limits of their own; figures take tens of MB. */
const READER_HEAP_MIB = 1_024;

/** The longest silence of a reader that works: counting a table of 100 million rows takes half a minute. */
export const READER_STALL_MS = 120_000;

/** Text of the figures. 20,000 kernels with long names take 30 MB. */
const MAX_FIGURES_CHARACTERS = 128 * 1024 * 1024;

/** Sources run untranspiled only under the tests, where the reader is the one that was built. */
const READER_PATH = fileURLToPath(
  import.meta.url.endsWith(".ts")
    ? new URL("../../dist/profile/reader-main.js", import.meta.url)
    : new URL("./reader-main.js", import.meta.url),
);

export interface ReadApartOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnFileProgress;
  readonly stallMs?: number;
}

type Ending = { readonly kind: "done" } | Extract<ReaderMessage, { kind: "failed" }>;

/** As `readProfile`, with its errors; and PROFILE_TOO_LARGE where the reader ran out of memory or stood still. */
export async function readProfileApart(
  paths: readonly string[],
  options: ReadApartOptions,
): Promise<ProfileFigures> {
  const { clock, signal, stallMs = READER_STALL_MS } = options;
  const pieces: string[] = [];
  let characters = 0;
  let ending: Ending | undefined;
  let heardNs = clock.nowNs();
  const child = await startChild(
    {
      command: process.execPath,
      args: [`--max-old-space-size=${READER_HEAP_MIB}`, READER_PATH, ...paths],
      env: plainEnvironment(),
      onStdoutLine: (line) => {
        heardNs = clock.nowNs();
        const message = JSON.parse(line) as ReaderMessage;
        if (message.kind === "progress") options.onProgress?.(message.path, message.what, message.rows);
        else if (message.kind !== "piece") ending = message;
        else if ((characters += message.text.length) <= MAX_FIGURES_CHARACTERS) pieces.push(message.text);
      },
    },
    clock,
  );
  const watch = watchStall(
    clock,
    stallMs,
    () => heardNs,
    () => void child.stop(),
  );
  const onAbort = (): void => void child.stop();
  signal?.addEventListener("abort", onAbort, { once: true });
  const exit = await child.exited;
  signal?.removeEventListener("abort", onAbort);
  watch.stop();
  signal?.throwIfAborted();
  if (watch.stalled) throw stoodStill(paths, stallMs);
  if (ending === undefined) throw broke(paths, exit.stderrTail);
  if (ending.kind === "failed") throw new OperatorError(ending.code, ending);
  if (characters > MAX_FIGURES_CHARACTERS) throw broke(paths, "its figures are longer than the limit");
  return JSON.parse(pieces.join("")) as ProfileFigures;
}

interface StallWatch {
  readonly stalled: boolean;
  stop(): void;
}

function watchStall(clock: Clock, stallMs: number, heardNs: () => number, onStall: () => void): StallWatch {
  let stalled = false;
  const arm = (): ReturnType<Clock["timerAt"]> =>
    clock.timerAt(heardNs() + stallMs * NS_PER_MS, () => {
      if (clock.nowNs() - heardNs() < stallMs * NS_PER_MS) timer = arm();
      else {
        stalled = true;
        onStall();
      }
    });
  let timer = arm();
  return {
    get stalled() {
      return stalled;
    },
    stop: () => timer.cancel(),
  };
}

function stoodStill(paths: readonly string[], stallMs: number): OperatorError {
  return new OperatorError("PROFILE_TOO_LARGE", {
    message: `reading made no progress for ${stallMs / 1000} s`,
    received: paths.join(" "),
    nextStep: "record a shorter window, or give the reports of nsys stats instead",
  });
}

function broke(paths: readonly string[], stderrTail: string): OperatorError {
  const memory = /heap out of memory|allocation failed|longer than the limit/i.test(stderrTail);
  return new OperatorError(memory ? "PROFILE_TOO_LARGE" : "PROFILE_DAMAGED", {
    message: memory ? "the reader ran out of memory" : "the reader broke on a file",
    received: paths.join(" "),
    nextStep: memory
      ? "record a shorter window, or give the reports of nsys stats instead"
      : "export the report again; if it stays, report the file",
  });
}
