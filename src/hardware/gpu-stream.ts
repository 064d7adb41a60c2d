/**
 * One nvidia-smi that prints every card again and again. A single child that loops costs a few
 * milliseconds of CPU per second; starting one per sample would cost its initialisation each time.
 */
import type { Clock } from "../core/clock.ts";
import { CHILD_GRACE_MS } from "../core/limits.ts";
import type { OwnedChild } from "../core/process.ts";
import { plainEnvironment, startChild } from "../core/process.ts";
import { msToNs } from "../core/units.ts";
import type { GpuTrouble } from "./facts.ts";
import type { SmiOptions } from "./gpu-query.ts";
import { SMI_ANSWER_LIMIT_MS, startTrouble } from "./gpu-query.ts";
import type { GpuRound } from "./gpu-rounds.ts";
import { GpuRounds } from "./gpu-rounds.ts";
import {
  GPU_READING_FIELDS,
  explainFailure,
  parseGpuReading,
  queryArguments,
  refusedField,
  smiSilent,
  withoutRefused,
} from "./nvidia-smi.ts";
import { within } from "./within.ts";

/** Text kept of what the child says besides rows: enough for its last words. */
const MAX_SAID_CHARACTERS = 4_096;

export interface GpuStreamOptions extends SmiOptions {
  readonly intervalMs: number;
  readonly onRound: (round: GpuRound) => void;
  /** The stream ended by itself; it does not start again. Not called after `stop`. */
  readonly onLost: (trouble: GpuTrouble) => void;
}

export interface GpuStream {
  /** Of the child that runs now. */
  readonly pid: number | undefined;
  /** Resolves when the child is gone, or cannot be made to go. No callback comes after it. */
  stop(): Promise<void>;
}

type Attempt =
  | { readonly kind: "stopped" }
  | { readonly kind: "refused"; readonly field: string }
  | { readonly kind: "lost"; readonly trouble: GpuTrouble };

/** Starts the child in the background; a missing program is reported through `onLost`. */
export function startGpuStream(options: GpuStreamOptions): GpuStream {
  return new Stream(options);
}

class Stream implements GpuStream {
  readonly #options: GpuStreamOptions;
  readonly #ended: Promise<void>;
  #child: OwnedChild | undefined;
  #stopped = false;

  constructor(options: GpuStreamOptions) {
    this.#options = options;
    this.#ended = this.#run();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const gone = this.#child === undefined ? this.#ended : this.#child.stop().then(() => this.#ended);
    await within(gone, 2 * CHILD_GRACE_MS, this.#options.clock);
  }

  async #run(): Promise<void> {
    let fields = GPU_READING_FIELDS;
    for (;;) {
      const attempt = await this.#attempt(fields);
      if (attempt.kind === "refused" && fields.includes(attempt.field)) {
        fields = withoutRefused(fields, attempt.field);
        continue;
      }
      if (attempt.kind === "lost" && !this.#stopped) this.#options.onLost(attempt.trouble);
      return;
    }
  }

  /** Runs one child to its end. */
  async #attempt(fields: readonly string[]): Promise<Attempt> {
    const { clock, command = "nvidia-smi", env = plainEnvironment(), intervalMs } = this.#options;
    const limitMs = this.#options.answerLimitMs ?? SMI_ANSWER_LIMIT_MS;
    const rounds = new GpuRounds();
    let said = "";
    let lastRowNs = clock.nowNs();
    const onLine = (line: string): void => {
      if (this.#stopped) return;
      const reading = parseGpuReading(fields, line);
      if (reading === undefined) {
        said = `${said}${line}\n`.slice(-MAX_SAID_CHARACTERS);
        return;
      }
      lastRowNs = clock.nowNs();
      for (const round of rounds.push(lastRowNs, reading)) this.#options.onRound(round);
    };
    const args = [...queryArguments(fields), `--loop-ms=${intervalMs}`];
    let child: OwnedChild;
    try {
      child = await startChild({ command, args, env, onStdoutLine: onLine, onStderrLine: onLine }, clock);
    } catch (thrown) {
      return { kind: "lost", trouble: startTrouble(thrown) };
    }
    if (this.#stopped) {
      // Stopped while it was being started: `stop` had no child to end.
      await child.stop();
      return { kind: "stopped" };
    }
    this.#child = child;
    const exit = await untilEndOrSilence(child, () => lastRowNs, limitMs, clock);
    this.#child = undefined;
    if (this.#stopped) return { kind: "stopped" };
    for (const round of rounds.flush()) this.#options.onRound(round);
    if (exit === "silent") return { kind: "lost", trouble: smiSilent(limitMs) };
    const field = refusedField(said);
    if (field !== undefined) return { kind: "refused", field };
    return { kind: "lost", trouble: explainFailure(said, exit.code) };
  }
}

/** Resolves with the child's exit, or with "silent" once it has printed no row for the limit; it is then ended. */
async function untilEndOrSilence(
  child: OwnedChild,
  lastRowNs: () => number,
  limitMs: number,
  clock: Clock,
): Promise<{ readonly code: number | null } | "silent"> {
  const limitNs = msToNs(limitMs);
  let cancel = (): void => undefined;
  const silence = new Promise<"silent">((resolve) => {
    const watch = (atNs: number): void => {
      const timer = clock.timerAt(atNs, () => {
        const dueNs = lastRowNs() + limitNs;
        if (clock.nowNs() >= dueNs) resolve("silent");
        else watch(dueNs);
      });
      cancel = () => timer.cancel();
    };
    watch(lastRowNs() + limitNs);
  });
  const end = await Promise.race([child.exited, silence]);
  cancel();
  if (end === "silent") await within(child.stop(), 2 * CHILD_GRACE_MS, clock);
  return end;
}
