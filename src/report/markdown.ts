/** `report.md`: the whole of the model, in the order a reader asks. */
import type { CellView, ReportModel } from "./model.ts";
import type { TextTable } from "./tables.ts";
import {
  agentTable,
  cellTable,
  clippedLegend,
  contentionSentence,
  engineTable,
  figureTable,
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
    MEANINGS,
  ];
  return `${blocks.join("\n\n")}\n`;
}

/** What stands under every table, so that the file can be read without any other. */
const MEANINGS = [
  "- *kept*: an agent's throughput together ÷ alone. *ideal: shared*, *ideal: in turn*: what the same requests keep on a device that divides itself evenly, and on one that serves them one at a time; less than that is overhead, more is batching.",
  "- *true speedup*: how long the work takes one agent after the other, alone, ÷ how long it took together. *balance index*: Σ of the agents' own times together ÷ wall, the formula published as speedup.",
  "- TTFT and latency in the agents' tables are means over trials of each trial's median. A percentile over requests is given only where two of n requests lie beyond it with 99 % confidence.",
  "- Intervals are Student's t over trials.",
].join("\n");

function cellBlocks(cell: CellView, several: boolean): readonly string[] {
  return [
    several ? `## ${escape(cell.label)}` : "## Agents",
    markdownTable(agentTable(cell.agents, true)),
    ...(cell.figures.length === 0 ? [] : [markdownTable(figureTable(cell.figures))]),
    ...clippedLegend(cell.figures).map(escape),
    escape(contentionSentence(cell)),
    markdownTable(percentileTable(cell.agents)),
    ...titled("Where each agent's time went, means over together trials:", timeTable(cell.agents)),
    ...titled("A request as the engine reports it, means over together trials:", engineTable(cell.agents)),
  ];
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

/** Names come from scenario files: a bar would end a cell, and markup would be read as such. */
function escape(text: string): string {
  return text.replace(/[\\|*_`<>[\]]/g, (character) => `\\${character}`);
}
