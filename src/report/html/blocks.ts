/** The parts that pages are made of: tables, figures, sections, commands. */
import type { Draw } from "../plots/draw.ts";
import { inkVariable } from "../plots/palette.ts";
import type { LegendEntry, Plot } from "../plots/plot.ts";
import { FULL_WIDTH } from "../plots/plot.ts";
import type { TextTable } from "../tables.ts";
import type { Markup } from "./markup.ts";
import { html } from "./markup.ts";

/** What a section needs beside its own content. */
export interface Frame {
  readonly draw: Draw;
  /** Begins every id of the run's part of the page. */
  readonly prefix: string;
  /** Of the run's sections: 2 where the run is the page, 3 where it is one of several. */
  readonly level: 2 | 3;
  readonly simulated: boolean;
}

export interface PageSection {
  readonly id: string;
  readonly title: string;
  /** The title in the table of contents, where it must be shorter. */
  readonly link?: string;
  readonly body: readonly Markup[];
}

/**
 * Says SIMULATED beside its own heading: a section may be read, or printed, alone. With several runs
 * only the runs are landmarks, since each has the same sections.
 */
export function sectionMarkup({ id, title, body }: PageSection, frame: Frame): Markup {
  const label = html`${title}${simulatedTag(frame.simulated)}`;
  const headingId = `${frame.prefix}-${id}-title`;
  const heading =
    frame.level === 2 ? html`<h2 id="${headingId}">${label}</h2>` : html`<h3 id="${headingId}">${label}</h3>`;
  const labelled = frame.level === 2 ? html` aria-labelledby="${headingId}"` : undefined;
  return html`<section class="section" id="${frame.prefix}-${id}"${labelled}>
${heading}
${body}
</section>
`;
}

export function simulatedTag(simulated: boolean): Markup | undefined {
  return simulated ? html`<span class="tag">SIMULATED</span>` : undefined;
}

/** A heading one step below the section's own. */
export function subheading(text: string, { level }: Frame): Markup {
  return level === 2 ? html`<h3>${text}</h3>` : html`<h4>${text}</h4>`;
}

/** The first column names its row. Rows past the limit are counted, not dropped in silence. */
export function tableMarkup(table: TextTable, caption: string, mostRows = MOST_ROWS): Markup {
  const rows = table.rows.slice(0, mostRows);
  const hidden = table.rows.length - rows.length;
  const classOf = (column: number): string => (table.columns[column]?.align === "right" ? "num" : "text");
  const cell = (text: string, column: number): Markup =>
    column === 0 && text.trim() !== ""
      ? html`<th scope="row" class="${rowClasses(text)}">${text.trim()}</th>`
      : html`<td class="${classOf(column)}">${text}</td>`;
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${table.columns.map(({ heading }, column) => headingMarkup(heading.join(" "), classOf(column)))}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody>
</table></div>${hidden > 0 ? html`<p class="quiet">… and ${hidden} more rows in analysis.json</p>` : undefined}
`;
}

/** A column that marks some of its rows has no name, and an empty heading is none. */
function headingMarkup(text: string, className: string): Markup {
  return text === "" ? html`<td></td>` : html`<th scope="col" class="${className}">${text}</th>`;
}

/** Names break only where they are long; two spaces before one make it a part of the row above. */
function rowClasses(text: string): string {
  return `${text.length <= LONGEST_UNBROKEN ? "short" : "long"}${text.startsWith("  ") ? " part" : ""}`;
}

const LONGEST_UNBROKEN = 32;

/** A table of this many rows is a listing; the files have the rest. */
const MOST_ROWS = 200;

/** A chart with its legend, its caption, and the plotted values as a table. */
export function figureMarkup(plot: Plot, id: string, frame: Frame, context?: string): Markup {
  const full = `${frame.prefix}-${id}`;
  const title = context === undefined ? plot.title : `${plot.title}: ${context}`;
  return html`<figure class="figure${plot.width === FULL_WIDTH ? " wide" : ""}" aria-labelledby="${full}-heading">
<div id="${full}-heading">${subheading(title, frame)}</div>
${legendMarkup(plot.legend)}<div class="chart" tabindex="0" role="group" aria-label="${title}">${frame.draw({ ...plot, title }, full)}</div>
<figcaption>${plot.caption}</figcaption>
<details><summary>Values</summary>
${tableMarkup(plot.table, title)}</details>
</figure>
`;
}

function legendMarkup(entries: readonly LegendEntry[]): Markup | undefined {
  if (entries.length === 0) return undefined;
  return html`<ul class="legend">${entries.map((entry) => html`<li>${swatch(entry)}${entry.text}</li>`)}</ul>
`;
}

function swatch({ mark, ink }: LegendEntry): Markup {
  const color = `var(${inkVariable(ink)})`;
  return html`<svg viewBox="0 0 22 12" aria-hidden="true">${shapeOf(mark, color)}</svg>`;
}

function shapeOf(mark: LegendEntry["mark"], color: string): Markup {
  switch (mark) {
    case "dot":
      return html`<circle cx="11" cy="6" r="5" fill="${color}"/>`;
    case "ring":
      return html`<circle cx="11" cy="6" r="4.5" fill="none" stroke="${color}" stroke-width="2"/>`;
    case "diamond":
      return html`<path d="M11 1l5 5l-5 5l-5-5z" fill="none" stroke="${color}" stroke-width="1.5"/>`;
    case "line":
      return html`<path d="M1 6h20" stroke="${color}" stroke-width="2.5"/>`;
    case "dash":
      return html`<path d="M1 6h20" stroke="${color}" stroke-width="2.5" stroke-dasharray="5 3"/>`;
    case "bar":
      return html`<rect x="2" y="1" width="18" height="10" rx="1.5" fill="${color}"/>`;
    case "tick":
      return html`<path d="M11 0v12" stroke="${color}" stroke-width="2.5"/>`;
    case "band":
      return html`<rect x="2" y="1" width="18" height="10" fill="${color}" fill-opacity="0.2"/>`;
  }
}

/** There to be copied: the remark behind three spaces is no part of it. */
export function commandMarkup(command: string): Markup {
  const [line = "", ...remark] = command.split(/ {3,}/);
  const rest = remark.join(" ").trim();
  return html`<code class="command">${line}</code>${rest === "" ? undefined : html` <span class="quiet">${rest}</span>`}`;
}
