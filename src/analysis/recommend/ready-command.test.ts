import { describe, expect, it } from "vitest";
import type { MadeCell } from "../../../test/fakes/two-agent-run.ts";
import { twoAgentRun } from "../../../test/fakes/two-agent-run.ts";
import { defined } from "../../core/assert.ts";
import type { RunManifest } from "../../record/run-manifest.ts";
import type { TrialRecord } from "../../record/trial-record.ts";
import { analyseRun } from "../analyse-run.ts";
import { readyCommand, repeatCommand } from "./ready-command.ts";

const RECORDED = ["slipway", "bench", "team.yaml", "--runs", "3", "--seed", "7"];

/** The command for the first of two cells. */
function commandOf(
  parameters: TrialRecord["parameters"],
  label = "first",
  manifest: Partial<RunManifest> = {},
): string {
  const cell = (name: string): MadeCell => ({
    cell: name,
    togetherTokS: [56],
    record: () => ({ parameters }),
  });
  const analysis = analyseRun(
    twoAgentRun([cell(label), cell("second")], { scenario: "made", command: RECORDED, ...manifest }),
  );
  return readyCommand(defined(analysis.cells[0], "a cell"), analysis.manifest);
}

describe("the command that runs a cell again", () => {
  it("is the run's own where it has one cell", () => {
    expect(commandOf({}, "first", { cells: [{ hash: "hash-first", label: "first" }] })).toBe(
      "slipway bench team.yaml --runs 3 --seed 7",
    );
  });

  it("is the run's own with one count for a rung of a ladder", () => {
    const command = ["slipway", "bench", "quick", "--agents", "1,2,4"];
    expect(commandOf({ agents: 2 }, "first", { command })).toBe("slipway bench quick --agents 2");
  });

  it("names any other cell by its label, as a shell takes it", () => {
    const parameters = { "agents.*.options.numCtx": 512 };
    expect(commandOf(parameters)).toBe("slipway bench team.yaml --runs 3 --seed 7 --cell first");
    expect(commandOf(parameters, "first num_ctx=512")).toBe(
      "slipway bench team.yaml --runs 3 --seed 7 --cell 'first num_ctx=512'",
    );
    expect(commandOf({ ...parameters, agents: 2 }, "first N=2")).toContain("--cell 'first N=2'");
  });
});

it("repeats a run with other --runs and nothing else", () => {
  const repeated = (command: readonly string[]) => {
    const { manifest } = analyseRun(twoAgentRun([{ cell: "made", togetherTokS: [56] }], { command }));
    return repeatCommand(manifest, 12);
  };
  expect(repeated(RECORDED)).toBe("slipway bench team.yaml --runs 12 --seed 7");
  expect(repeated(["slipway", "bench", "quick", "--runs=3"])).toBe("slipway bench quick --runs 12");
  expect(repeated(["slipway", "bench", "quick"])).toBe("slipway bench quick --runs 12");
});
