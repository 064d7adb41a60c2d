/**
 * The fast path. Within one stream ordinary events differ in their text, a creation time and their
 * numbers, and in nothing else, so the first one that was parsed in full teaches a template: its
 * bytes, with holes. An event that fits the template byte for byte, and whose holes hold valid JSON
 * values of the same type, would parse to the same object with another text and other numbers.
 * It need not be parsed, as long as nobody looks at the numbers but for the engine's figures, where
 * the last event counts; see stream/event-decoder. Whatever does not fit goes the slow way. Both
 * ways are held together by a property test.
 */
import { isUtf8 } from "node:buffer";
import type { TextChannel } from "./tally.ts";

const QUOTE = 34;
const BACKSLASH = 92;
const LOWER_U = 117;
const ZERO = 48;
const NINE = 57;
const PLUS = 43;
const MINUS = 45;
const POINT = 46;
const LOWER_E = 101;

/** The single character after a backslash in a JSON string: " \ / b f n r t. */
const SHORT_ESCAPES: readonly number[] = [34, 92, 47, 98, 102, 110, 114, 116];

/**
 * `text` is the event's text, not empty; `label` a string of plain ASCII; `number` any number that
 * is not negative; `tokens` an integer above zero, which is read.
 */
type Hole = "text" | "label" | "number" | "tokens";

/** A string that changes from event to event and is read by nobody (Ollama). */
const CREATION_TIME = "created_at";

/** What was all that an event carried: the text of one key, and perhaps the engine's figures. */
export interface PlainField {
  readonly key: string;
  readonly channel: TextChannel;
  /** The key of the engine's count of output tokens so far, where the event has figures. */
  readonly countKey?: string;
}

interface HolePlace {
  readonly hole: Hole;
  readonly start: number;
  readonly end: number;
}

export class LineTemplate {
  readonly channel: TextChannel;
  /** The events carry figures, of which the last ones count. */
  readonly hasFigures: boolean;
  readonly #literals: readonly Buffer[];
  readonly #holes: readonly Hole[];
  /** Where the last match found its text. */
  textStart = 0;
  textEnd = 0;
  /** The count of the last match; `undefined` where the events carry none. */
  tokensSoFar: number | undefined;

  private constructor(field: PlainField, literals: readonly Buffer[], holes: readonly Hole[]) {
    this.channel = field.channel;
    this.hasFigures = field.countKey !== undefined;
    this.#literals = literals;
    this.#holes = holes;
  }

  /**
   * Learns from an event that was parsed and found to carry the text of `field` and nothing else.
   * `undefined` when its bytes are not simple enough to be sure.
   */
  static learn(bytes: Buffer, start: number, end: number, field: PlainField): LineTemplate | undefined {
    const line = Buffer.from(bytes.subarray(start, end));
    const text = findValue(line, field.key, "text");
    const created = findValue(line, CREATION_TIME, "label");
    const tokens = field.countKey === undefined ? undefined : findValue(line, field.countKey, "tokens");
    if (text === undefined || text === "twice" || created === "twice" || tokens === "twice") return undefined;
    if (field.countKey !== undefined && tokens === undefined) return undefined;
    const places: HolePlace[] = [text, ...numbersOf(line).filter((place) => place.start !== tokens?.start)];
    if (created !== undefined) places.push(created);
    if (tokens !== undefined) places.push(tokens);
    places.sort((one, other) => one.start - other.start);
    const literals: Buffer[] = [];
    let from = 0;
    for (const place of places) {
      literals.push(line.subarray(from, place.start));
      from = place.end;
    }
    literals.push(line.subarray(from));
    return new LineTemplate(
      field,
      literals,
      places.map((place) => place.hole),
    );
  }

  /** True when the event fits; its text then lies, raw, at `[textStart, textEnd)`. */
  matches(bytes: Buffer, start: number, end: number): boolean {
    let at = start;
    for (let index = 0; index < this.#literals.length; index++) {
      const literal = this.#literals[index] as Buffer;
      if (!startsWith(bytes, at, end, literal)) return false;
      at += literal.length;
      const hole = this.#holes[index];
      if (hole === undefined) continue;
      const holeEnd = endOfHole(hole, bytes, at, end);
      if (holeEnd < 0) return false;
      if (hole === "text") {
        this.textStart = at;
        this.textEnd = holeEnd;
      } else if (hole === "tokens") this.tokensSoFar = integerAt(bytes, at, holeEnd);
      at = holeEnd;
    }
    return at === end;
  }
}

function startsWith(bytes: Buffer, start: number, end: number, literal: Buffer): boolean {
  const length = literal.length;
  if (end - start < length) return false;
  for (let offset = 0; offset < length; offset++) if (bytes[start + offset] !== literal[offset]) return false;
  return true;
}

