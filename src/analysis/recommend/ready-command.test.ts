import { describe, expect, it } from "vitest";
import { madeEndpoint } from "../../../test/fakes/recorded-run.ts";
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
  manifest: Partial<RunManifest> = {},
  scenario = "made",
) {
  const cell = (name: string): MadeCell => ({
    cell: name,
    scenario,
    togetherTokS: [56],
    record: () => ({ parameters }),
  });
  const analysis = analyseRun(
    twoAgentRun([cell("first"), cell("second")], {
      scenario: "made",
      command: RECORDED,
      endpoints: [
        madeEndpoint("a", { url: "http://localhost:11434" }),
        madeEndpoint("b", { url: "http://localhost:8080/a b" }),
      ],
      ...manifest,
    }),
  );
  return readyCommand(defined(analysis.cells[0], "a cell"), analysis.manifest);
}

describe("the command that runs a cell again", () => {
  it("is the run's own where it has one cell", () => {
    expect(commandOf({}, { cells: [{ hash: "hash-first", label: "first" }] })).toEqual({
      text: "slipway bench team.yaml --runs 3 --seed 7",
      left: [],
    });
  });

  it("is the run's own with one count for a rung of a ladder", () => {
    const command = ["slipway", "bench", "quick", "--agents", "1,2,4"];
    expect(commandOf({ agents: 2 }, { command }).text).toBe("slipway bench quick --agents 2");
  });

  it("is the shipped scenario with the cell's settings, by the names that people know", () => {
    const parameters = {
      "agents.insight.options.numGpu": 80,
      "agents.*.options.numCtx": 512,
      "agents.insight.corpusCharacters": 99,
    };
    expect(commandOf(parameters, {}, "chimera_homo")).toEqual({
      text: "slipway bench chimera_homo --endpoint a=http://localhost:11434 --endpoint 'b=http://localhost:8080/a b' --agent insight:num_gpu=80,num_ctx=512 --agent collector:num_ctx=512",
      left: ["agents.insight.corpusCharacters=99"],
    });
  });

  it("names no endpoint that was only simulated", () => {
    const endpoints = [madeEndpoint("a", { simulated: true }), madeEndpoint("b", { simulated: true })];
    expect(commandOf({}, { endpoints }, "chimera_homo").text).toBe("slipway bench chimera_homo");
  });

  it("is the whole file where that holds several cells, with which of them to keep", () => {
    expect(commandOf({ "agents.*.options.numCtx": 512 })).toEqual({
      text: "slipway bench team.yaml --runs 3 --seed 7",
      left: ["only the cell first"],
    });
  });
});

it("repeats a run with other --runs and nothing else", () => {
  const repeated = (command: readonly string[]) => {
    const { manifest } = analyseRun(twoAgentRun([{ cell: "made", togetherTokS: [56] }], { command }));
    return repeatCommand(manifest, 12).text;
  };
  expect(repeated(RECORDED)).toBe("slipway bench team.yaml --runs 12 --seed 7");
  expect(repeated(["slipway", "bench", "quick", "--runs=3"])).toBe("slipway bench quick --runs 12");
  expect(repeated(["slipway", "bench", "quick"])).toBe("slipway bench quick --runs 12");
});
