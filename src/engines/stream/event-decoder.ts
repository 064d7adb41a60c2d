/**
 * A response body to a {@link DecodedStream}: framing, then the fast path, then JSON.parse and the
 * protocol's own reading of one event. Also the same for a body that is one JSON document.
 */
import { isUtf8 } from "node:buffer";
import { MAX_LINE_BYTES } from "../../core/limits.ts";
import type { DecodedStream, StreamDecoder, StreamFault } from "../engine.ts";
import { parseJson } from "../json-shape.ts";
import { type EventFramer, type EventSink, NdjsonFramer, SseFramer } from "./event-framer.ts";
import { LineSplitter } from "./line-splitter.ts";
import { LineTemplate, type PlainField } from "./line-template.ts";
import { Tally } from "./tally.ts";

/** A protocol's reading of one parsed event. */
export interface EventReader {
  /**
   * Adds the event to the tally. Answers the field whose text was all that the event carried, so
   * that events like it need not be parsed; `undefined` when it carried anything else to remember.
   */
  read(event: unknown, tally: Tally): PlainField | undefined;
  /** Reports the engine's figures of an event whose text is already in the tally; absent where no text event has any. */
  readFigures?(event: unknown, tally: Tally): void;
  /** Why this protocol's servers are known to end a stream without its closing event. */
  readonly knownTruncation?: string;
}

/** Streams that alternate between forms would relearn at every event; after these, the slow path is cheaper. */
const MAX_LESSONS = 8;

/** Enough of a bad event to recognise it by. */
const EXCERPT_BYTES = 120;

const OPEN_BRACE = 123;

export interface DecoderOptions {
  readonly maxLineBytes?: number;
  /** The request's limit: a higher count is not believed. */
  readonly maxTokens?: number | undefined;
  /** false: parse every event. The property test compares both ways. */
  readonly fastPath?: boolean;
}

export class EventStreamDecoder implements StreamDecoder, EventSink {
  readonly #reader: EventReader;
  readonly #framer: EventFramer;
  readonly #splitter: LineSplitter;
  readonly #tally: Tally;
  readonly #maxLineBytes: number;
  #lessonsLeft: number;
  #template: LineTemplate | undefined;
  #ending = false;
  #sawEvent = false;
  #firstStray: string | undefined;
  #postponed: Buffer = Buffer.alloc(0);
  #postponedLength = 0;

  constructor(framing: "sse" | "ndjson", reader: EventReader, options: DecoderOptions = {}) {
    this.#reader = reader;
    this.#tally = new Tally(options.maxTokens);
    this.#framer = framing === "sse" ? new SseFramer(this) : new NdjsonFramer(this);
    this.#maxLineBytes = options.maxLineBytes ?? MAX_LINE_BYTES;
    this.#splitter = new LineSplitter(this.#framer, this.#maxLineBytes);
    this.#lessonsLeft = options.fastPath === false ? 0 : MAX_LESSONS;
  }

  get fault(): StreamFault | undefined {
    return this.#tally.fault;
  }

  get textEvents(): number {
    return this.#tally.textEvents;
  }

  get complete(): boolean {
    return this.#tally.complete;
  }

