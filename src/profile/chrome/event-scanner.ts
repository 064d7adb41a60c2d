/**
 * Events of a Chrome trace one after the other, cut out of the stream of bytes by their braces, so
 * that a file of gigabytes is never held whole. Each event's own text is then parsed by JSON.parse.
 */
import { OperatorError } from "../../core/errors.ts";

/** One event. Kineto's longest carry a call stack of some kilobytes. */
const MAX_EVENT_CHARACTERS = 4 * 1024 * 1024;

/** A value beside the events that is handed on; lists of samples and stacks are longer, and skipped. */
const MAX_BESIDE_CHARACTERS = 65_536;

const [QUOTE, BACKSLASH, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST, COMMA, COLON] = [
  0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x3a,
];

export interface ScannerSink {
  /** The text of one element of the list of events. */
  event(text: string): void;
  /** A value beside the list, by its key. */
  beside(key: string, text: string): void;
}

/**
 * Where the scanner stands: before the file's first brace, among the keys of the outer object, or in
 * the list of events.
 */
type Place = "start" | "keys" | "events" | "end";

export class EventScanner {
  readonly #path: string;
  readonly #sink: ScannerSink;
  #place: Place = "start";
  /** The outer object's list, or a file that is a list itself. */
  #listOnly = false;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** The value being collected; pieces of earlier chunks. */
  #pieces: string[] = [];
  #collected = 0;
  #collecting = false;
  #key: string | undefined;
  #afterColon = false;

  constructor(path: string, sink: ScannerSink) {
    this.#path = path;
    this.#sink = sink;
  }

  /** Chunks are decoded text; a value may span several. */
  feed(chunk: string): void {
    let from = this.#collecting ? 0 : -1;
    for (let at = 0; at < chunk.length; at++) {
      const code = chunk.charCodeAt(at);
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (code === BACKSLASH) this.#escaped = true;
        else if (code === QUOTE) this.#inString = false;
        continue;
      }
      if (code <= 0x20) continue;
      const wasCollecting = this.#collecting;
      const ends = this.#step(code);
      if (!wasCollecting && this.#collecting) from = at;
      if (ends === "before") this.#finish(chunk.slice(from, at), code);
    }
    if (this.#collecting) this.#collect(chunk.slice(from));
  }

  /** `complete`: the file ended where its format does, or a list lacks only its last bracket, which viewers allow. */
  end(): "complete" | "open list" {
    if (this.#place === "events" && this.#listOnly && !this.#collecting) return "open list";
    if (this.#place !== "end") throw this.#damaged("it ends in the middle");
    return "complete";
  }

  /** Moves on by one character outside of strings; says whether a value ended before it. */
  #step(code: number): "before" | undefined {
    if (this.#place === "start") {
      this.#open(code);
      return undefined;
    }
    if (this.#place === "end") throw this.#damaged("something follows its end");
    if (this.#depth === 0 && (code === COMMA || code === CLOSE || code === CLOSE_LIST)) return "before";
    if (this.#place === "keys" && !this.#afterColon) {
      if (code === COLON) {
        this.#afterColon = true;
        return "before";
      }
      if (code !== QUOTE) throw this.#damaged("a key is no string");
    }
    if (this.#place === "keys" && this.#afterColon && !this.#collecting && this.#key === "traceEvents") {
      if (code !== OPEN_LIST) throw this.#damaged("traceEvents is no list");
      this.#place = "events";
      return undefined;
    }
    this.#collecting = true;
    if (code === QUOTE) this.#inString = true;
    else if (code === OPEN || code === OPEN_LIST) this.#depth++;
    else if (code === CLOSE || code === CLOSE_LIST) this.#depth--;
    return undefined;
  }

  #open(code: number): void {
    if (code === OPEN_LIST) {
      this.#place = "events";
      this.#listOnly = true;
    } else if (code === OPEN) this.#place = "keys";
    else throw this.#damaged("it begins with neither a brace nor a bracket");
  }

  /** A value ended before `code`: an event, a key, or a value beside the events. */
  #finish(lastPiece: string, code: number): void {
    const wasCollecting = this.#collecting;
    if (wasCollecting) this.#collect(lastPiece);
    const text = this.#pieces.join("").trim();
    this.#pieces = [];
    this.#collected = 0;
    this.#collecting = false;
    if (this.#place === "events") {
      if (code === CLOSE) throw this.#damaged("a brace closes the list of events");
      if (wasCollecting) this.#sink.event(text);
      if (code === CLOSE_LIST) this.#endList();
      return;
    }
    if (code === COLON) {
      this.#key = text.slice(1, -1);
      return;
    }
    if (code === CLOSE_LIST) throw this.#damaged("a bracket closes the outer object");
    if (text !== "" && this.#key !== undefined) this.#sink.beside(this.#key, text);
    this.#key = undefined;
    this.#afterColon = false;
    if (code === CLOSE) this.#place = "end";
  }

  #endList(): void {
    this.#place = this.#listOnly ? "end" : "keys";
    this.#key = undefined;
  }

  #collect(piece: string): void {
    this.#pieces.push(piece);
    this.#collected += piece.length;
    if (this.#place === "keys") {
      if (this.#collected > MAX_BESIDE_CHARACTERS) this.#pieces = [];
    } else if (this.#collected > MAX_EVENT_CHARACTERS)
      throw new OperatorError("PROFILE_TOO_LARGE", {
        message: `${this.#path}: one event is longer than ${MAX_EVENT_CHARACTERS} characters`,
        received: this.#path,
        nextStep: "record without call stacks, or check that the file is a Chrome trace",
      });
  }

  #damaged(what: string): OperatorError {
    return new OperatorError("PROFILE_DAMAGED", {
      message: `${this.#path} breaks as a Chrome trace: ${what}`,
      received: this.#path,
      nextStep: "write the trace again, to its end; a program that is killed leaves half of it",
    });
  }
}
