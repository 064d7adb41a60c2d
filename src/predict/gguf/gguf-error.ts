import { OperatorError } from "../../core/errors.ts";

/** The file breaks the format: what stood where, and what was expected. */
export function malformedGguf(path: string, message: string, received?: unknown): OperatorError {
  return new OperatorError("GGUF_INVALID", {
    message: `${path} is not a sound GGUF file: ${message}`,
    ...(received === undefined ? {} : { received }),
    nextStep: "compare the file's size and checksum with those of its publisher, and copy it again",
  });
}

/** The file may be sound, but is of a kind that is not read here. */
export function unsupportedGguf(
  path: string,
  message: string,
  nextStep: string,
  received?: unknown,
): OperatorError {
  return new OperatorError("GGUF_UNSUPPORTED", {
    message: `${path}: ${message}`,
    ...(received === undefined ? {} : { received }),
    nextStep,
  });
}
