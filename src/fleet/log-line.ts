/** Bytes of a log to lines that are safe to show, whoever wrote them. */
import { StringDecoder } from "node:string_decoder";
import { printable } from "../core/errors.ts";

/** A line beyond this is cut: progress bars and dumped tensors run to megabytes, and nobody reads them. */
export const MAX_LOG_LINE_CHARACTERS = 4_000;

const ESCAPE = "\\u001b";
/**
 * Escape sequences by ECMA-48: control sequences (colours, cursor), control strings (titles, links,
 * clipboard) with their text, and the short ones. What is malformed is left to {@link printable}.
 */
const SEQUENCES = new RegExp(
  [
    `${ESCAPE}\\[[0-?]*[ -/]*[@-~]`,
    `${ESCAPE}[\\]PX^_][^\\u0007${ESCAPE}]*(?:\\u0007|${ESCAPE}\\\\)`,
    `${ESCAPE}[ -/]*[0-OQ-WYZ\\\\\`-~]`,
  ].join("|"),
  "gu",
);

/** Marks that change the order in which text is drawn, and separators that break a line. */
const REORDERING = /[\p{Bidi_Control}\u2028\u2029]/gu;

/** As a terminal would leave it, without anything that a terminal obeys. */
export function shownLogLine(line: string): string {
  const plain = line.replace(SEQUENCES, "");
  // A progress bar draws itself over and over; the last drawing is what stays.
  const drawings = plain.split("\r").filter((drawing) => drawing.trim() !== "");
  const shown = printable(drawings.at(-1) ?? "").replace(REORDERING, "\ufffd");
  return shown.length > MAX_LOG_LINE_CHARACTERS ? `${shown.slice(0, MAX_LOG_LINE_CHARACTERS)}…` : shown;
}

/** A line that has not ended is kept this far; of what comes after, only its end is waited for. */
const MAX_OPEN_LINE_CHARACTERS = 64 * 1024;

/** Takes bytes as they come, split anywhere, and gives whole lines; invalid UTF-8 becomes U+FFFD. */
export class LogLineReader {
  readonly #decoder = new StringDecoder("utf8");
  #open = "";

  push(bytes: Buffer): readonly string[] {
    const lines = (this.#open + this.#decoder.write(bytes)).split("\n");
    this.#open = (lines.pop() ?? "").slice(0, MAX_OPEN_LINE_CHARACTERS);
    return lines.map(shownLogLine);
  }

  /** What stands after the last line end. */
  rest(): readonly string[] {
    const open = this.#open + this.#decoder.end();
    this.#open = "";
    return open === "" ? [] : [shownLogLine(open)];
  }
}
