/**
 * Reads a file of lines in big blocks. Lines are cut at newline bytes before anything is decoded,
 * and UTF-8 is checked for a whole block at once; the cost is then that of JSON.parse alone.
 */
import { isUtf8 } from "node:buffer";
import { closeSync, openSync, readSync } from "node:fs";
import { systemCodeOf } from "../core/errors.ts";
import { fileError } from "../core/file.ts";
import { MAX_RECORD_LINE_BYTES } from "../core/limits.ts";

/** Large enough that read(2) costs nothing per line, small enough to stay in the cache of the processor. */
const BLOCK_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

export interface LineVisitor {
  /** `number` counts from 1, `offsetBytes` is where the line begins. Empty lines are not visited. */
  line(text: string, number: number, offsetBytes: number): void;
  /** A line that is no text: longer than the limit, or not UTF-8. */
  unreadable(reason: string, number: number): void;
}

/** What stands after the last newline: a line that its writer did not finish. */
export interface LineTail {
  readonly bytes: Buffer;
  readonly number: number;
  readonly offsetBytes: number;
}

/**
 * Visits every finished line; returns the unfinished rest, or `undefined` when the file ends with a
 * newline. A file that does not exist gives `"missing"`. Throws as {@link fileError}.
 */
export function eachLine(path: string, visitor: LineVisitor): LineTail | "missing" | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (thrown) {
    if (systemCodeOf(thrown) === "ENOENT") return "missing";
    throw fileError(thrown, path);
  }
  try {
    return new LineReader(descriptor, path, visitor).readAll();
  } finally {
    closeSync(descriptor);
  }
}

class LineReader {
  readonly #descriptor: number;
  readonly #path: string;
  readonly #visitor: LineVisitor;
  #block = Buffer.allocUnsafe(BLOCK_BYTES);
  /** Bytes of an unfinished line at the start of the block. */
  #held = 0;
  /** Where the block begins in the file. */
  #offsetBytes = 0;
  #number = 1;
  /** Inside a line that is longer than the limit, of which nothing is kept. */
  #skipping = false;

  constructor(descriptor: number, path: string, visitor: LineVisitor) {
    this.#descriptor = descriptor;
    this.#path = path;
    this.#visitor = visitor;
  }

  readAll(): LineTail | undefined {
    for (;;) {
      const count = this.#read();
      if (count === 0) break;
      const filled = this.#held + count;
      const lastNewline = this.#block.subarray(0, filled).lastIndexOf(NEWLINE);
      const consumed = lastNewline < 0 ? 0 : this.#visitLines(lastNewline + 1);
      this.#keepRest(consumed, filled);
    }
    if (this.#held === 0 && !this.#skipping) return undefined;
    return {
      bytes: Buffer.from(this.#block.subarray(0, this.#held)),
      number: this.#number,
      offsetBytes: this.#offsetBytes,
    };
  }

  #read(): number {
    try {
      return readSync(this.#descriptor, this.#block, this.#held, this.#block.length - this.#held, null);
    } catch (thrown) {
      throw fileError(thrown, this.#path);
    }
  }

  /** Visits the lines in the first `end` bytes, of which the last is a newline. */
  #visitLines(end: number): number {
    const block = this.#block;
    const sound = isUtf8(block.subarray(0, end));
    let start = 0;
    while (start < end) {
      const stop = block.indexOf(NEWLINE, start);
      if (this.#skipping || stop - start > MAX_RECORD_LINE_BYTES) {
        this.#skipping = false;
        this.#visitor.unreadable(`longer than ${MAX_RECORD_LINE_BYTES} bytes`, this.#number);
      } else if (stop > start) {
        if (sound || isUtf8(block.subarray(start, stop)))
          this.#visitor.line(block.toString("utf8", start, stop), this.#number, this.#offsetBytes + start);
        else this.#visitor.unreadable("not UTF-8 text", this.#number);
      }
      this.#number++;
      start = stop + 1;
    }
    return end;
  }

  #keepRest(consumed: number, filled: number): void {
    this.#offsetBytes += consumed;
    this.#held = filled - consumed;
    if (this.#skipping || this.#held > MAX_RECORD_LINE_BYTES) {
      this.#offsetBytes += this.#held;
      this.#held = 0;
      this.#skipping = true;
      return;
    }
    if (consumed > 0) this.#block.copyWithin(0, consumed, filled);
    if (this.#held === this.#block.length) {
      const larger = Buffer.allocUnsafe(this.#block.length * 2);
      this.#block.copy(larger, 0, 0, this.#held);
      this.#block = larger;
    }
  }
}
