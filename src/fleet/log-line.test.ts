import fc from "fast-check";
import { expect, test } from "vitest";
import { LogLineReader, MAX_LOG_LINE_CHARACTERS, shownLogLine } from "./log-line.ts";

test("colours, cursor moves, titles, links and clipboard writes are taken out, the words stay", () => {
  for (const [hostile, shown] of [
    ["\u001b[31mred\u001b[0m plain", "red plain"],
    ["\u001b[2J\u001b[1;1Hwiped", "wiped"],
    ["\u001b]0;a title\u0007after", "after"],
    ["\u001b]52;c;ZXZpbA==\u001b\\after", "after"],
    ["\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\", "link"],
    ["\u001bPq#0;2;0;0;0\u001b\\sixel", "sixel"],
    ["\u001b(0lines\u001bc reset", "lines reset"],
    ["\u009b31mC1", "\ufffd31mC1"],
    ["bell\u0007 back\u0008 del\u007f", "bell\ufffd back\ufffd del\ufffd"],
    ["\u001b[31", "\ufffd[31"],
    ["\u001b]0;never ended", "\ufffd]0;never ended"],
    ["user\u202egnp.exe", "user\ufffdgnp.exe"],
    ["a\tb", "a b"],
  ] as const)
    expect(shownLogLine(hostile)).toBe(shown);
});

test("of a progress bar that draws over itself the last drawing stays", () => {
  expect(shownLogLine("loading  1%\rloading 50%\rloading 100%\r")).toBe("loading 100%");
  expect(shownLogLine("windows\r")).toBe("windows");
});

test("no line holds a control character or is longer than the limit, whatever was written", () => {
  const bytes = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .constantFrom("\u001b[", "\u001b]0;", "\u0007", "\u001bP", "\r", "\u009d", "é", "\u202e")
        .map((text) => Buffer.from(text)),
    ),
  );
  fc.assert(
    fc.property(bytes, (pieces) => {
      const reader = new LogLineReader();
      const lines = [...pieces.flatMap((piece) => reader.push(Buffer.from(piece))), ...reader.rest()];
      for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    }),
  );
  expect(shownLogLine("x".repeat(10_000))).toHaveLength(MAX_LOG_LINE_CHARACTERS + 1);
});

test("lines are the same however their bytes are split", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme" })),
      fc.array(fc.nat(20), { minLength: 1 }),
      (texts, cuts) => {
        const whole = Buffer.from(texts.join("\n"));
        const atOnce = new LogLineReader();
        const expected = [...atOnce.push(whole), ...atOnce.rest()];
        const reader = new LogLineReader();
        const lines: string[] = [];
        let at = 0;
        for (let turn = 0; at < whole.length; turn++) {
          const next = at + 1 + (cuts[turn % cuts.length] as number);
          lines.push(...reader.push(whole.subarray(at, next)));
          at = next;
        }
        expect([...lines, ...reader.rest()]).toEqual(expected);
      },
    ),
  );
});

test("bytes that are no UTF-8 are shown as such, and the next line is whole", () => {
  const reader = new LogLineReader();
  expect(reader.push(Buffer.from([0x61, 0xff, 0xc3, 0x0a, 0x62, 0x0a]))).toEqual(["a\ufffd\ufffd", "b"]);
});

test("a line of 100 MB without end is held to its beginning", () => {
  const reader = new LogLineReader();
  const piece = Buffer.alloc(1024 * 1024, "y");
  for (let turn = 0; turn < 100; turn++) expect(reader.push(piece)).toEqual([]);
  expect(reader.push(Buffer.from("end\nnext\n")).map((line) => line.length)).toEqual([
    MAX_LOG_LINE_CHARACTERS + 1,
    4,
  ]);
});
