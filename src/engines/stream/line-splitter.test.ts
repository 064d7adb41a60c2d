import fc from "fast-check";
import { expect, test } from "vitest";
import { LineSplitter } from "./line-splitter.ts";

/** The lines of a body that arrives in these pieces; `whole` is false once a line was too long. */
function split(pieces: readonly Buffer[], maxLineBytes?: number): { lines: string[]; whole: boolean } {
  const lines: string[] = [];
  const splitter = new LineSplitter(
    {
      line: (bytes, start, end) => lines.push(bytes.toString("latin1", start, end)),
      endOfRead: () => undefined,
    },
    maxLineBytes,
  );
  const whole = pieces.every((piece) => splitter.push(piece));
  if (whole) splitter.finish();
  return { lines, whole };
}

/** A body cut at these places. */
function cut(body: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places.map((place) => place % (body.length + 1)), body.length].sort((a, b) => a - b);
  return sorted.slice(1).map((end, index) => body.subarray(sorted[index], end));
}

test("both line endings end a line, and a last line needs none", () => {
  expect(split([Buffer.from("one\ntwo\r\n\nfour\r")]).lines).toEqual(["one", "two", "", "four"]);
});

test("wherever the bytes are cut, the lines are the same", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("a", "bc", "\n", "\r\n", "\r", "é", "x".repeat(5000)), { maxLength: 40 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (parts, places) => {
        const body = Buffer.from(parts.join(""));
        const expected = body.toString("latin1").split("\n");
        if (expected.at(-1) === "") expected.pop();
        expect(split(cut(body, places)).lines).toEqual(expected.map((line) => line.replace(/\r$/, "")));
      },
    ),
  );
});

test("a line over the limit ends the stream, in one read or in many", () => {
  expect(split([Buffer.from("ok\n12345\n")], 4)).toEqual({ lines: ["ok"], whole: false });
  expect(split([Buffer.from("ok\n123"), Buffer.from("45")], 4)).toEqual({ lines: ["ok"], whole: false });
  expect(split([Buffer.from("ok\n1234"), Buffer.from("\n")], 4)).toEqual({
    lines: ["ok", "1234"],
    whole: true,
  });
});
