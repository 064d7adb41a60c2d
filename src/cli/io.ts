/** What a command may touch of the process; tests hand in their own. */
import type { Clock } from "../core/clock.ts";

export interface CliIo {
  /** Results. With `--json`, exactly one document. */
  out(text: string): void;
  /** Progress, warnings, errors. */
  err(text: string): void;
  readonly errIsTerminal: boolean;
  readonly outIsTerminal: boolean;
  /** Asked for again each time: a terminal can be resized. */
  readonly outColumns: number;
  /** Absent where stdout is no terminal. */
  readonly outRows?: number | undefined;
  readonly color: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly clock: Clock;
  /** Aborted by the first Ctrl-C or SIGTERM; a second Ctrl-C ends the process at once. */
  readonly interrupted: AbortSignal;
}

/** 0 done; 1 done but a gate failed; 4 the data cannot decide the gate; 2 usage; 3 environment; 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 130;
