import { resolve } from "node:path";
import { expect, test } from "vitest";
import { logFolder, stateDirectory } from "./state-directory.ts";

test("what was given wins, then XDG_STATE_HOME where it is absolute, then the home folder", () => {
  const environment = { HOME: "/home/a", XDG_STATE_HOME: "/state" };
  expect(stateDirectory("here", environment)).toBe(resolve("here"));
  expect(stateDirectory(undefined, environment)).toBe("/state/slipway");
  expect(stateDirectory(undefined, { ...environment, XDG_STATE_HOME: "relative" })).toBe(
    "/home/a/.local/state/slipway",
  );
  expect(stateDirectory(undefined, { HOME: "/home/a" })).toBe("/home/a/.local/state/slipway");
  expect(logFolder("/state/slipway")).toBe("/state/slipway/logs");
});
