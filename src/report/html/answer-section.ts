/** The first screen: what was run, on what, what came out, how sure, and what to do. */
import { formatNumber } from "../../core/units.ts";
import type { RunViews } from "../../analysis/run-views.ts";
import type { Description } from "../../stats/describe.ts";
import type { CellView, FigureView, Measured, ReportModel } from "../model.ts";
import { recommendSection } from "../recommend/recommend-section.ts";
import { figureTable } from "../tables.ts";
import type { Frame } from "./blocks.ts";
import { commandMarkup, simulatedTag } from "./blocks.ts";
import type { Markup } from "./markup.ts";
import { html } from "./markup.ts";
import { isUntold } from "./run-sections.ts";

export function answerMarkup(model: ReportModel, views: RunViews, frame: Frame): Markup {
  const [lead = "", ...more] = model.answer;
  const titleId = `${frame.prefix}-title`;
  const title = html`${model.scenario}${simulatedTag(model.simulated)}`;
  const heading =
    frame.level === 2 ? html`<h1 id="${titleId}">${title}</h1>` : html`<h2 id="${titleId}">${title}</h2>`;
  return html`<div class="answer">
${heading}
<p class="quiet">${model.runId}</p>
<p class="lead">${lead}</p>
${tilesMarkup(tilesOf(model, views))}
<dl class="brief">
<dt>What was run</dt><dd>${ranMarkup(model, views)}</dd>
<dt>On what</dt><dd>${placeMarkup(model)}</dd>
<dt>What came out</dt><dd>${(more.length === 0 ? [lead] : more).map((sentence) => html`<p>${sentence}</p>`)}</dd>
<dt>How sure</dt><dd>${sureSentences(model, views).map((sentence) => html`<p>${sentence}</p>`)}</dd>
<dt>What to do</dt><dd>${recommended(model, views)}${commandMarkup(model.nextStep)}</dd>
</dl>
</div>
`;
}

/** Among several configurations, which; the section further down has the other needs. */
function recommended({ cells }: ReportModel, { recommendations }: RunViews): Markup | undefined {
  const [first] = recommendSection(recommendations).blocks;
  return cells.length > 1 && first?.kind === "sentence" ? html`<p>${first.text}</p>` : undefined;
}

interface Tile {
  readonly name: string;
  readonly value: string;
  readonly how: string;
}

function tilesMarkup(tiles: readonly Tile[]): Markup | undefined {
  if (tiles.length === 0) return undefined;
  return html`<dl class="tiles">${tiles.map(
    ({ name, value, how }) => html`<div><dt>${name}</dt><dd>${value}</dd><dd class="how">${how}</dd></div>`,
  )}</dl>`;
}

function tilesOf(model: ReportModel, { analysis }: RunViews): readonly Tile[] {
  const [only, ...others] = model.cells;
  if (only === undefined) return [];
  const tiles =
    others.length === 0
      ? [
          ...figureTile("True speedup", only.figures, "true speedup"),
          ...keptTile(analysis.overall.retention, only.equalShare),
          ...figureTile("Throughput of all agents", only.figures, "aggregate throughput"),
        ]
      : [
          ...rangeTile(
            "True speedup",
            model.cells,
            (cell) => cell.trueSpeedup,
            (value) => value.toFixed(2),
            "×",
          ),
          ...rangeTile(
            "Kept of solo speed",
            model.cells,
            (cell) => cell.retention,
            (value) => (value * 100).toFixed(0),
            " %",
          ),
          ...rangeTile(
            "Throughput of all agents",
            model.cells,
            (cell) => cell.aggregateTokS,
            (value) => value.toFixed(0),
            " tok/s",
          ),
        ];
  return [...tiles, ...firstTokenTile(model)];
}

function figureTile(name: string, figures: readonly FigureView[], figure: string): readonly Tile[] {
  const found = figures.find((one) => one.name === figure);
  const row = found === undefined ? undefined : figureTable([found]).rows[0];
  if (found === undefined || row === undefined) return [];
  const { trials, ci95 } = found.measured;
  const interval = typeof ci95 === "object" ? `95 % interval ${row[2]}` : row[2];
  return [{ name, value: row[1] as string, how: `${interval}${trials > 1 ? `, ${trials} trials` : ""}` }];
}

/** Configurations differ on purpose, so their means are shown as a range and never as one mean. */
function rangeTile(
  name: string,
  cells: readonly CellView[],
  figure: (cell: CellView) => Measured | undefined,
  format: (value: number) => string,
  unit: string,
): readonly Tile[] {
  const known = cells.flatMap((cell) => {
    const mean = figure(cell)?.mean;
    return mean === undefined ? [] : [{ cell, mean }];
  });
  const [first] = known;
  if (first === undefined) return [];
  const [least, most] = known.reduce(
    ([low, high], one) => [one.mean < low.mean ? one : low, one.mean > high.mean ? one : high],
    [first, first],
  );
  return [
    {
      name,
      value: `${format(least.mean)} to ${format(most.mean)}${unit}`,
      how: `means of ${known.length} configurations; most: ${most.cell.label}`,
    },
  ];
}

