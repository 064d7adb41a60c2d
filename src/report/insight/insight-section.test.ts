import { describe, expect, it } from "vitest";
import type { MadeCell } from "../../../test/fakes/two-agent-run.ts";
import { twoAgentRun } from "../../../test/fakes/two-agent-run.ts";
import { analyseRun } from "../../analysis/analyse-run.ts";
import { runInsight } from "../../analysis/insight/run-insight.ts";
import { renderSectionMarkdown } from "../section/section-markdown.ts";
import { renderSectionText } from "../section/section-text.ts";
import { insightSection } from "./insight-section.ts";

const steadyCell = (cell: string, scenario: string, tokS: number): MadeCell => ({
  cell,
  scenario,
  togetherTokS: [tokS, tokS + 0.5, tokS + 1, tokS + 0.2, tokS + 0.7],
});

const run = twoAgentRun([
  steadyCell("hetero num_gpu=60", "chimera_hetero", 56),
  steadyCell("hetero num_gpu=120", "chimera_hetero", 58),
  {
    ...steadyCell("homo num_ctx=512", "chimera_homo", 54),
    // The third repeat's first requests load the model for two seconds.
    request: (repeat, position) =>
      repeat === 2 && position === 0 ? { ttftMs: 2_150, record: { split: { loadMs: 2_000 } } } : {},
  },
]);
const section = insightSection(runInsight(analyseRun(run), { trials: run.trials }));

describe("the summary of a matrix", () => {
  it("tells distribution, consistency, ranks, contention and what caused the outlier", () => {
    expect(renderSectionText(section, 120)).toMatchSnapshot();
  });

  it("is Markdown", () => {
    expect(renderSectionMarkdown(section)).toMatchSnapshot();
  });
});
