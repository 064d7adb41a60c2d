/** docs/studies.md: all studies, generated from the same data that `slipway report --study` prints. */
import type { StudyCheck } from "../../analysis/studies/check-study.ts";
import { renderSectionMarkdown } from "../section/section-markdown.ts";
import { studySection } from "./study-section.ts";

export function renderStudyMarkdown(check: StudyCheck): string {
  return `# ${check.source}, checked\n\n${renderSectionMarkdown(studySection(check, "both"))}`;
}

export function renderStudiesPage(checks: readonly StudyCheck[]): string {
  return [
    "# The five studies, checked",
    INTRODUCTION,
    overview(checks),
    ...checks.map((check) => renderSectionMarkdown(studySection(check, "both")).trimEnd()),
  ]
    .join("\n\n")
    .concat("\n");
}

const INTRODUCTION = `Slipway grew from five published studies. This page holds each of them against itself: every figure that can be
worked out from the inputs a study prints is worked out again, and stands beside the printed one. Where a method is
flawed, the published and the corrected figure stand side by side.

The figures ship in \`studies/\` as data, and \`slipway report --study kernel-profiling\` renders one of them. This page is
generated from the same data by \`scripts/write-studies-page.mjs\`; do not edit it by hand.

Each study begins with the answer. Then come tables that set a published figure beside what it should be read against;
the figures that do not follow, with the reason; statements, each with what the study says (in our words, and where it
says it) and, after the arrow, what its own numbers show; and at last its tables, printed and worked out. Words such as
TTFT, balance index and noise floor are in the [glossary](glossary.md).

How a figure is judged: its own printed digits are the tolerance. Inputs are printed rounded as well, so a figure that
misses by no more than their rounding allows is marked ≈ and not counted as wrong. Where inputs bound a figure without
fixing it, as where no single run is printed, it is marked ∈ when it lies within. Everything else, marked ≠, does not
follow from the study's own numbers.`;

function overview(checks: readonly StudyCheck[]): string {
  const rows = checks.map(({ name, source, counts, findings }) => {
    const cells = [
      `[${name}](#study-${name})`,
      source,
      counts.reproduced,
      counts["within-rounding"],
      counts.possible,
      counts.differs,
      findings.length,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| study | source | reproduce | ≈ | ∈ | do not follow | statements in doubt |",
    "|---|---|--:|--:|--:|--:|--:|",
    ...rows,
  ].join("\n");
}
