import { describe, expect, it } from "vitest";
import { madeEndpoint } from "../../../test/fakes/recorded-run.ts";
import type { MadeCell } from "../../../test/fakes/two-agent-run.ts";
import { twoAgentRun } from "../../../test/fakes/two-agent-run.ts";
import { defined } from "../../core/assert.ts";
import type { RunManifest } from "../../record/run-manifest.ts";
import type { TrialRecord } from "../../record/trial-record.ts";
import { analyseRun } from "../analyse-run.ts";
import { readyCommand, repeatCommand } from "./ready-command.ts";

function commandOf(
  parameters: TrialRecord["parameters"],
  manifest: Partial<RunManifest> = {},
  cell: Partial<MadeCell> = {},
) {
  const analysis = analyseRun(
    twoAgentRun([{ cell: "made", togetherTokS: [56], record: () => ({ parameters }), ...cell }], {
      scenario: "made",
      command: ["bench", "team.yaml", "--runs", "5"],
      endpoints: [
        madeEndpoint("a", { url: "http://localhost:11434" }),
        madeEndpoint("b", { url: "http://localhost:8080/a b", simulated: false }),
      ],
      ...manifest,
    }),
  );
  return readyCommand(defined(analysis.cells[0], "a cell"), analysis.manifest);
}

const ENDPOINTS = "--endpoint a=http://localhost:11434 --endpoint 'b=http://localhost:8080/a b'";

describe("the command that runs a cell again", () => {
  it("sets the agents as the cell did, by the names that people know", () => {
    expect(
      commandOf({ "agents.insight.options.numGpu": 80, "agents.*.options.numCtx": 512, agents: 2 }),
    ).toEqual({
      text: `slipway bench team.yaml --agents 2 ${ENDPOINTS} --agent insight:num_gpu=80,num_ctx=512 --agent collector:num_ctx=512`,
      left: [],
    });
  });

  it("goes by the shipped scenario that a cell belongs to", () => {
    expect(commandOf({}, {}, { scenario: "chimera_homo" }).text).toBe(
      `slipway bench chimera_homo ${ENDPOINTS}`,
    );
  });

  it("names what no flag sets, and no endpoint that was only simulated", () => {
    const simulated = [madeEndpoint("a", { simulated: true }), madeEndpoint("b", { simulated: true })];
    expect(commandOf({ "agents.insight.corpusCharacters": 99 }, { endpoints: simulated })).toEqual({
      text: "slipway bench team.yaml",
      left: ["agents.insight.corpusCharacters=99"],
    });
  });

  it("is the whole file where the file holds several cells, with which of them to keep", () => {
    const agent = { name: "one", program: "collector", endpoint: "a" };
    const spec = {
      name: "made",
      endpoints: { a: { url: "http://localhost:11434" } },
      agents: [agent],
      matrix: { "agents.*.options.numCtx": [512, 1024] },
    };
    expect(commandOf({ "agents.*.options.numCtx": 512 }, { spec })).toEqual({
      text: "slipway bench team.yaml",
      left: ["of its cells only made"],
    });
  });
});

it("repeats a run with other --runs and nothing else", () => {
  const manifest = analyseRun(
    twoAgentRun([{ cell: "made", togetherTokS: [56] }], {
      command: ["bench", "team.yaml", "--runs", "3", "--seed", "7"],
    }),
  ).manifest;
  expect(repeatCommand(manifest, 12).text).toBe("slipway bench team.yaml --seed 7 --runs 12");
});
