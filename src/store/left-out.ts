/** Lines that a reader leaves out because they cannot be true, told in one sentence a file. */
import type { RunNotice } from "../record/run-source.ts";

/** A notice names this many lines of each kind; a file may have a million of them. */
const MOST_LINES_NAMED = 5;

interface Tally {
  readonly lines: Set<number>;
  more: number;
}

export class LeftOut {
  readonly #files = new Map<string, Map<string, Tally>>();

  /** Begins a file again: it is visited from its first line. */
  restart(file: string): void {
    this.#files.delete(file);
  }

  add(file: string, line: number, reason: string): void {
    const reasons = this.#files.get(file) ?? new Map<string, Tally>();
    this.#files.set(file, reasons);
    const tally = reasons.get(reason) ?? { lines: new Set(), more: 0 };
    reasons.set(reason, tally);
    if (tally.lines.size < MOST_LINES_NAMED) tally.lines.add(line);
    else tally.more++;
  }

  get notices(): readonly RunNotice[] {
    return [...this.#files].map(([file, reasons]) => ({
      kind: "impossible-line",
      file,
      message: `${file} has lines that cannot be true, and they are left out: ${[...reasons].map(reasonText).join("; ")}`,
    }));
  }
}

function reasonText([reason, { lines, more }]: readonly [string, Tally]): string {
  const named = [...lines].join(", ");
  return `${lines.size + more > 1 ? "lines" : "line"} ${named}${more > 0 ? ` and ${more} more` : ""} (${reason})`;
}
