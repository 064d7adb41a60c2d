import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { hypothesisFileSchema } from "../../analysis/verdict/hypothesis-file.ts";
import { judge } from "../../analysis/verdict/judge.ts";
import { studyFigures } from "../../analysis/verdict/study-figures.ts";
import { readYamlFile } from "../../core/yaml.ts";
import { renderSectionMarkdown } from "../section/section-markdown.ts";
import { renderSectionText } from "../section/section-text.ts";
import type { Section } from "../section/section.ts";
import { verdictSection } from "./verdict-section.ts";

const inRepository = (path: string): string => new URL(`../../../${path}`, import.meta.url).pathname;

function sectionOf(study: string): Section {
  const file = readYamlFile(hypothesisFileSchema, inRepository(`examples/hypotheses/${study}.yaml`));
  const shipped = JSON.parse(readFileSync(inRepository(`studies/${study}.json`), "utf8")) as {
    inputs: unknown;
  };
  return verdictSection(judge(file, studyFigures(study, shipped.inputs)));
}

describe("the verdicts of a study", () => {
  it("print three verdicts for each of study 002's hypotheses, claims and attributed parts", () => {
    expect(renderSectionText(sectionOf("kernel-profiling"), 120)).toMatchSnapshot();
  });

  it("print three verdicts for each of study 000's hypotheses, within 80 columns", () => {
    expect(renderSectionText(sectionOf("concurrent-agents"), 80)).toMatchSnapshot();
  });

  it("are Markdown", () => {
    expect(renderSectionMarkdown(sectionOf("concurrent-agents"))).toMatchSnapshot();
  });
});