/** The value of a key that occurs once. A key's name in quotes before a colon cannot occur inside a JSON string. */
function findValue(line: Buffer, key: string, hole: Hole): HolePlace | "twice" | undefined {
  const needle = `"${key}":`;
  const at = line.indexOf(needle, 0, "latin1");
  if (at < 0) return undefined;
  if (line.includes(needle, at + 1, "latin1")) return "twice";
  let start = at + needle.length;
  while (line[start] === 32) start++;
  if (hole !== "tokens") {
    if (line[start] !== QUOTE) return undefined;
    start++;
  }
  const end = endOfHole(hole, line, start, line.length);
  return end < 0 ? undefined : { hole, start, end };
}

function endOfHole(hole: Hole, bytes: Buffer, start: number, end: number): number {
  switch (hole) {
    case "text":
      return endOfText(bytes, start, end);
    case "label":
      return endOfLabel(bytes, start, end);
    case "number":
      return endOfNumber(bytes, start, end);
    case "tokens":
      return endOfTokens(bytes, start, end);
  }
}

/** Where the closing quote of a JSON string stands; −1 if it is empty, unterminated or invalid. */
function endOfText(bytes: Buffer, start: number, end: number): number {
  let ascii = true;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      if (at === start || (!ascii && !isUtf8(bytes.subarray(start, at)))) return -1;
      return at;
    }
    if (byte < 32) return -1;
    if (byte >= 128) ascii = false;
    else if (byte === BACKSLASH) {
      at = endOfEscape(bytes, at, end);
      if (at < 0) return -1;
    }
  }
  return -1;
}

/** The last byte of the escape whose backslash is at `at`; −1 if it is none. */
function endOfEscape(bytes: Buffer, at: number, end: number): number {
  const kind = bytes[at + 1] as number;
  if (kind !== LOWER_U) return SHORT_ESCAPES.includes(kind) ? at + 1 : -1;
  if (at + 5 >= end) return -1;
  for (let digit = at + 2; digit < at + 6; digit++) if (!isHexDigit(bytes[digit] as number)) return -1;
  return at + 5;
}

function isHexDigit(byte: number): boolean {
  const lower = byte | 32;
  return (byte >= ZERO && byte <= NINE) || (lower >= 97 && lower <= 102);
}

function endOfLabel(bytes: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) return at;
    if (byte < 32 || byte > 126 || byte === BACKSLASH) return -1;
  }
  return -1;
}

/** JSON's grammar of a number that is not negative. An exponent of three digits could be infinite. */
function endOfNumber(bytes: Buffer, start: number, end: number): number {
  let at = endOfDigits(bytes, start, end);
  // JSON allows no leading zero.
  if (at === start || (bytes[start] === ZERO && at > start + 1)) return -1;
  if (bytes[at] === POINT) {
    const fraction = at + 1;
    at = endOfDigits(bytes, fraction, end);
    if (at === fraction) return -1;
  }
  if (at < end && ((bytes[at] as number) | 32) === LOWER_E) {
    const sign = bytes[at + 1];
    const exponent = sign === PLUS || sign === MINUS ? at + 2 : at + 1;
    at = endOfDigits(bytes, exponent, end);
    if (at === exponent || at > exponent + 2) return -1;
  }
  return at;
}

/** An integer above zero of at most 15 digits, which a double holds exactly. */
function endOfTokens(bytes: Buffer, start: number, end: number): number {
  const at = endOfDigits(bytes, start, end);
  if (at === start || at > start + 15 || bytes[start] === ZERO) return -1;
  // `1e2` begins like 1 and is 100.
  const goesOn = at < end && (bytes[at] === POINT || ((bytes[at] as number) | 32) === LOWER_E);
  return goesOn ? -1 : at;
}

function endOfDigits(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && (bytes[at] as number) >= ZERO && (bytes[at] as number) <= NINE) at++;
  return at;
}

function integerAt(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + (bytes[at] as number) - ZERO;
  return value;
}

/** The numbers of a valid JSON line, outside its strings; negative ones stay part of the literals. */
function numbersOf(line: Buffer): HolePlace[] {
  const places: HolePlace[] = [];
  let inString = false;
  for (let at = 0; at < line.length; at++) {
    const byte = line[at] as number;
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte >= ZERO && byte <= NINE) {
      const end = endOfNumber(line, at, line.length);
      if (end >= 0 && line[at - 1] !== MINUS) places.push({ hole: "number", start: at, end });
      at = Math.max(at, end - 1);
    }
  }
  return places;
}
