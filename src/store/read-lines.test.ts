import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../test/fakes/temporary-directory.ts";
import { randomStream } from "../core/random.ts";
import { eachLine } from "./read-lines.ts";

function linesOf(content: Buffer | string) {
  const path = join(temporaryDirectory(), "lines");
  writeFileSync(path, content);
  const lines: { text: string; number: number; offsetBytes: number }[] = [];
  const unreadable: number[] = [];
  const tail = eachLine(path, {
    line: (text, number, offsetBytes) => lines.push({ text, number, offsetBytes }),
    unreadable: (_, number) => unreadable.push(number),
  });
  return { lines, unreadable, tail };
}

test("lines of all lengths around the block size come back with their numbers and places", () => {
  const random = randomStream(11, "lines");
  const expected: { text: string; number: number; offsetBytes: number }[] = [];
  let offsetBytes = 0;
  for (let number = 1; number <= 60; number++) {
    // Three-byte characters, so that blocks end inside of them.
    const text = "é€x".repeat(random.integer(number % 10 === 0 ? 600_000 : 20_000) + 1);
    expected.push({ text, number, offsetBytes });
    offsetBytes += Buffer.byteLength(text) + 1;
  }
  const { lines, tail } = linesOf(`${expected.map(({ text }) => text).join("\n")}\n`);
  expect(tail).toBeUndefined();
  // Compared one by one: a difference should not print megabytes.
  expect(lines.length).toBe(expected.length);
  for (const [index, line] of lines.entries()) expect(line.text === expected[index]?.text).toBe(true);
  expect(lines.map(({ number, offsetBytes: at }) => [number, at])).toEqual(
    expected.map(({ number, offsetBytes: at }) => [number, at]),
  );
});

test("an empty line counts and is not visited", () => {
  expect(linesOf("a\n\nb\n").lines).toEqual([
    { text: "a", number: 1, offsetBytes: 0 },
    { text: "b", number: 3, offsetBytes: 3 },
  ]);
});

test("one line that is no UTF-8 does not spoil its neighbours", () => {
  const { lines, unreadable } = linesOf(
    Buffer.concat([Buffer.from("é\n"), Buffer.from([0xc3, 0x0a]), Buffer.from("é\n")]),
  );
  expect(lines.map(({ number }) => number)).toEqual([1, 3]);
  expect(unreadable).toEqual([2]);
});

test("what follows the last newline is handed back", () => {
  const { lines, tail } = linesOf("whole\nhalf");
  expect(lines).toHaveLength(1);
  expect(tail).toEqual({ bytes: Buffer.from("half"), number: 2, offsetBytes: 6 });
});

test("an empty file has no line and no rest; a missing one is missing", () => {
  expect(linesOf("")).toEqual({ lines: [], unreadable: [], tail: undefined });
  const visitor = { line: () => undefined, unreadable: () => undefined };
  expect(eachLine(join(temporaryDirectory(), "none"), visitor)).toBe("missing");
});
