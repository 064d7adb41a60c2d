/** One run as sections, in the order a reader asks: mind this, compare, scale, wait, watch, trace. */
import type { CellAnalysis } from "../../analysis/cell.ts";
import type { RunViews } from "../../analysis/run-views.ts";
import { formatDurationMs, formatNumber } from "../../core/units.ts";
import { insightSection } from "../insight/insight-section.ts";
import { MEANINGS } from "../meanings.ts";
import type { CellView, ReportModel } from "../model.ts";
import { textTable } from "../plots/plot.ts";
import { absentTelemetry, telemetryPlots } from "../plots/telemetry.ts";
import { throughputPlot } from "../plots/throughput.ts";
import { recommendSection } from "../recommend/recommend-section.ts";
import { rolesSection } from "../section/roles.ts";
import type { Section } from "../section/section.ts";
import type { TextTable } from "../tables.ts";
import {
  agentTable,
  cellTable,
  contentionSentence,
  engineTable,
  figureTable,
  percentileLegend,
  percentileTable,
  timeTable,
} from "../tables.ts";
import type { Frame, PageSection } from "./blocks.ts";
import { figureMarkup, tableMarkup } from "./blocks.ts";
import type { Markup } from "./markup.ts";
import { html } from "./markup.ts";
import { cellTimeline, latencyPlots, matrixPlots, shownCells, speedupPlots } from "./run-plots.ts";
import { scalingBody } from "./scaling-body.ts";
import { sectionBody } from "./section-body.ts";

interface RunContent {
  readonly model: ReportModel;
  readonly views: RunViews;
  /** Sections that were asked for beside the run's own. */
  readonly asked: readonly Section[];
}

/** Empty sections are left out, so that a short run has a short page. */
export function runSections({ model, views, asked }: RunContent, frame: Frame): readonly PageSection[] {
  const sections: readonly PageSection[] = [
    { id: "mind", title: "What to mind", body: mindBody(model, views) },
    {
      id: "summary",
      title: "Summary",
      body: model.imported ? [] : sectionBody(insightSection(views.insight), frame),
    },
    {
      id: "recommend",
      title: "What to use",
      body: model.imported ? [] : sectionBody(recommendSection(views.recommendations), frame),
    },
    ...asked.map((section, index) => ({
      id: `${section.id}-${index}`,
      title: section.title,
      body: sectionBody(section, frame),
    })),
    { id: "configurations", title: "Configurations", body: configurationsBody(model) },
    { id: "agents", title: "Agents", body: agentsBody(model, views, frame) },
    { id: "roles", title: "Roles", body: rolesBody(model, frame) },
    { id: "speedup", title: "Speedup and efficiency", link: "Speedup", body: speedupBody(views, frame) },
    { id: "scaling", title: "Scaling", body: scalingBody(model, views, frame) },
    { id: "matrix", title: "Settings", body: matrixBody(views, frame) },
    { id: "waiting", title: "Waiting for tokens", link: "Waiting", body: waitingBody(views, frame) },
    {
      id: "timeline",
      title: "One trial, moment by moment",
      link: "One trial",
      body: timelineBody(views, frame),
    },
    { id: "hardware", title: "Hardware", body: hardwareBody(views, frame) },
    { id: "details", title: "Every trial", body: detailsBody(model, views) },
    { id: "method", title: "How it was measured", link: "Method", body: methodBody(model) },
  ];
  return sections.filter((section) => section.body.length > 0);
}

function mindBody({ warnings }: ReportModel, views: RunViews): readonly Markup[] {
  const notices = views.notices.filter(isUntold);
  if (warnings.length + notices.length === 0) return [];
  return [
    html`<ul class="warnings">
${warnings.map(
  ({ code, message, remedy }) =>
    html`<li><code>${code}</code>: ${message}. <strong>Remedy:</strong> ${remedy}.</li>\n`,
)}${notices.map(({ file, message }) => html`<li><code>${file}</code>: ${message}.</li>\n`)}</ul>`,
  ];
}

