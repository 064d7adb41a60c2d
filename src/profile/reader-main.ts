/** A reading child: files are somebody else's, and what they do to a reader stays in it. */
import { OperatorError, messageOf } from "../core/errors.ts";
import { readProfile } from "./read-profile.ts";
import type { ReaderMessage } from "./reader-message.ts";
import { PIECE_CHARACTERS } from "./reader-message.ts";

function say(message: ReaderMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function failure(thrown: unknown): ReaderMessage {
  if (thrown instanceof OperatorError)
    return {
      kind: "failed",
      code: thrown.code,
      message: thrown.message,
      received: typeof thrown.received === "string" ? thrown.received : JSON.stringify(thrown.received ?? ""),
      nextStep: thrown.nextStep,
    };
  const tooLarge = thrown instanceof RangeError;
  return {
    kind: "failed",
    code: tooLarge ? "PROFILE_TOO_LARGE" : "PROFILE_DAMAGED",
    message: `the reader gave up: ${messageOf(thrown)}`,
    received: paths.join(" "),
    nextStep: tooLarge ? "record a shorter window" : "export the report again; if it stays, report the file",
  };
}

const paths = process.argv.slice(2);
try {
  const figures = await readProfile(paths, (path, what, rows) => say({ kind: "progress", path, what, rows }));
  const text = JSON.stringify(figures);
  for (let from = 0; from < text.length; from += PIECE_CHARACTERS)
    say({ kind: "piece", text: text.slice(from, from + PIECE_CHARACTERS) });
  say({ kind: "done" });
} catch (thrown) {
  say(failure(thrown));
}
