/** A step of a transaction that did not work: where, why, and what the log said last. */
import type { ErrorCode } from "../core/error-codes.ts";
import { OperatorError, messageOf } from "../core/errors.ts";
import { classifyFailure } from "./classify-failure.ts";
import type { SwitchReport } from "./control/protocol.ts";
import type { Fleet } from "./supervisor-state.ts";
import type { ServerExit } from "./world.ts";

export type SwitchFailure = NonNullable<SwitchReport["failure"]>;

/** Lines of a server's log in a report: study 003's loader says its reason within the last twelve. */
const LOG_TAIL_LINES = 20;

export class StepFailure extends Error {
  readonly failure: SwitchFailure;

  constructor(failure: SwitchFailure) {
    super(failure.message);
    this.name = "StepFailure";
    this.failure = failure;
  }
}

interface Told {
  readonly code: ErrorCode;
  readonly message: string;
  readonly nextStep: string;
}

export function stepFailure(step: string, told: Told): StepFailure {
  return new StepFailure({ step, ...told, logTail: [] });
}

/** Of one preset: a cause that its log names goes before what was seen from outside. */
export function presetFailure(
  fleet: Fleet,
  step: string,
  preset: string,
  told: Told,
  exit?: ServerExit,
): StepFailure {
  const logTail = fleet.world.logTail(preset, LOG_TAIL_LINES);
  const classified = classifyFailure(logTail, exit ?? {});
  const known = exit !== undefined || classified.cause !== "unknown";
  return new StepFailure({
    step,
    preset,
    code: known ? classified.code : told.code,
    message: known ? `${told.message}: ${classified.message}` : told.message,
    nextStep: known ? classified.nextStep : told.nextStep,
    logTail,
  });
}

/** Whatever was thrown in a step, as its failure; a broken assumption of ours goes on up. */
export function asStepFailure(thrown: unknown, step: string, preset?: string): StepFailure {
  if (thrown instanceof StepFailure) return thrown;
  if (!(thrown instanceof OperatorError)) throw thrown;
  return new StepFailure({
    step,
    ...(preset === undefined ? {} : { preset }),
    code: thrown.code,
    message: messageOf(thrown),
    nextStep: thrown.nextStep,
    logTail: [],
  });
}

/** Why a switch is to end early; the reason of its abort signal. */
export class SwitchAborted extends Error {
  constructor(because: string) {
    super(because);
    this.name = "SwitchAborted";
  }
}

/** Throws when the switch was called off in the meantime. */
export function refuseAborted(signal: AbortSignal, step: string): void {
  if (signal.aborted) throw abortedAt(step, signal.reason);
}

/** Called off while planning, so that nothing has to be put back and nothing is to be waited for. */
export function abortedUntouched(reason: unknown): OperatorError {
  return new OperatorError("SWITCH_ABORTED", {
    message: `called off before anything was touched: ${callerOf(reason)}`,
    nextStep: "what ran goes on running; ask again at any time",
  });
}

function callerOf(reason: unknown): string {
  return reason instanceof SwitchAborted ? reason.message : "by its caller";
}

export function abortedAt(step: string, reason: unknown): StepFailure {
  return stepFailure(step, {
    code: "SWITCH_ABORTED",
    message: `the switch was called off: ${callerOf(reason)}`,
    nextStep: "ask again when the reason is gone",
  });
}
