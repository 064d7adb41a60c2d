/**
 * What the self-test's emitter and receiver say to each other. A request is an ordinary chat
 * completion whose message is a timetable; every event of the answer carries, as its text, the
 * CLOCK_MONOTONIC reading taken just before it was written. That clock is shared by the processes
 * of one host, so receive − write is the error of a stamp, whatever the emitter's own lateness.
 */
import { z } from "zod";
import { parseWith } from "../../core/yaml.ts";
import type { GenerateRequest } from "../../engines/engine.ts";
import { parseJson } from "../../engines/json-shape.ts";

const timetableSchema = z.strictObject({
  /** When the first event is due, on the shared monotonic clock; at once if the request is later. */
  firstNs: z.int().nonnegative(),
  /** From one event to the next, on the grid firstNs + phaseNs + k · gapNs. */
  gapNs: z.int().positive(),
  /** This stream's place within the gap; 0 for all of them is one batch in lockstep. */
  phaseNs: z.int().nonnegative(),
  events: z.int().positive(),
});

export type Timetable = Readonly<z.infer<typeof timetableSchema>>;

/** 10^17 ns are three years of uptime; a fixed width lets the event be formatted once. */
const STAMP_DIGITS = 17;
const ZERO_CHARACTER = 48;

export function timetableRequest(timetable: Timetable): GenerateRequest {
  return {
    model: "selftest",
    messages: [{ role: "user", content: JSON.stringify(timetable) }],
    options: { maxTokens: timetable.events },
    stream: true,
  };
}

const bodySchema = z.object({ messages: z.tuple([z.object({ content: z.string() })]) });

/** The timetable of a request's body; CONFIG_INVALID for anything else. */
export function readTimetable(body: string): Timetable {
  const { messages } = parseWith(bodySchema, parseJson(body), "self-test request");
  return parseWith(timetableSchema, parseJson(messages[0].content), "self-test timetable");
}

/** One streamed event as HTTP bytes, formatted once; only the digits of its stamp change. */
export class StampedEvent {
  #bytes: Buffer;
  readonly #digitsAt: number;

  constructor() {
    const empty = "0".repeat(STAMP_DIGITS);
    const chunk = httpChunk(`data: ${eventJson({ content: empty }, null)}\n\n`);
    this.#bytes = Buffer.from(chunk);
    this.#digitsAt = chunk.indexOf(empty);
  }

  /** The event with this stamp. The bytes are those of the last call unless `release` came between. */
  at(writeNs: number): Buffer {
    // Two halves of at most 9 digits are small integers, on which the division is cheap.
    const high = Math.floor(writeNs / 1e8);
    this.#digits(high, this.#digitsAt, STAMP_DIGITS - 8);
    this.#digits(writeNs - high * 1e8, this.#digitsAt + STAMP_DIGITS - 8, 8);
    return this.#bytes;
  }

  /** Gives the last bytes away to whoever still has to send them. */
  release(): void {
    this.#bytes = Buffer.from(this.#bytes);
  }

  #digits(value: number, at: number, count: number): void {
    let rest = value;
    for (let place = at + count - 1; place >= at; place--) {
      const tenth = Math.trunc(rest / 10);
      this.#bytes[place] = ZERO_CHARACTER + rest - 10 * tenth;
      rest = tenth;
    }
  }
}

export const RESPONSE_HEAD =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nx-slipway-simulated: 1\r\n\r\n";

export const STREAM_END = `${httpChunk(`data: ${eventJson({}, "stop")}\n\ndata: [DONE]\n\n`)}0\r\n\r\n`;

function httpChunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

/** With the fields that real servers send, so that an event costs the receiver what a real one does. */
function eventJson(delta: object, finishReason: string | null): string {
  return JSON.stringify({
    id: "chatcmpl-selftest",
    object: "chat.completion.chunk",
    created: 0,
    model: "selftest",
    choices: [{ index: 0, delta, finish_reason: finishReason }],
  });
}

/** The write stamps of a stream, from its whole text; `undefined` if any event is damaged or lost. */
export function readStampsNs(content: string, events: number): Float64Array | undefined {
  if (content.length !== events * STAMP_DIGITS) return undefined;
  const stamps = new Float64Array(events);
  for (let index = 0; index < events; index++)
    stamps[index] = Number(content.slice(index * STAMP_DIGITS, (index + 1) * STAMP_DIGITS));
  return stamps.every((stamp) => stamp > 0) ? stamps : undefined;
}
