/** Asks nvidia-smi once and waits for its end. */
import type { Clock } from "../core/clock.ts";
import { OperatorError, messageOf, systemCodeOf } from "../core/errors.ts";
import { CHILD_GRACE_MS } from "../core/limits.ts";
import { plainEnvironment, runProgram } from "../core/process.ts";
import type { GpuQuery, GpuTrouble } from "./facts.ts";
import type { ComputeApp } from "./nvidia-smi.ts";
import {
  COMPUTE_APP_ARGUMENTS,
  GPU_FACT_FIELDS,
  SMI_ABSENT,
  explainFailure,
  parseComputeApps,
  parseGpuFacts,
  queryArguments,
  refusedField,
  smiSilent,
  withoutRefused,
} from "./nvidia-smi.ts";
import { within } from "./within.ts";

/** Without persistence mode the driver initialises every card for every call: seconds on a box of eight. */
export const SMI_ANSWER_LIMIT_MS = 10_000;

export interface SmiOptions {
  readonly clock: Clock;
  /** The program; default `nvidia-smi` from the PATH. */
  readonly command?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly answerLimitMs?: number;
}

type SmiAnswer =
  | {
      readonly kind: "answered";
      readonly lines: readonly string[];
      readonly said: string;
      readonly code: number | null;
    }
  | GpuTrouble;

async function askOnce(args: readonly string[], options: SmiOptions): Promise<SmiAnswer> {
  const limitMs = options.answerLimitMs ?? SMI_ANSWER_LIMIT_MS;
  const spec = {
    command: options.command ?? "nvidia-smi",
    args,
    env: options.env ?? plainEnvironment(),
  };
  try {
    const running = runProgram(spec, options.clock, limitMs);
    // A rejection after we gave up waiting has nobody left to tell.
    running.catch(() => undefined);
    const exit = await within(running, limitMs + CHILD_GRACE_MS, options.clock);
    if (exit === "late" || exit.signal !== null) return smiSilent(limitMs);
    const said = `${exit.stdoutLines.join("\n")}\n${exit.stderrTail}`;
    return { kind: "answered", lines: exit.stdoutLines, said, code: exit.code };
  } catch (thrown) {
    return startTrouble(thrown);
  }
}

/** Why nvidia-smi could not be started; a program that is not there is no fault. */
export function startTrouble(thrown: unknown): GpuTrouble {
  const cause = thrown instanceof OperatorError ? thrown.cause : thrown;
  if (systemCodeOf(cause) === "ENOENT") return SMI_ABSENT;
  return {
    kind: "failed",
    reason: `nvidia-smi cannot be started: ${messageOf(cause)}`,
    nextStep: "check that nvidia-smi is executable",
  };
}

/** The cards of this machine. Never throws: a machine without a GPU is an ordinary answer. */
export async function queryGpus(options: SmiOptions): Promise<GpuQuery> {
  let fields = GPU_FACT_FIELDS;
  for (;;) {
    const answer = await askOnce(queryArguments(fields), options);
    if (answer.kind !== "answered") return answer;
    const refused = refusedField(answer.said);
    if (refused !== undefined && fields.includes(refused)) {
      fields = withoutRefused(fields, refused);
      continue;
    }
    const gpus = answer.lines.flatMap((line) => parseGpuFacts(fields, line) ?? []);
    // One lost card gives a non-zero exit beside good rows for the others: the rows count.
    return gpus.length > 0 ? { kind: "found", gpus } : explainFailure(answer.said, answer.code);
  }
}

/** Processes with a context on a GPU; undefined if the driver does not answer. */
export async function queryComputeApps(options: SmiOptions): Promise<readonly ComputeApp[] | undefined> {
  const answer = await askOnce(COMPUTE_APP_ARGUMENTS, options);
  return answer.kind === "answered" && answer.code === 0 ? parseComputeApps(answer.lines) : undefined;
}
