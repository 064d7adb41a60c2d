/** `report.md`: the whole of the model, in the order a reader asks. */
import { printable } from "../core/errors.ts";
import { MEANINGS } from "./meanings.ts";
import type { CellView, ReportModel } from "./model.ts";
import { scalingSection } from "./scaling/scaling-section.ts";
import { rolesSection } from "./section/roles.ts";
import { renderSectionMarkdown } from "./section/section-markdown.ts";
import type { TextTable } from "./tables.ts";
import {
  agentTable,
  cellTable,
  clippedLegend,
  contentionSentence,
  engineTable,
  figureTable,
  percentileLegend,
  percentileTable,
  SIMULATED_NOTICE,
  timeTable,
  titleOf,
} from "./tables.ts";

export function renderMarkdown(model: ReportModel): string {
  const several = model.cells.length > 1;
  const blocks = [
    `# ${escape(titleOf(model))}`,
    ...(model.simulated ? [`> **${SIMULATED_NOTICE}**`] : []),
    ...model.answer.map((sentence, index) => (index === 0 ? `**${escape(sentence)}**` : escape(sentence))),
    ...(several ? ["## Cells", markdownTable(cellTable(model.cells)), ...overall(model)] : []),
    ...roles(model),
    ...scaling(model),
    ...model.repeats.map(escape),
    ...warnings(model),
    ...model.cells.flatMap((cell) => cellBlocks(cell, several)),
    "## How it was measured",
    markdownTable({
      columns: [
        { heading: ["fact"], align: "left" },
        { heading: ["value"], align: "left" },
      ],
      rows: model.facts.map((fact) => [fact.name, fact.value]),
    }),
    MEANINGS.map(({ term, meaning }) => `- *${term}*: ${meaning}`).join("\n"),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function cellBlocks(cell: CellView, several: boolean): readonly string[] {
  return [
    several ? `## ${escape(cell.label)}` : "## Agents",
    markdownTable(agentTable(cell.agents, true)),
    ...(cell.figures.length === 0 ? [] : [markdownTable(figureTable(cell.figures))]),
    ...clippedLegend(cell.figures).map(escape),
    escape(contentionSentence(cell)),
    markdownTable(percentileTable(cell.agents, true)),
    ...percentileLegend(cell.agents).map(escape),
    ...titled("Where each agent's time went, means over together trials:", timeTable(cell.agents)),
    ...titled("A request as the engine reports it, means over together trials:", engineTable(cell.agents)),
  ];
}

function roles(model: ReportModel): readonly string[] {
  const section = rolesSection(model.roles, false);
  return section === undefined ? [] : [renderSectionMarkdown(section).trimEnd()];
}

function scaling(model: ReportModel): readonly string[] {
  const section = scalingSection(model.scaling, false);
  return section === undefined ? [] : [renderSectionMarkdown(section).trimEnd()];
}

function overall(model: ReportModel): readonly string[] {
  const label = escape(model.overallLabel ?? "");
  return model.overall.length === 0
    ? [`${label}.`]
    : [`## ${label}`, markdownTable(figureTable(model.overall)), ...clippedLegend(model.overall).map(escape)];
}

function titled(title: string, table: TextTable | undefined): readonly string[] {
  return table === undefined ? [] : [title, markdownTable(table)];
}

function warnings(model: ReportModel): readonly string[] {
  if (model.warnings.length === 0) return [];
  const items = model.warnings.map(
    (warning) => `- **${warning.code}**: ${escape(warning.message)}. *Remedy*: ${escape(warning.remedy)}`,
  );
  return ["## Warnings", items.join("\n")];
}

function markdownTable(table: TextTable): string {
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => escape(cell.trim())).join(" | ")} |`;
  return [
    row(table.columns.map((column) => column.heading.join(" "))),
    `|${table.columns.map((column) => (column.align === "right" ? "---:" : "---")).join("|")}|`,
    ...table.rows.map(row),
  ].join("\n");
}

/** Names come from scenario files: a bar or a line break would end a cell, and markup would be read as such. */
function escape(text: string): string {
  return printable(text).replace(/[\\|*_`<>[\]]/g, (character) => `\\${character}`);
}
