/** What `slipway bench` prints at its end: the answer, the agents, the figures beside their nulls, what to mind, what to do next. */
import Table from "cli-table3";
import stringWidth from "string-width";
import type { AgentView, CellView, FigureView, ReportModel } from "./model.ts";
import type { Paint } from "./paint.ts";
import { paint } from "./paint.ts";
import { scalingSection } from "./scaling/scaling-section.ts";
import { rolesSection } from "./section/roles.ts";
import { renderSectionText } from "./section/section-text.ts";
import type { TextTable } from "./tables.ts";
import {
  agentTable,
  cellTable,
  clippedLegend,
  contentionSentence,
  figureTable,
  hasPercentiles,
  percentileLegend,
  percentileTable,
  SIMULATED_NOTICE,
  titleOf,
} from "./tables.ts";

export interface TerminalOptions {
  readonly columns: number;
  readonly color: boolean;
}

/** From here on the columns with intervals and endpoints fit. */
const WIDE_COLUMNS = 110;
/** Below this a table cannot hold its numbers; a narrower terminal wraps. */
const NARROWEST_COLUMNS = 60;
/** A screen of agents; report.md has all of them. */
const MOST_AGENTS_SHOWN = 16;
const MOST_CELLS_SHOWN = 40;

export function renderTerminal(model: ReportModel, options: TerminalOptions): string {
  const columns = Math.max(options.columns, NARROWEST_COLUMNS);
  const style = paint(options.color);
  const wide = columns >= WIDE_COLUMNS;
  const [only, ...others] = model.cells;
  const body =
    only === undefined
      ? []
      : others.length === 0
        ? cellBlocks(only, { columns, style, wide })
        : matrixBlocks(model, { columns, style, wide });
  const blocks = [
    ...(model.simulated ? [style.bold(style.warn(wrap(SIMULATED_NOTICE, columns)))] : []),
    style.bold(wrap(model.answer[0] ?? "", columns)),
    ...model.answer.slice(1).map((sentence) => wrap(sentence, columns)),
    ...body,
    ...rolesBlock(model, columns),
    ...scalingBlock(model, columns),
    ...model.repeats.map((sentence) => wrap(sentence, columns)),
    ...warningBlock(model, { columns, style, wide }),
    footer(model, style),
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

/** The label SIMULATED already stands above everything. */
function scalingBlock({ scaling }: ReportModel, columns: number): readonly string[] {
  const section = scalingSection(scaling, false);
  return section === undefined ? [] : [renderSectionText(section, columns).trimEnd()];
}

function rolesBlock({ roles }: ReportModel, columns: number): readonly string[] {
  const section = rolesSection(roles, false);
  return section === undefined ? [] : [renderSectionText(section, columns).trimEnd()];
}

const IDEAL_LEGEND =
  "ideal: what the same requests keep of their solo speed on a device that divides itself evenly (shared) or serves them one at a time (in turn). Less is overhead, more is batching.";

interface Layout {
  readonly columns: number;
  readonly style: Paint;
  readonly wide: boolean;
}

function cellBlocks(cell: CellView, layout: Layout): readonly string[] {
  const shown = cell.agents.slice(0, MOST_AGENTS_SHOWN);
  return [
    withRest(
      layoutTable(agentTable(shown, layout.wide), layout),
      cell.agents.length - shown.length,
      "agents",
    ),
    ...(shown.some((agent) => agent.idealShared !== undefined)
      ? [layout.style.dim(wrap(IDEAL_LEGEND, layout.columns))]
      : []),
    ...(hasPercentiles(cell) ? [percentileBlock(shown, layout)] : []),
    figureBlock(cell.figures, layout),
    wrap(contentionSentence(cell), layout.columns),
  ];
}

function percentileBlock(shown: readonly AgentView[], layout: Layout): string {
  const table = layoutTable(percentileTable(shown, layout.wide, ["TTFT", "latency"]), layout);
  const legend = layout.wide ? percentileLegend(shown).map((line) => layout.style.dim(line)) : [];
  return [table, ...legend].join("\n");
}

function matrixBlocks(model: ReportModel, layout: Layout): readonly string[] {
  const shown = model.cells.slice(0, MOST_CELLS_SHOWN);
  return [
    withRest(layoutTable(cellTable(shown), layout), model.cells.length - shown.length, "cells"),
    ...(model.overallLabel === undefined ? [] : [overallBlock(model.overallLabel, model, layout)]),
  ];
}

function overallBlock(label: string, { overall }: ReportModel, layout: Layout): string {
  if (overall.length === 0) return layout.style.dim(`${label}.`);
  return `${layout.style.bold(label)}\n${figureBlock(overall, layout)}`;
}

function figureBlock(figures: readonly FigureView[], layout: Layout): string {
  if (figures.length === 0) return "";
  const legend = clippedLegend(figures).map((line) => layout.style.dim(wrap(line, layout.columns)));
  return [layoutTable(figureTable(figures), layout), ...legend].join("\n");
}

function withRest(table: string, hidden: number, noun: string): string {
  return hidden > 0 ? `${table}\n… and ${hidden} more ${noun} in report.md` : table;
}

const GAP = "  ";
/** A name is cut or wrapped before a number is, and not below this. */
const NARROWEST_NAME = 12;

/** No rules, two spaces between columns: at 80 characters every one is needed for numbers. */
function layoutTable(table: TextTable, { columns, style }: Layout): string {
  const lines = new Table({
    chars: { ...NO_RULES, middle: GAP },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
    colAligns: table.columns.map((column) => column.align),
    colWidths: [nameWidth(table, columns)],
    wordWrap: true,
  });
  const headingLines = Math.max(...table.columns.map((column) => column.heading.length));
  for (let line = 0; line < headingLines; line++)
    lines.push(
      table.columns.map(({ heading }) => style.dim(heading[line - headingLines + heading.length] ?? "")),
    );
  for (const row of table.rows) lines.push([...row]);
  return lines
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

const NO_RULES = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
} as const;

/** The first column gets what the others leave of the line, and no more than it needs. */
function nameWidth(table: TextTable, columns: number): number {
  const widths = table.columns.map(({ heading }, index) =>
    Math.max(...[...heading, ...table.rows.map((row) => row[index] ?? "")].map((text) => stringWidth(text))),
  );
  const [names = 0, ...others] = widths;
  const left = others.reduce((rest, width) => rest - width - GAP.length, columns);
  return Math.min(names, Math.max(left, NARROWEST_NAME));
}

function warningBlock(model: ReportModel, { columns, style }: Layout): readonly string[] {
  if (model.warnings.length === 0) return [];
  const lines = model.warnings.flatMap((warning) => [
    `${style.warn("!")} ${wrap(`${warning.code}: ${warning.message}.`, columns - 2, "  ")}`,
    `  ${wrap(`→ ${warning.remedy}`, columns - 2, "    ")}`,
  ]);
  return [lines.join("\n")];
}

/** Paths and commands are never wrapped: they are there to be copied. */
function footer(model: ReportModel, style: Paint): string {
  return [
    style.dim(titleOf(model)),
    ...(model.runDirectory === undefined ? [] : [`run directory: ${model.runDirectory}`]),
    `next: ${model.nextStep}`,
  ].join("\n");
}

/** Breaks at spaces, except between a number and its unit; a word longer than a line stays whole. */
function wrap(text: string, columns: number, indent = ""): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/ (?!(?:%|ms|tok\/s)(?:\W|$))/)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && stringWidth(longer) > columns) {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = longer;
  }
  return [...lines, line].join("\n");
}
