/** What is written of a run, the same after its bench as when it is worked out again. */
import type { RunViews } from "../../analysis/run-views.ts";
import { insightSection } from "../../report/insight/insight-section.ts";
import { renderMarkdown } from "../../report/markdown.ts";
import type { ReportModel } from "../../report/model.ts";
import { recommendSection } from "../../report/recommend/recommend-section.ts";
import { renderSectionMarkdown } from "../../report/section/section-markdown.ts";
import type { Section } from "../../report/section/section.ts";
import type { ReportDocument } from "../../store/report-documents.ts";

/** `analysis.json` and `report.md`; `asked`: sections beside the run's own. */
export function runDocuments(
  model: ReportModel,
  { analysis, insight, recommendations }: RunViews,
  asked: readonly Section[] = [],
): readonly ReportDocument[] {
  const document = { ...analysis, insight, scaling: model.scaling, recommendations };
  // Both are about trials, and an imported run has none.
  const own = model.imported ? [] : [insightSection(insight), recommendSection(recommendations)];
  const parts = [renderMarkdown(model), ...[...own, ...asked].map(renderSectionMarkdown)];
  return [
    { name: "analysis.json", text: `${JSON.stringify(document, undefined, 2)}\n` },
    { name: "report.md", text: parts.join("\n") },
  ];
}
