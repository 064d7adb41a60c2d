/**
 * Bytes, split anywhere, to lines. A line that lies whole in one read is handed on in place,
 * without a copy; only the piece at the end of a read is kept until the rest comes. A newline is
 * never part of a longer UTF-8 character, so splitting bytes cannot split text.
 *
 * Ends are `\n` and `\r\n`. The event-stream standard also allows a lone `\r`; no server here
 * sends one, and looking for it would cost a second pass over every byte.
 */
import { MAX_LINE_BYTES } from "../../core/limits.ts";

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;

/** First size of the store for an unfinished line: one event of any server here fits. */
const FIRST_PARTIAL_BYTES = 4096;

export interface LineSink {
  /** One line, `[start, end)` of `bytes`, without its ending. The bytes stay valid until `endOfRead`. */
  line(bytes: Buffer, start: number, end: number): void;
  /** Nothing more comes out of this read: copy now what must last. */
  endOfRead(): void;
}

export class LineSplitter {
  readonly #sink: LineSink;
  readonly #maxLineBytes: number;
  #partial: Buffer = Buffer.alloc(0);
  #partialLength = 0;

  constructor(sink: LineSink, maxLineBytes = MAX_LINE_BYTES) {
    this.#sink = sink;
    this.#maxLineBytes = maxLineBytes;
  }

  /** False when a line exceeds the limit: it is dropped, and nothing more may be pushed. */
  push(bytes: Buffer): boolean {
    let start = 0;
    if (this.#partialLength > 0) {
      const newline = bytes.indexOf(NEWLINE);
      if (!this.#keep(bytes, 0, newline < 0 ? bytes.length : newline)) return false;
      if (newline < 0) return true;
      const length = this.#partialLength;
      this.#partialLength = 0;
      this.#deliver(this.#partial, 0, length);
      start = newline + 1;
    }
    for (let newline = bytes.indexOf(NEWLINE, start); newline >= 0; newline = bytes.indexOf(NEWLINE, start)) {
      if (newline - start > this.#maxLineBytes) return false;
      this.#deliver(bytes, start, newline);
      start = newline + 1;
    }
    this.#sink.endOfRead();
    return start === bytes.length || this.#keep(bytes, start, bytes.length);
  }

  /** Delivers a last line that has no ending. */
  finish(): void {
    if (this.#partialLength > 0) this.#deliver(this.#partial, 0, this.#partialLength);
    this.#partialLength = 0;
    this.#sink.endOfRead();
  }

  #deliver(bytes: Buffer, start: number, end: number): void {
    this.#sink.line(bytes, start, end > start && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end);
  }

  #keep(bytes: Buffer, start: number, end: number): boolean {
    const length = this.#partialLength + end - start;
    if (length > this.#maxLineBytes) {
      this.#partial = Buffer.alloc(0);
      this.#partialLength = 0;
      return false;
    }
    if (length > this.#partial.length) {
      const grown = Buffer.allocUnsafe(Math.max(FIRST_PARTIAL_BYTES, 2 * length));
      this.#partial.copy(grown, 0, 0, this.#partialLength);
      this.#partial = grown;
    }
    bytes.copy(this.#partial, this.#partialLength, start, end);
    this.#partialLength = length;
    return true;
  }
}
