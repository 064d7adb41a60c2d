import { describe, expect, it } from "vitest";
import { costOf } from "../../analysis/cost/cost.ts";
import { costFileSchema } from "../../analysis/cost/cost-file.ts";
import { readYamlFile } from "../../core/yaml.ts";
import { renderSectionMarkdown } from "../section/section-markdown.ts";
import { renderSectionText } from "../section/section-text.ts";
import { costSection } from "./cost-section.ts";

const file = readYamlFile(
  costFileSchema,
  new URL("../../../examples/costs/dual-instance-study.yaml", import.meta.url).pathname,
);
const section = costSection(costOf(file, { about: "nothing", simulated: false, figures: new Map() }));

describe("the costs of study 001", () => {
  it("stand beside the published ones in text", () => {
    expect(renderSectionText(section, 100)).toMatchSnapshot();
  });

  it("stand beside the published ones in Markdown", () => {
    expect(renderSectionMarkdown(section)).toMatchSnapshot();
  });
});