function keptTile(retention: Description | undefined, equalShare: number | undefined): readonly Tile[] {
  if (retention === undefined) return [];
  const ideal = equalShare === undefined ? "" : `; an ideal shared device leaves ${percent(equalShare)}`;
  const range =
    retention.n > 1 ? `${percent(retention.min)} to ${percent(retention.max)} over trials` : "one trial";
  return [{ name: "Kept of solo speed", value: percent(retention.mean), how: `${range}${ideal}` }];
}

/** Of the slowest agent: a mean over agents would hide the one that waits. */
function firstTokenTile({ cells }: ReportModel): readonly Tile[] {
  const agents = cells.flatMap((cell) => cell.agents.map((agent) => ({ cell: cell.label, agent })));
  const slowest = agents.reduce<(typeof agents)[number] | undefined>(
    (most, one) => ((one.agent.ttftMs?.mean ?? -1) > (most?.agent.ttftMs?.mean ?? -1) ? one : most),
    undefined,
  );
  const together = slowest?.agent.ttftMs?.mean;
  if (slowest === undefined || together === undefined) return [];
  const alone = slowest.agent.soloTtftMs?.mean;
  const whose = cells.length > 1 ? `${slowest.agent.agent} in ${slowest.cell}` : slowest.agent.agent;
  return [
    {
      name: "First token, slowest agent",
      value: `${formatNumber(together, 0)} ms`,
      how: `${alone === undefined ? "alone unknown" : `${formatNumber(alone, 0)} ms alone`}; ${whose}`,
    },
  ];
}

function ranMarkup(model: ReportModel, { analysis, trials }: RunViews): Markup {
  const { manifest, totals } = analysis;
  const finished = trials.filter((trial) => trial.status === "complete");
  const solo = finished.filter((trial) => trial.kind === "solo").length;
  if (model.imported)
    return html`<p>Imported ${utc(manifest.startedIso)} from ${(manifest.imported?.files ?? []).map(({ name }) => name).join(", ")}.</p>
<p><code>${commandLine(manifest.command)}</code></p>`;
  const parts = [
    counted(model.cells.length, "configuration"),
    `${counted(finished.length - solo, "trial")} together and ${solo} alone`,
    `${counted(totals.measured, "request")}${totals.failed > 0 ? `, ${totals.failed} of them failed` : ""}`,
  ];
  return html`<p>${parts.join(", ")}; begun ${utc(manifest.startedIso)}, ${manifest.status}.</p>
<p><code>${commandLine(manifest.command)}</code></p>`;
}

function utc(iso: string): string {
  return iso.replace("T", " ").replace(/(?:\.\d+)?Z$/, " UTC");
}

/** The manifest keeps the arguments, in older runs without the program's name. */
function commandLine(command: readonly string[]): string {
  return (command[0] === "slipway" ? command : ["slipway", ...command]).join(" ");
}

function placeMarkup({ facts }: ReportModel): readonly Markup[] {
  const machine = facts.find((fact) => fact.name === "machine")?.value ?? "unknown machine";
  const endpoints = facts.filter((fact) => fact.name.startsWith("endpoint "));
  const shown = endpoints.slice(0, MOST_ENDPOINTS);
  const rest = endpoints.length - shown.length;
  return [
    html`<p>${machine}</p>`,
    ...shown.map((fact) => html`<p>${fact.name}: ${fact.value}</p>`),
    ...(rest > 0 ? [html`<p>and ${rest} more endpoints, listed below</p>`] : []),
  ];
}

/** A first screen of endpoints. */
const MOST_ENDPOINTS = 3;

function sureSentences(model: ReportModel, { analysis, notices }: RunViews): readonly string[] {
  const counts = model.cells.map((cell) => cell.trials);
  if (model.imported) return ["As sure as the program that measured it: the file says nothing of how."];
  if (counts.length === 0) return ["Nothing can be said without a finished trial."];
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
  const trials = fewest === most ? counted(fewest, "trial") : `${fewest} to ${most} trials`;
  const cautions = model.warnings.length + notices.filter(isUntold).length;
  return [
    ...(model.simulated ? ["Nothing here was measured on a real server: every figure is SIMULATED."] : []),
    fewest < 2
      ? `${trials} of each configuration: one trial has no interval, so nothing is known of its chance.`
      : `${trials} of each configuration; intervals are 95 %, Student's t over trials.`,
    cautions === 0
      ? "No warning."
      : `${counted(cautions, "warning")} below ${cautions === 1 ? "says" : "say"} what limits these figures.`,
    analysis.manifest.certificate === undefined
      ? "The error of the measuring machine itself is not certified; slipway bench --selftest does that."
      : "The error of the measuring machine itself is certified in manifest.json.",
  ];
}

function counted(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
