import { describe, expect, it } from "vitest";
import { twoAgentRun } from "../../../test/fakes/two-agent-run.ts";
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
