import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { realClock } from "../../core/clock.ts";
import { openAiDataPlane } from "../../engines/openai/data-plane.ts";
import {
  RESPONSE_HEAD,
  STREAM_END,
  StampedEvent,
  readStampsNs,
  readTimetable,
  timetableRequest,
} from "./wire.ts";

const stampNs = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

/** The text between the quotes after "content", found without any parser of ours. */
function contentOf(event: Buffer): string {
  return /"content":"(\d+)"/.exec(event.toString())?.[1] ?? "";
}

describe("events", () => {
  test("carry any stamp of the clock exactly, in a fixed width", () => {
    const event = new StampedEvent();
    fc.assert(
      fc.property(stampNs, (writeNs) => {
        expect(contentOf(event.at(writeNs))).toBe(String(writeNs).padStart(17, "0"));
      }),
    );
  });

  test("that were released keep their stamp while the next one is written", () => {
    const event = new StampedEvent();
    const kept = event.at(123);
    event.release();
    event.at(456);
    expect(Number(contentOf(kept))).toBe(123);
  });

  test("of a whole stream come out of the product's own decoder with every stamp", () => {
    fc.assert(
      fc.property(fc.array(stampNs, { minLength: 1, maxLength: 20 }), (stamps) => {
        const event = new StampedEvent();
        const decoder = openAiDataPlane().createDecoder({ stream: true });
        const pieces = [...stamps.map((ns) => event.at(ns).toString()), STREAM_END];
        decoder.push(Buffer.from(pieces.map(unchunk).join("")), 1, false);
        const { content, fault } = decoder.finish(false);
        expect(fault).toBeUndefined();
        expect([...(readStampsNs(content, stamps.length) ?? [])]).toEqual(stamps);
      }),
    );
  });

  test("that are lost or damaged make the stream's stamps unreadable", () => {
    const whole = "00000000000000001" + "00000000000000002";
    expect(readStampsNs(whole, 2)).toEqual(Float64Array.of(1, 2));
    expect(readStampsNs(whole, 3)).toBeUndefined();
    expect(readStampsNs(whole.slice(1), 2)).toBeUndefined();
    expect(readStampsNs(whole.replace("1", "x"), 2)).toBeUndefined();
  });

  test("come with a head that labels them as simulated", () => {
    expect(RESPONSE_HEAD).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*x-slipway-simulated: 1\r\n\r\n$/);
  });
});

/** HTTP chunks to their payload, by the lengths they state. */
function unchunk(chunks: string): string {
  const end = chunks.indexOf("\r\n");
  const length = Number.parseInt(chunks.slice(0, end), 16);
  if (length === 0) return "";
  return (
    chunks.slice(end + 2, end + 2 + length) +
    (end + 4 + length < chunks.length ? unchunk(chunks.slice(end + 4 + length)) : "")
  );
}

describe("timetables", () => {
  const timetable = { firstNs: realClock.nowNs(), gapNs: 20_000_000, phaseNs: 5, events: 3 };

  test("come back from the request that the product would send", () => {
    const { body } = openAiDataPlane().buildRequest(timetableRequest(timetable));
    expect(readTimetable(body ?? "")).toEqual(timetable);
  });

  test("with a field missing or out of range are refused", () => {
    const { body = "" } = openAiDataPlane().buildRequest(timetableRequest({ ...timetable, gapNs: 0 }));
    expect(() => readTimetable(body)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    expect(() => readTimetable("no JSON")).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    expect(() => readTimetable("{}")).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});
