import { describe, expect, it } from "vitest";
import { madeRun } from "../../../test/fakes/recorded-run.ts";
import { twoAgentRun } from "../../../test/fakes/two-agent-run.ts";
import { block } from "../../../test/fakes/viewed-run.ts";
import { analyseRun } from "../../analysis/analyse-run.ts";
import { costOf } from "../../analysis/cost/cost.ts";
import { costFileSchema } from "../../analysis/cost/cost-file.ts";
import { judgeServiceLevels } from "../../analysis/service-level/service-level.ts";
import { serviceLevelFileSchema } from "../../analysis/service-level/service-level-file.ts";
import { runFigures } from "../../analysis/verdict/run-figures.ts";
import { readYamlFile } from "../../core/yaml.ts";
import { renderSectionMarkdown } from "../section/section-markdown.ts";
import { renderSectionText } from "../section/section-text.ts";
import { serviceLevelSection } from "./service-level-section.ts";

const example = (path: string): string => new URL(`../../../examples/${path}`, import.meta.url).pathname;

const analysis = analyseRun(
  twoAgentRun([
    { cell: "chimera_homo num_gpu=80", togetherTokS: [56, 57, 58, 56.5, 57.5] },
    { cell: "chimera_homo num_gpu=60", togetherTokS: [55, 56, 57, 58, 56] },
  ]),
);
const costs = costOf(
  readYamlFile(costFileSchema, example("costs/dual-instance-study.yaml")),
  runFigures(analysis),
);
const levels = readYamlFile(serviceLevelFileSchema, example("service-levels/dual-instance-study.yaml"));
const section = serviceLevelSection(judgeServiceLevels(levels, analysis, costs));

describe("the service levels of study 001 on a run", () => {
  it("print the balance index under its own name with true speedup beside it", () => {
    expect(renderSectionText(section, 120)).toMatchSnapshot();
  });

  it("are Markdown", () => {
    expect(renderSectionMarkdown(section)).toMatchSnapshot();
  });
});

it("shows each level for the configuration that came out worst, where they may not be averaged", () => {
  const ladder = analyseRun(
    madeRun(
      [0, 1, 2, 3, 4].flatMap((repeat) => [
        ...block({ repeat, cell: "quick N=1", names: ["a"], togetherTokS: 110 + repeat }),
        ...block({ repeat, cell: "quick N=2", names: ["a", "b"], togetherTokS: 60 + repeat }),
      ]),
    ),
  );
  const file = serviceLevelFileSchema.parse({
    version: 1,
    title: "a ladder",
    targets: [
      { metric: "agentTokS", above: 80 },
      { metric: "aggregateTokS", above: 20 },
      { metric: "errorPct", atMost: 25 },
      { metric: "timeoutPct", atMost: 25 },
      { metric: "costPerThousand", option: "rust", below: 1 },
    ],
  });
  const judgedLadder = judgeServiceLevels(file, ladder, costs);
  expect(judgedLadder.levels.map(({ cell }) => cell)).toEqual([
    "quick N=2",
    expect.stringMatching(/^quick N=/) as string,
    undefined,
    undefined,
    undefined,
  ]);
  expect(renderSectionText(serviceLevelSection(judgedLadder), 120)).toMatchSnapshot();
});
