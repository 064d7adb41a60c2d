import { createParser } from "eventsource-parser";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type EventSink, NdjsonFramer, SseFramer } from "./event-framer.ts";
import { LineSplitter } from "./line-splitter.ts";

class Heard implements EventSink {
  readonly events: string[] = [];
  readonly strays: string[] = [];
  keepAlives = 0;

  event(bytes: Buffer, start: number, end: number): void {
    this.events.push(bytes.toString("utf8", start, end));
  }

  keepAlive(): void {
    this.keepAlives++;
  }

  stray(bytes: Buffer, start: number, end: number): void {
    this.strays.push(bytes.toString("utf8", start, end));
  }
}

function hear(pieces: readonly Buffer[], framing: "sse" | "ndjson" = "sse"): Heard {
  const heard = new Heard();
  const framer = framing === "sse" ? new SseFramer(heard) : new NdjsonFramer(heard);
  const splitter = new LineSplitter(framer);
  for (const piece of pieces) {
    splitter.push(piece);
    // The transport reuses its buffer for the next read; whatever is still looked at must be a copy.
    piece.fill(0);
  }
  splitter.finish();
  framer.finish();
  return heard;
}

const text = (body: string): Buffer[] => [Buffer.from(body)];

test("data lines of one event are joined, and other fields mean nothing", () => {
  const heard = hear(text("event: message\nid: 4\nretry: 10\ndata: one\ndata:two\ndata\n\ndata: three\n\n"));
  expect(heard.events).toEqual(["one\ntwo\n", "three"]);
  expect(heard.strays).toEqual([]);
});

test("comments and events without data keep the connection alive and carry nothing", () => {
  const heard = hear(text(": ping\n\ndata:\n\n:\n\n"));
  expect(heard.events).toEqual([]);
  expect(heard.keepAlives).toBe(3);
});

test("a byte order mark before the first field is no part of it", () => {
  expect(hear(text("\u{feff}data: first\n\n")).events).toEqual(["first"]);
});

test("an event that the end of the body cuts short is delivered", () => {
  expect(hear(text("data: whole\n\ndata: no blank line follows")).events).toEqual([
    "whole",
    "no blank line follows",
  ]);
});

test("a line of no known field is handed on as a stray", () => {
  expect(hear(text('dat: x\n<html>\nerror: {"code":500}\n\n')).strays).toEqual([
    "dat: x",
    "<html>",
    'error: {"code":500}',
  ]);
});

test("in NDJSON every line is an event and a blank one keeps alive", () => {
  const heard = hear(text('{"a":1}\n\n{"b":2}\r\n{"c":3}'), "ndjson");
  expect(heard.events).toEqual(['{"a":1}', '{"b":2}', '{"c":3}']);
  expect(heard.keepAlives).toBe(1);
});

test("events are those that eventsource-parser finds, wherever the bytes are cut", () => {
  const line = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 12 }).map((value) => `data: ${value.replace(/[\r\n]/g, "")}`),
    fc.string({ maxLength: 6 }).map((value) => `data:${value.replace(/[\r\n]/g, "")}`),
    fc.constantFrom(
      "data",
      ": comment",
      ":",
      "event: x",
      "id: 7",
      "retry: 5",
      "other: y",
      "noise",
      "datax: z",
    ),
    fc.constant(""),
    fc.constant(""),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(line, fc.constantFrom("\n", "\r\n")), { maxLength: 30 }),
      fc.array(fc.nat(), { maxLength: 10 }),
      (lines, places) => {
        const body = `${lines.map(([content, ending]) => content + ending).join("")}\n`;
        const expected: string[] = [];
        // Both leave out an event whose data is empty, as the standard asks.
        const oracle = createParser({ onEvent: ({ data }) => void (data !== "" && expected.push(data)) });
        oracle.feed(body);
        const bytes = Buffer.from(body);
        const cuts = [0, ...places.map((place) => place % bytes.length), bytes.length].sort((a, b) => a - b);
        const pieces = cuts.slice(1).map((end, index) => Buffer.from(bytes.subarray(cuts[index], end)));
        expect(hear(pieces).events).toEqual(expected);
      },
    ),
    { numRuns: 500 },
  );
});
