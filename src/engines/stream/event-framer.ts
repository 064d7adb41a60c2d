/**
 * Lines to events: server-sent events (the WHATWG standard's `data` field, comments, several data
 * lines joined) and NDJSON (one event a line). An event's bytes are handed on in place where they
 * lie whole in one read.
 */
import type { LineSink } from "./line-splitter.ts";

const COLON = 58;
const SPACE = 32;
const NEWLINE_BYTE = Buffer.from("\n");
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

export interface EventSink {
  /** The payload of one event, `[start, end)` of `bytes`; valid during the call. */
  event(bytes: Buffer, start: number, end: number): void;
  /** A comment or an event without data: only there to keep the connection open. */
  keepAlive(): void;
  /** A line that the protocol does not know. */
  stray(bytes: Buffer, start: number, end: number): void;
}

export interface EventFramer extends LineSink {
  /** The body ended: an event that was not closed by a blank line is delivered. */
  finish(): void;
}

export class NdjsonFramer implements EventFramer {
  readonly #sink: EventSink;

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  line(bytes: Buffer, start: number, end: number): void {
    if (start === end) this.#sink.keepAlive();
    else this.#sink.event(bytes, start, end);
  }

  endOfRead(): void {}

  finish(): void {}
}

export class SseFramer implements EventFramer {
  readonly #sink: EventSink;
  /** The data of the event so far: borrowed from the read while one line is all of it. */
  #data: Buffer | undefined;
  #start = 0;
  #end = 0;
  #borrowed = false;
  #atStart = true;

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  line(bytes: Buffer, lineStart: number, end: number): void {
    let start = lineStart;
    if (this.#atStart) {
      this.#atStart = false;
      if (BYTE_ORDER_MARK.every((byte, index) => bytes[lineStart + index] === byte)) start += 3;
    }
    if (start === end) this.#dispatch();
    else if (bytes[start] === COLON) this.#sink.keepAlive();
    else if (isData(bytes, start, end)) this.#addData(bytes, start, end);
    else if (!isOtherField(bytes, start, end)) this.#sink.stray(bytes, start, end);
  }

  endOfRead(): void {
    if (!this.#borrowed || this.#data === undefined) return;
    this.#data = Buffer.from(this.#data.subarray(this.#start, this.#end));
    this.#end -= this.#start;
    this.#start = 0;
    this.#borrowed = false;
  }

  finish(): void {
    if (this.#data !== undefined) this.#dispatch();
  }

  #addData(bytes: Buffer, start: number, end: number): void {
    let from = Math.min(start + 5, end);
    if (from < end && bytes[from] === SPACE) from++;
    if (this.#data === undefined) {
      this.#data = bytes;
      this.#start = from;
      this.#end = end;
      this.#borrowed = true;
      return;
    }
    const before = this.#data.subarray(this.#start, this.#end);
    this.#data = Buffer.concat([before, NEWLINE_BYTE, bytes.subarray(from, end)]);
    this.#start = 0;
    this.#end = this.#data.length;
    this.#borrowed = false;
  }

  #dispatch(): void {
    const data = this.#data;
    if (data === undefined) return;
    this.#data = undefined;
    if (this.#start === this.#end) this.#sink.keepAlive();
    else this.#sink.event(data, this.#start, this.#end);
  }
}

/** `data`, alone or before a colon. Compared byte by byte: this runs for every line of every stream. */
function isData(bytes: Buffer, start: number, end: number): boolean {
  return (
    bytes[start] === 100 &&
    bytes[start + 1] === 97 &&
    bytes[start + 2] === 116 &&
    bytes[start + 3] === 97 &&
    (start + 4 === end || bytes[start + 4] === COLON)
  );
}

/** The standard's other fields, which mean nothing here. */
const OTHER_FIELD = /^(?:event|id|retry)(?::|$)/;
const LONGEST_FIELD_BYTES = 6;

function isOtherField(bytes: Buffer, start: number, end: number): boolean {
  return OTHER_FIELD.test(bytes.toString("latin1", start, Math.min(end, start + LONGEST_FIELD_BYTES)));
}
