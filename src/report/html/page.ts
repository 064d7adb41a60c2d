/** `report.html`: one file that needs no other, no network and no script, for one run or several. */
import { createHash } from "node:crypto";
import type { RunViews } from "../../analysis/run-views.ts";
import type { ReportModel } from "../model.ts";
import type { Draw } from "../plots/draw.ts";
import type { Section } from "../section/section.ts";
import { cellTable } from "../tables.ts";
import { answerMarkup } from "./answer-section.ts";
import type { Frame } from "./blocks.ts";
import { sectionMarkup, simulatedTag, tableMarkup } from "./blocks.ts";
import type { Markup } from "./markup.ts";
import { html, raw } from "./markup.ts";
import { runSections } from "./run-sections.ts";
import { STYLESHEET } from "./stylesheet.ts";

export interface RunReport {
  readonly model: ReportModel;
  readonly views: RunViews;
  /** What else was asked of the run: verdicts, service levels, costs. */
  readonly sections?: readonly Section[];
}

/** The page of one run, or of several one after the other. */
export function renderHtml(reports: readonly RunReport[], draw: Draw): string {
  const [only, ...others] = reports;
  const single = only !== undefined && others.length === 0;
  const title = single ? `${only.model.scenario} · ${only.model.runId}` : `${reports.length} runs`;
  const simulated = reports.filter((report) => report.model.simulated).length;
  const runs = reports.map((report, index) => runMarkup(report, index, single, draw));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${styleHash()}'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Slipway">
<title>${simulated > 0 ? "SIMULATED " : ""}${title}</title>
<link rel="icon" href="data:,">
<style>${raw(STYLESHEET)}</style>
</head>
<body${simulated > 0 && simulated === reports.length ? raw(' class="simulated"') : undefined}>
<a class="skip" href="#content">Skip to the answer</a>
<header>
${simulatedBanner(simulated, reports.length)}<div class="page"><nav aria-label="Contents"><ul>${single ? sectionLinks(runs[0]) : runLinks(reports)}</ul></nav></div>
</header>
<main class="page" id="content">
${single ? undefined : overview(reports)}${runs.map((run) => run.markup)}</main>
<footer class="page"><p class="quiet">Made by Slipway from the run ${single ? "directory" : "directories"} alone; the same records give the same page.</p></footer>
</body>
</html>
`.text;
}

function styleHash(): string {
  return createHash("sha256").update(STYLESHEET).digest("base64");
}

function simulatedBanner(simulated: number, all: number): Markup | undefined {
  if (simulated === 0) return undefined;
  const which = simulated === all ? "" : ` in ${simulated} of ${all} runs, marked so`;
  return html`<div class="simulated-banner"><p class="page">SIMULATED${which}: no real server was measured. The figures describe the simulated engine.</p></div>
`;
}

interface RunMarkup {
  readonly markup: Markup;
  readonly links: readonly { readonly href: string; readonly text: string }[];
}

function runMarkup(
  { model, views, sections: asked = [] }: RunReport,
  index: number,
  single: boolean,
  draw: Draw,
): RunMarkup {
  const frame: Frame = {
    draw,
    prefix: `run-${index + 1}`,
    level: single ? 2 : 3,
    simulated: model.simulated,
  };
  const sections = runSections({ model, views, asked }, frame);
  return {
    markup: html`<article class="run${model.simulated ? " simulated" : ""}" id="${frame.prefix}" aria-labelledby="${frame.prefix}-title">
${answerMarkup(model, views, frame)}${sections.map((section) => sectionMarkup(section, frame))}</article>
`,
    links: sections.map(({ id, title, link = title }) => ({ href: `#${frame.prefix}-${id}`, text: link })),
  };
}

function sectionLinks(run: RunMarkup | undefined): readonly Markup[] {
  return (run?.links ?? []).map(({ href, text }) => html`<li><a href="${href}">${text}</a></li>`);
}

function runLinks(reports: readonly RunReport[]): readonly Markup[] {
  return reports.map(({ model }, index) => html`<li><a href="#run-${index + 1}">${model.runId}</a></li>`);
}

/** Several runs side by side before one after the other. Whether they differ is what `compare` decides. */
function overview(reports: readonly RunReport[]): Markup {
  const cells = reports.flatMap(({ model }) =>
    model.cells.map((cell) => ({
      ...cell,
      label: `${model.runId}: ${cell.label}${model.simulated ? " (SIMULATED)" : ""}`,
    })),
  );
  const simulated = reports.some(({ model }) => model.simulated);
  return html`<div class="answer"><h1>${reports.length} runs${simulatedTag(simulated)}</h1>
<p class="lead">Each run has a part of its own below. Standing side by side says nothing about chance.</p>
${tableMarkup(cellTable(cells), "Configurations of all runs, means over together trials")}</div>
`;
}
