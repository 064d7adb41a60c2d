/**
 * From a plot to a drawing that a page can hold: rendered without a browser, stripped of what only
 * a living chart needs, its stand-in colours turned into variables of the page's style.
 */
import type { EChartsType } from "echarts/core";
import type { Markup } from "../html/markup.ts";
import { html, raw } from "../html/markup.ts";
import { INK, inkVariable } from "./palette.ts";
import type { Plot } from "./plot.ts";

/** Draws a plot under an id that is unique in the page. */
export type Draw = (plot: Plot, id: string) => Markup;

/** The chart library takes a third of a second to load, so only a report that draws does. */
export async function chartDrawer(): Promise<Draw> {
  const [core, charts, components, renderers] = await Promise.all([
    import("echarts/core"),
    import("echarts/charts"),
    import("echarts/components"),
    import("echarts/renderers"),
  ]);
  core.use([
    charts.LineChart,
    charts.ScatterChart,
    charts.CustomChart,
    components.GridComponent,
    components.MarkLineComponent,
    components.MarkAreaComponent,
    components.GraphicComponent,
    renderers.SVGRenderer,
  ]);
  return (plot, id) => {
    const { width, height } = plot;
    const chart: EChartsType = core.init(null, null, { renderer: "svg", ssr: true, width, height });
    try {
      chart.setOption({ animation: false, ...plot.option });
      return pageDrawing(chart.renderToSVGString(), plot, id);
    } finally {
      chart.dispose();
    }
  };
}

const INK_OF_STAND_IN = new Map(Object.entries(INK).map(([ink, standIn]) => [standIn as string, ink]));

/** The library names things by a counter that runs over all charts of the process; here the id does. */
function pageDrawing(svg: string, { title, description, width, height }: Plot, id: string): Markup {
  const body = svg
    .replace(/^<svg[^>]*>/, "")
    .replace(/<\/svg>\s*$/, "")
    .replace(/<style\b[\s\S]*?<\/style>/g, "")
    .replace(/<rect [^>]*fill="none"><\/rect>\n?/, "")
    .replace(/ (?:class|pointer-events|xml:space)="[^"]*"/g, "")
    .replace(/ style="([^"]*)"/g, (_, style: string) => textAttributes(style))
    .replace(/zr\d+-([a-z]+\d+)/g, `${id}-$1`)
    .replace(/(fill|stroke)="(#[0-9a-f]{6})"/g, (whole, attribute: string, color: string) => {
      const ink = INK_OF_STAND_IN.get(color);
      return ink === undefined ? whole : `${attribute}="var(${inkVariable(ink)})"`;
    })
    .replace(/(\d+\.\d\d)\d+/g, "$1")
    .replace(/\n+/g, "\n")
    .trim();
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc"><title id="${id}-title">${title}</title><desc id="${id}-desc">${description}</desc>
${raw(body)}
</svg>`;
}

/** A page without inline styles can forbid them. The typeface is the page's. */
function textAttributes(style: string): string {
  const size = /font-size:([\d.]+)px/.exec(style)?.[1];
  const weight = /font-weight:(\w+)/.exec(style)?.[1];
  return `${size === undefined || size === "12" ? "" : ` font-size="${size}"`}${weight === undefined || weight === "normal" ? "" : ` font-weight="${weight}"`}`;
}
