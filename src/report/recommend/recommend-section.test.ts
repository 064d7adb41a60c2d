import { describe, expect, it } from "vitest";
import { twoAgentRun } from "../../../test/fakes/two-agent-run.ts";
import { madeEndpoint } from "../../../test/fakes/recorded-run.ts";
import { analyseRun } from "../../analysis/analyse-run.ts";
import { recommend } from "../../analysis/recommend/recommend.ts";
import { renderSectionMarkdown } from "../section/section-markdown.ts";
import { renderSectionText } from "../section/section-text.ts";
import { recommendSection } from "./recommend-section.ts";

const parameters = (numGpu: number, numCtx: number) => ({
  "agents.collector.options.numGpu": numGpu,
  "agents.*.options.numCtx": numCtx,
});

const ENDPOINTS = [
  madeEndpoint("a", { url: "http://localhost:11434", engine: "ollama", slots: 1 }),
  madeEndpoint("b", { url: "http://localhost:11435", engine: "ollama" }),
];

/** Two cells that came out the same, one clearly better, and one with both agents on one endpoint of one slot. */
const matrix = analyseRun(
  twoAgentRun(
    [
      {
        cell: "hetero num_gpu=60",
        scenario: "chimera_hetero",
        togetherTokS: [56, 57, 58, 56.5, 57.5],
        record: () => ({ effectiveHash: "same", parameters: parameters(60, 512) }),
      },
      {
        cell: "hetero num_gpu=120",
        scenario: "chimera_hetero",
        togetherTokS: [57, 57.5, 58.5, 56.5, 58],
        record: () => ({ effectiveHash: "same", parameters: parameters(120, 512) }),
      },
      {
        cell: "hetero num_ctx=2048",
        scenario: "chimera_hetero",
        togetherTokS: [71, 72, 73, 72.5, 71.5],
        record: () => ({ effectiveHash: "other", parameters: parameters(60, 2048) }),
      },
      {
        cell: "single instance",
        togetherTokS: [30, 31, 30.5, 30.2, 30.7],
        ttftMs: 3_900,
        oneEndpoint: true,
        record: () => ({ effectiveHash: "single", parameters: { "agents.*.endpoint": "a" } }),
      },
    ],
    { endpoints: ENDPOINTS, command: ["slipway", "bench", "my-matrix.yaml"], scenario: "my-matrix" },
  ),
);

const close = analyseRun(
  twoAgentRun(
    [
      { cell: "one", togetherTokS: [56, 59, 58] },
      { cell: "two", togetherTokS: [55, 58, 59.5] },
    ],
    { endpoints: ENDPOINTS, command: ["slipway", "bench", "two.yaml"], scenario: "made" },
  ),
);

const single = analyseRun(
  twoAgentRun(
    [
      { cell: "one", togetherTokS: [56] },
      { cell: "two", togetherTokS: [75] },
    ],
    { command: ["slipway", "bench", "two.yaml", "--runs", "1"] },
  ),
);

const text = (analysis: typeof matrix, columns = 100) =>
  renderSectionText(recommendSection(recommend(analysis)), columns);

describe("recommendations", () => {
  it("name the best cell per need with its numbers and the command that runs it", () => {
    expect(text(matrix)).toMatchSnapshot();
  });

  it("are no more than a tie where chance explains the difference, and say how many trials would not", () => {
    expect(text(close)).toMatchSnapshot();
  });

  it("are refused on one trial a cell, with the command that makes them possible", () => {
    expect(text(single, 80)).toMatchSnapshot();
  });

  it("do not tell to stop what they recommend: its habit is said to be its own", () => {
    // The quicker cell is the one whose two agents share one slot.
    const queued = analyseRun(
      twoAgentRun(
        [
          { cell: "quick N=8", togetherTokS: [90, 91, 92, 90.5, 91.5], oneEndpoint: true },
          { cell: "slow", togetherTokS: [30, 31, 30.5, 30.2, 30.7] },
        ],
        { endpoints: [madeEndpoint("a", { engine: "llama-server", slots: 1 })] },
      ),
    );
    const [before = "", after = ""] = text(queued, 400).split("Better than the best of these cells");
    expect(before).toContain("Overall: use quick N=8");
    expect(before.slice(before.indexOf("Stop doing"))).not.toContain("fewer slots");
    expect(after).toContain("recommended all the same, quick N=8: fewer slots than agents");
  });

  it("are Markdown", () => {
    expect(renderSectionMarkdown(recommendSection(recommend(matrix)))).toMatchSnapshot();
  });
});