  push(bytes: Uint8Array, atNs: number, sharesStamp: boolean): void {
    if (this.#tally.fault !== undefined) return;
    this.#tally.beginRead(atNs, sharesStamp);
    if (!this.#splitter.push(asBuffer(bytes)))
      this.#tally.fail("LINE_TOO_LONG", `a line of the stream is longer than ${this.#maxLineBytes} bytes`);
  }

  finish(broken: boolean): DecodedStream {
    if (!broken && this.#tally.fault === undefined) {
      this.#ending = true;
      this.#splitter.finish();
      this.#framer.finish();
      if (!this.#tally.closed) this.#failUnclosed();
    }
    this.#readPostponed();
    return this.#tally.result();
  }

  event(bytes: Buffer, start: number, end: number): void {
    const tally = this.#tally;
    if (tally.fault !== undefined) return;
    const template = this.#template;
    if (template?.matches(bytes, start, end) === true) {
      tally.addRawText(template.channel, bytes, template.textStart, template.textEnd);
      tally.countText(template.tokensSoFar);
      if (template.hasFigures) this.#postpone(bytes, start, end);
      return;
    }
    this.#readPostponed();
    this.#parse(bytes, start, end);
  }

  keepAlive(): void {
    this.#tally.count("keepAlive");
  }

  /** Unknown lines are ignored, as the standard asks, but an error document in place of a stream is not. */
  stray(bytes: Buffer, start: number, end: number): void {
    if (this.#tally.fault !== undefined) return;
    const text = bytes.toString("utf8", start, end);
    const payload = text.startsWith("error:") ? text.slice("error:".length) : text;
    const document = parseJson(payload);
    if (typeof document === "object" && document !== null && "error" in document)
      this.#reader.read(document, this.#tally);
    else if (bytes[start] === OPEN_BRACE)
      this.#tally.fail(
        "STREAM_MALFORMED",
        `expected server-sent events, got a JSON body: ${excerpt(bytes, start, end)}`,
      );
    else {
      this.#firstStray ??= excerpt(bytes, start, end);
      this.#tally.count("other");
    }
  }

  /** Each event's figures replace those of the one before, so only the last of a row needs to be read. */
  #postpone(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length > this.#postponed.length) this.#postponed = Buffer.allocUnsafe(2 * length);
    bytes.copy(this.#postponed, 0, start, end);
    this.#postponedLength = length;
  }

  #readPostponed(): void {
    if (this.#postponedLength === 0) return;
    const event = parseJson(this.#postponed.toString("utf8", 0, this.#postponedLength));
    this.#postponedLength = 0;
    this.#reader.readFigures?.(event, this.#tally);
  }

  #parse(bytes: Buffer, start: number, end: number): void {
    const tally = this.#tally;
    this.#sawEvent = true;
    if (isDoneMarker(bytes, start, end)) {
      tally.closed = true;
      tally.complete = true;
      tally.count("other");
      return;
    }
    const valid = isUtf8(bytes.subarray(start, end));
    if (!valid) tally.countInvalidUtf8();
    const event = parseJson(bytes.toString("utf8", start, end));
    if (event === undefined) {
      // A last line without its end is a stream cut short, which is said as such.
      if (!this.#ending)
        tally.fail("STREAM_MALFORMED", `an event is not JSON: ${excerpt(bytes, start, end)}`);
      return;
    }
    const plain = this.#reader.read(event, tally);
    if (plain !== undefined && valid && this.#lessonsLeft > 0) {
      this.#lessonsLeft--;
      this.#template = LineTemplate.learn(bytes, start, end, plain);
    }
  }

  #failUnclosed(): void {
    const { totalEvents } = this.#tally;
    const known = this.#reader.knownTruncation;
    if (!this.#sawEvent && this.#firstStray !== undefined)
      this.#tally.fail("STREAM_MALFORMED", `expected server-sent events, got: ${this.#firstStray}`);
    else
      this.#tally.fail(
        "STREAM_TRUNCATED",
        totalEvents === 0
          ? "the stream ended without a single event"
          : `the stream ended without its closing event (events so far: ${totalEvents})${known === undefined ? "" : `; ${known}`}`,
      );
  }
}

/** A response that is one JSON document: read as a single event when it is whole. */
export class JsonBodyDecoder implements StreamDecoder {
  readonly #reader: EventReader;
  readonly #tally: Tally;
  readonly #pieces: Buffer[] = [];
  #length = 0;

  constructor(reader: EventReader, options: Pick<DecoderOptions, "maxTokens"> = {}) {
    this.#reader = reader;
    this.#tally = new Tally(options.maxTokens);
  }

  get fault(): StreamFault | undefined {
    return this.#tally.fault;
  }

  get textEvents(): number {
    return this.#tally.textEvents;
  }

  /** One document is whole when its body is, and not before. */
  get complete(): boolean {
    return false;
  }

  push(bytes: Uint8Array, atNs: number, sharesStamp: boolean): void {
    if (this.#tally.fault !== undefined) return;
    this.#tally.beginRead(atNs, sharesStamp);
    this.#length += bytes.length;
    if (this.#length > MAX_LINE_BYTES) {
      this.#pieces.length = 0;
      this.#tally.fail("LINE_TOO_LONG", `the response is longer than ${MAX_LINE_BYTES} bytes`);
      return;
    }
    this.#pieces.push(Buffer.from(bytes));
  }

  finish(broken: boolean): DecodedStream {
    if (!broken && this.#tally.fault === undefined) this.#read(Buffer.concat(this.#pieces));
    return this.#tally.result();
  }

  #read(body: Buffer): void {
    if (!isUtf8(body)) this.#tally.countInvalidUtf8();
    const document = parseJson(body.toString("utf8"));
    if (document === undefined)
      this.#tally.fail(
        "STREAM_MALFORMED",
        `the response is not JSON: ${body.length === 0 ? "it is empty" : excerpt(body, 0, body.length)}`,
      );
    else {
      this.#reader.read(document, this.#tally);
      if (!this.#tally.closed)
        this.#tally.fail("STREAM_TRUNCATED", "the answer does not say that it is complete");
    }
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const DONE_MARKER = Buffer.from("[DONE]");

function isDoneMarker(bytes: Buffer, start: number, end: number): boolean {
  return end - start === DONE_MARKER.length && DONE_MARKER.compare(bytes, start, end) === 0;
}

function excerpt(bytes: Buffer, start: number, end: number): string {
  const shown = bytes.toString("utf8", start, Math.min(end, start + EXCERPT_BYTES));
  return end - start > EXCERPT_BYTES ? `${shown}… (${end - start} bytes)` : shown;
}