/** Lines that cannot be true are among the warnings. */
export function isUntold({ kind }: RunViews["notices"][number]): boolean {
  return kind !== "impossible-line";
}

function configurationsBody(model: ReportModel): readonly Markup[] {
  if (model.cells.length < 2) return [];
  return [
    tableMarkup(cellTable(model.cells), "Means over the together trials of each configuration"),
    ...overallBlock(model),
    ...model.repeats.map((sentence) => html`<p>${sentence}</p>`),
  ];
}

/** Where cells may not be averaged, the label says why and there is no table. */
function overallBlock({ overall, overallLabel = "" }: ReportModel): readonly Markup[] {
  if (overall.length > 0) return [tableMarkup(figureTable(overall), overallLabel)];
  return overallLabel === "" ? [] : [html`<p>${overallLabel}.</p>`];
}

function agentsBody(model: ReportModel, { analysis }: RunViews, frame: Frame): readonly Markup[] {
  const [only, ...others] = model.cells;
  const plot = throughputPlot(analysis.cells);
  return [
    ...(plot === undefined ? [] : [grid([figureMarkup(plot, "throughput", frame)])]),
    ...(only === undefined || others.length > 0
      ? []
      : [
          tableMarkup(agentTable(only.agents, true), "Agents, means over trials"),
          tableMarkup(figureTable(only.figures), "All agents together, beside what ideal devices would show"),
          html`<p>${contentionSentence(only)}</p>`,
        ]),
  ];
}

function rolesBody({ roles }: ReportModel, frame: Frame): readonly Markup[] {
  const section = rolesSection(roles, false);
  return section === undefined ? [] : sectionBody(section, frame);
}

function speedupBody({ analysis }: RunViews, frame: Frame): readonly Markup[] {
  const plots = speedupPlots(analysis.cells);
  if (plots.length === 0) return [];
  return [
    html`<p>True speedup is how long the work takes one agent after the other, alone, ÷ how long it took together. The balance index is the formula that is elsewhere published as speedup; it says how evenly the agents finished.</p>`,
    grid(plots.map((plot, index) => figureMarkup(plot, `speedup-${index}`, frame))),
  ];
}

function matrixBody({ analysis }: RunViews, frame: Frame): readonly Markup[] {
  const plots = matrixPlots(analysis);
  return plots.length === 0
    ? []
    : [grid(plots.map((plot, index) => figureMarkup(plot, `matrix-${index}`, frame)))];
}

function waitingBody(views: RunViews, frame: Frame): readonly Markup[] {
  const { cells, choice } = shownCells(views.analysis.cells);
  const figures = cells.flatMap((cell, place) =>
    latencyPlots(cell, views).map((plot, index) =>
      figureMarkup(plot, `waiting-${place}-${index}`, frame, contextOf(cell, views)),
    ),
  );
  return figures.length === 0 ? [] : [...chosen(choice), grid(figures)];
}

function timelineBody(views: RunViews, frame: Frame): readonly Markup[] {
  const { cells, choice } = shownCells(views.analysis.cells);
  const figures = cells.flatMap((cell, place) => {
    const plot = cellTimeline(cell, views);
    return plot === undefined ? [] : [figureMarkup(plot, `timeline-${place}`, frame, contextOf(cell, views))];
  });
  return figures.length === 0 ? [] : [...chosen(choice), grid(figures)];
}

function contextOf(cell: CellAnalysis, { analysis }: RunViews): string | undefined {
  return analysis.cells.length > 1 ? cell.label : undefined;
}

function chosen(choice: string | undefined): readonly Markup[] {
  return choice === undefined ? [] : [html`<p>${choice}</p>`];
}

function hardwareBody({ telemetry }: RunViews, frame: Frame): readonly Markup[] {
  const absent = absentTelemetry(telemetry);
  const plots = telemetryPlots(telemetry);
  return [
    ...(absent === undefined ? [] : [html`<p>${absent}</p>`]),
    ...(plots.length === 0
      ? []
      : [grid(plots.map((plot, index) => figureMarkup(plot, `hardware-${index}`, frame)))]),
  ];
}

