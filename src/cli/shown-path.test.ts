import { expect, it } from "vitest";
import { shownPath } from "./shown-path.ts";

it("is relative below the working folder and absolute elsewhere", () => {
  expect(shownPath("/home/me/runs/one", "/home/me")).toBe("runs/one");
  expect(shownPath("/var/runs/one", "/home/me")).toBe("/var/runs/one");
  expect(shownPath("/home/me", "/home/me")).toBe("/home/me");
});
