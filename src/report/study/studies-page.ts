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
    PLANNED_AGAIN,
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

/** Figures of a command, not of a study file; its snapshot test holds them. */
const PLANNED_AGAIN = `## The linear program of swarm-router, planned again

That the memory rule was broken by the program itself can be seen at the study's depth of 1, with its models, budget and
weights, and with priors and prices of ours, since it prints none:

\`\`\`sh
slipway route plan examples/route-jobs/swarm-router.yaml --models examples/route-models/swarm-router.yaml \\
  --compare exact,lp --horizon-depth 1
\`\`\`

| planner | utility per job | peak | jobs over 8 GB by peak | by the sum of distinct models |
|---|--:|--:|--:|--:|
| lp, as published | 1.435 | 12,800 MiB | 1 of 3 | 2 of 3 |
| exact, residency whole | 1.394 | 8,192 MiB | 0 of 3 | 2 of 3 |

The 1.435 cannot be had: in wb1 it rests on a model of 12.5 GB. By the sum of distinct models, which the study printed,
both seem to violate twice; exact never has more loaded than fits. More in [route](route.md#study-004-again).`;

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