function grid(figures: readonly Markup[]): Markup {
  return html`<div class="grid">
${figures}</div>`;
}

/** Of the two million bytes that a report may have: tables are the part that grows with the matrix. */
const MOST_DETAIL_CHARACTERS = 900_000;

function detailsBody(model: ReportModel, { analysis }: RunViews): readonly Markup[] {
  const blocks: Markup[] = [];
  let characters = 0;
  for (const [index, cell] of analysis.cells.entries()) {
    const view = model.cells[index];
    if (view === undefined) continue;
    const block = cellDetails(cell, view);
    characters += block.text.length;
    if (characters > MOST_DETAIL_CHARACTERS && blocks.length > 0) {
      const rest = analysis.cells.length - blocks.length;
      return [
        ...blocks,
        html`<p>The details of ${rest} more configurations are in report.md and analysis.json.</p>`,
      ];
    }
    blocks.push(block);
  }
  return blocks;
}

function cellDetails(cell: CellAnalysis, view: CellView): Markup {
  return html`<details class="cell"><summary>${cell.label}</summary>
<p class="quiet">cell ${cell.hash}</p>
${tableMarkup(trialTable(cell), "Together trials, by their id in trials.jsonl")}
${tableMarkup(agentTable(view.agents, true), "Agents, means over trials")}
${tableMarkup(figureTable(view.figures), "All agents together")}
<p class="quiet">${contentionSentence(view)}</p>
${tableMarkup(percentileTable(view.agents, true), "Over requests, where n carries the percentile")}
${percentileLegend(view.agents).map((line) => html`<p class="quiet">${line}</p>\n`)}${optionalTable(timeTable(view.agents), "Where each agent's time went, means over trials")}
${optionalTable(engineTable(view.agents), "A request as the engine reports it, means over trials")}</details>
`;
}

function optionalTable(table: TextTable | undefined, caption: string): Markup | undefined {
  return table === undefined ? undefined : tableMarkup(table, caption);
}

function trialTable(cell: CellAnalysis): TextTable {
  return textTable(
    ["trial", "repeat", "true speedup", "balance index", "gain", "tok/s", "length", "failed requests"],
    cell.blocks.map((block) => [
      block.trialId,
      String(block.repeat + 1),
      formatNumber(block.true?.speedup, 2),
      formatNumber(block.nominal?.speedup, 2),
      formatNumber(block.aggregateGain, 2),
      formatNumber(block.figures.whole.tokS),
      formatDurationMs(block.figures.wallMs),
      String(block.failures),
    ]),
  );
}

function methodBody(model: ReportModel): readonly Markup[] {
  return [
    tableMarkup(
      textTable(
        ["fact", "value"],
        model.facts.map((fact) => [fact.name, fact.value]),
        2,
      ),
      "The run, from manifest.json",
    ),
    tableMarkup(textTable(["file", "what of this page is in it"], FILES, 2), filesCaption(model)),
    html`<ul class="meanings">${MEANINGS.map(({ term, meaning }) => html`<li><em>${term}</em>: ${meaning}</li>\n`)}</ul>`,
  ];
}

function filesCaption({ runDirectory }: ReportModel): string {
  return runDirectory === undefined
    ? "Where the numbers come from"
    : `Where the numbers come from, in ${runDirectory}`;
}

const FILES: readonly (readonly string[])[] = [
  ["manifest.json", "what was asked, the machine, the endpoints and their settings as read back"],
  ["trials.jsonl", "one line a trial, by trial id: agents, times, warnings"],
  ["requests.jsonl", "one line a request, by request id (trial/agent/position): every stamp and count"],
  ["chunks.jsonl", "when each text event of a request arrived"],
  ["telemetry.jsonl", "samples of GPU, memory and CPU"],
  ["analysis.json", "every figure of this page in full precision, and each trial's own"],
];
