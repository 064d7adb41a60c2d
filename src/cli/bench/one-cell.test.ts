import { describe, expect, it } from "vitest";
import { OperatorError } from "../../core/errors.ts";
import { cellsOf } from "../../workload/matrix.ts";
import { scenarioSchema } from "../../workload/scenario.ts";
import { withOneCell } from "./one-cell.ts";

const scenario = scenarioSchema.parse({
  name: "team",
  endpoints: { a: { url: "http://127.0.0.1:1" } },
  agents: [
    { name: "one", program: "synthetic", endpoint: "a" },
    { name: "two", program: "synthetic", endpoint: "a" },
  ],
  cells: [
    { name: "short", set: { "agents.*.promptTokens": 64 } },
    { name: "long", set: { "agents.*.promptTokens": 512 } },
  ],
  matrix: { "agents.*.options.numCtx": [1024, 2048], "agents.one.outputTokens": [16, 32] },
  agentCounts: [1, 2],
});

function errorOf(name: string): OperatorError {
  try {
    withOneCell(scenario, name);
  } catch (thrown) {
    if (thrown instanceof OperatorError) return thrown;
  }
  throw new Error("it was refused by no operator error");
}

describe("--cell", () => {
  it("leaves the one cell, with the label and the hash it has in the whole matrix", () => {
    for (const cell of cellsOf(scenario)) {
      expect(cellsOf(withOneCell(scenario, cell.label))).toEqual([cell]);
      expect(cellsOf(withOneCell(scenario, cell.hash.slice(0, 10)))).toEqual([cell]);
    }
  });

  it("takes words of the label where only one cell has them all", () => {
    const cut = withOneCell(scenario, "long N=2 numCtx=1024 outputTokens=16");
    expect(cellsOf(cut).map(({ label }) => label)).toEqual(["long numCtx=1024 outputTokens=16 N=2"]);
  });

  it("leaves a scenario as it is where it is not given", () => {
    expect(withOneCell(scenario, undefined)).toBe(scenario);
  });

  it("lists the cells when it names none of them, or several", () => {
    expect(errorOf("huge")).toMatchObject({
      code: "FLAG_INVALID",
      message: "scenario team has no such cell",
      received: "--cell huge",
      nextStep: expect.stringMatching(
        /^name one of: "short numCtx=1024 outputTokens=16 N=1", .* and 4 more$/,
      ) as string,
    });
    expect(errorOf("short N=1")).toMatchObject({
      message: "4 cells of scenario team have these words",
      nextStep: expect.not.stringContaining("N=2") as string,
    });
  });
});
