/** Between lines of the socket and the words of the protocol, on both sides. */
import type { ErrorCode } from "../../core/error-codes.ts";
import { ERROR_CATALOGUE } from "../../core/error-codes.ts";
import { OperatorError } from "../../core/errors.ts";
import type { ControlAnswer, ControlRequest } from "./protocol.ts";
import { PROTOCOL_VERSION, controlRequestSchema } from "./protocol.ts";

/** A received value is shown back this far; it may be anything. */
const LONGEST_SHOWN_CHARACTERS = 120;

/** The request, or what is wrong with it. The version is looked at first: another version may have other requests. */
export function parseRequest(line: Uint8Array): ControlRequest | OperatorError {
  const value = parseJson(line);
  if (!isRecord(value)) return malformed("a request is one JSON object on a line", textOf(line));
  const { version } = value;
  if (Number.isInteger(version) && version !== PROTOCOL_VERSION) return otherVersion(Number(version));
  const parsed = controlRequestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue === undefined || issue.path.length === 0 ? "" : `field ${issue.path.join(".")}: `;
  return malformed(`${field}${issue?.message ?? "not a request"}`, textOf(line));
}

function otherVersion(version: number): OperatorError {
  return new OperatorError("PROTOCOL_MISMATCH", {
    message: `the supervisor speaks version ${PROTOCOL_VERSION} of the control protocol, the request version ${version}`,
    received: `version ${version}`,
    nextStep:
      "use the same version of slipway for both: end the supervisor with Ctrl-C where it runs, and start it again with slipway up",
  });
}

function malformed(message: string, received: string): OperatorError {
  return new OperatorError("REQUEST_MALFORMED", {
    message,
    received,
    nextStep: 'send one line such as {"version":1,"do":"status"}, or use the slipway command',
  });
}

export function errorAnswer(error: OperatorError): ControlAnswer & { readonly kind: "error" } {
  const { code, message, received, nextStep } = error;
  return {
    kind: "error",
    code,
    message,
    ...(received === undefined ? {} : { received: shown(received) }),
    nextStep,
  };
}

/** The answer on a line of the supervisor's, or `undefined` for what is none. */
export function parseAnswer(line: Uint8Array): ControlAnswer | undefined {
  const value = parseJson(line);
  if (!isRecord(value)) return undefined;
  switch (value["kind"]) {
    case "progress":
      return hasTexts(value, ["step", "message"]) ? (value as unknown as ControlAnswer) : undefined;
    case "error":
      return hasTexts(value, ["code", "message", "nextStep"])
        ? (value as unknown as ControlAnswer)
        : undefined;
    case "done":
      return "result" in value ? (value as unknown as ControlAnswer) : undefined;
    default:
      return undefined;
  }
}

/** The supervisor's error as one of ours; a code that this version lacks comes from another version. */
export function errorOf(answer: ControlAnswer & { readonly kind: "error" }): OperatorError {
  const { code, message, received, nextStep } = answer;
  if (!isErrorCode(code))
    return new OperatorError("PROTOCOL_MISMATCH", {
      message: `the supervisor answered with an error that this version does not know: ${code}: ${message}`,
      nextStep,
    });
  return new OperatorError(code, { message, nextStep, ...(received === undefined ? {} : { received }) });
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CATALOGUE, code);
}

function parseJson(line: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
    return value;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hasTexts(value: Record<string, unknown>, fields: readonly string[]): boolean {
  return fields.every((field) => typeof value[field] === "string");
}

function textOf(line: Uint8Array): string {
  return shown(Buffer.from(line).toString("utf8"));
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  return text.length > LONGEST_SHOWN_CHARACTERS ? `${text.slice(0, LONGEST_SHOWN_CHARACTERS)}…` : text;
}
