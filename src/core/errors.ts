/**
 * Two kinds of error. An operator error says what was wrong, which value was received and what to
 * do next; it carries a stable code from the catalogue and decides the exit code. A programmer
 * error is a failed assertion (core/assert) and ends the process.
 */
import type { ErrorCode } from "./error-codes.ts";
import { ERROR_CATALOGUE } from "./error-codes.ts";

export interface OperatorErrorDetail {
  /** One sentence: what is wrong. */
  readonly message: string;
  /** The value received, as the person gave it or the server answered it. */
  readonly received?: unknown;
  /** What to do next, as an instruction. */
  readonly nextStep: string;
  readonly cause?: unknown;
}

export class OperatorError extends Error {
  readonly code: ErrorCode;
  readonly received: unknown;
  readonly nextStep: string;

  constructor(code: ErrorCode, detail: OperatorErrorDetail) {
    super(detail.message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = "OperatorError";
    this.code = code;
    this.received = detail.received;
    this.nextStep = detail.nextStep;
  }

  get exitCode(): number {
    return ERROR_CATALOGUE[this.code].exitCode;
  }
}

/** The three lines a person sees. */
export function renderOperatorError(error: OperatorError): string {
  const received =
    error.received === undefined ? "" : `\n  received: ${printable(describeValue(error.received))}`;
  return `error ${error.code}: ${printable(error.message)}${received}\n  next: ${printable(error.nextStep)}`;
}

/**
 * Text from outside as one line that is safe to print. A terminal obeys control characters: with
 * them a server could recolour, retitle or overwrite what stands on the operator's screen. Line
 * ends and tabs become spaces; all others of C0 and C1, and the marks that change the order in which
 * text is drawn, become the replacement character, so that one sees that there was something.
 */
export function printable(text: string): string {
  return text.replace(/\r\n|[\n\r\t\u2028\u2029]/g, " ").replace(/[\p{Cc}\p{Bidi_Control}]/gu, "\ufffd");
}

const LONGEST_SHOWN_VALUE = 400;

function describeValue(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  return text.length > LONGEST_SHOWN_VALUE
    ? `${text.slice(0, LONGEST_SHOWN_VALUE)}… (${text.length} characters)`
    : text;
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The `code` property that Node puts on system errors (ECONNREFUSED, ENOSPC, …). */
export function systemCodeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== "object" || thrown === null || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}
