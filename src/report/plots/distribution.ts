/** How one figure spreads over the trials of each configuration: every trial is a dot. */
import { formatNumber } from "../../core/units.ts";
import type { Description } from "../../stats/describe.ts";
import { describe } from "../../stats/describe.ts";
import { labelWidth, rowAxis, TEXT, valueAxis } from "./axes.ts";
import { INK } from "./palette.ts";
import type { LegendEntry, MarkApi, Plot } from "./plot.ts";
import { distinctParts, fewer, FULL_WIDTH, label, textTable } from "./plot.ts";

export interface DistributionRow {
  readonly label: string;
  /** One per trial. */
  readonly values: readonly number[];
  /** The published figure that goes by the same name, one per trial. */
  readonly published: readonly number[];
}

export interface DistributionInput {
  readonly title: string;
  /** What the dots are, e.g. "true speedup", and what the diamonds are. */
  readonly figure: string;
  readonly publishedFigure: string;
  readonly unit: "times" | "percent";
  readonly rows: readonly DistributionRow[];
  /** A line to compare with, e.g. at 1 with "no gain". */
  readonly reference: { readonly at: number; readonly text: string };
  readonly caption: string;
}

const ROW_PX = 26;
/** A taller drawing is no longer seen as one; the table has all rows. */
const MOST_ROWS = 60;

/** `undefined` where no row has a value. */
export function distributionPlot(input: DistributionInput): Plot | undefined {
  const known = input.rows.filter((row) => row.values.length + row.published.length > 0);
  if (known.length === 0) return undefined;
  const rows = known.slice(0, MOST_ROWS);
  const names = distinctParts(rows.map((row) => row.label)).map((text) => label(text));
  const left = labelWidth(names, 300);
  const format = formatOf(input.unit);
  const unknown = known.every((row) => row.values.length === 0);
  return {
    title: unknown
      ? `${input.publishedFigure} by configuration`.replace(/^./, (letter) => letter.toUpperCase())
      : input.title,
    description: described(input, known, format),
    caption: `${input.caption}${unknown ? ` Here ${input.figure} is unknown: there is no comparable solo trial.` : ""}${known.length > rows.length ? ` Drawn are the first ${rows.length} of ${known.length} configurations; the table has all.` : ""}`,
    legend: legendOf(input, rows),
    width: FULL_WIDTH,
    height: rows.length * ROW_PX + 74,
    option: {
      grid: { left: left + 16, right: 24, top: 22, bottom: 48 },
      xAxis: valueAxis("x", { name: axisName(input), ...rangeOf(input, rows) }),
      yAxis: rowAxis(names, left),
      series: [
        reference(input),
        intervals(rows.map((row) => describe(row.values))),
        dots(
          rows.map((row) => row.published),
          "diamond",
        ),
        dots(
          rows.map((row) => row.values),
          "circle",
        ),
      ],
    },
    table: tableOf(input, known, format),
  };
}

function axisName({ figure, publishedFigure, rows }: DistributionInput): string {
  return rows.some((row) => row.values.length > 0) ? figure : publishedFigure;
}

function formatOf(unit: DistributionInput["unit"]): (value: number) => string {
  return (value) =>
    unit === "times" ? `${formatNumber(value, 2)}×` : `${formatNumber(value, value < 100 ? 1 : 0)} %`;
}

function legendOf(input: DistributionInput, rows: readonly DistributionRow[]): readonly LegendEntry[] {
  return [
    ...(rows.some((row) => row.values.length > 0)
      ? ([
          { mark: "dot", ink: "together", text: `${input.figure}, one trial` },
          { mark: "line", ink: "together", text: "mean's 95 % interval" },
        ] as const)
      : []),
    ...(rows.some((row) => row.published.length > 0)
      ? ([{ mark: "diamond", ink: "alone", text: `${input.publishedFigure}, one trial` }] as const)
      : []),
  ];
}

/** The values with a little room, and the reference: far from 0 a spread would otherwise not be seen. */
function rangeOf(input: DistributionInput, rows: readonly DistributionRow[]) {
  const all = rows.flatMap((row) => [...row.values, ...row.published]);
  const low = Math.min(input.reference.at, ...all);
  const high = Math.max(input.reference.at, ...all);
  const room = Math.max((high - low) * 0.06, high * 0.01);
  const interval = stepOf(high - low + 2 * room);
  const decimals = Math.max(0, -Math.floor(Math.log10(interval) + 1e-9));
  return {
    min: Math.max(0, Math.floor((low - room) / interval) * interval),
    max: Math.ceil((high + room) / interval) * interval,
    interval,
    format: (value: number) => `${value.toFixed(decimals)}${input.unit === "times" ? "×" : " %"}`,
  };
}

/** The axis begins and ends at a round number, and at most eight steps span it. */
function stepOf(span: number): number {
  const power = 10 ** Math.floor(Math.log10(span / 8));
  return ([1, 2, 5, 10].find((factor) => factor * power >= span / 8) ?? 10) * power;
}

function dots(rows: readonly (readonly number[])[], symbol: "circle" | "diamond"): object {
  return {
    type: "scatter",
    symbol,
    symbolSize: symbol === "circle" ? 9 : 10,
    silent: true,
    itemStyle:
      symbol === "circle"
        ? { color: INK.together, opacity: 0.6 }
        : { color: INK.paper, borderColor: INK.alone, borderWidth: 1.5, opacity: 0.9 },
    data: rows.flatMap((values, row) =>
      fewer(values, Math.ceil(MOST_DOTS / rows.length)).map((value) => [value, row]),
    ),
  };
}

/** Of each symbol; a drawing of more takes longer to open than to understand. */
const MOST_DOTS = 1_200;

/** A line from end to end of the mean's interval, with the mean as a tick. */
function intervals(descriptions: readonly (Description | undefined)[]): object {
  const data = descriptions.flatMap((one, row) => {
    if (one === undefined || one.spread.kind !== "known") return [];
    const { low, high } = one.spread.ci95;
    return [[one.mean, row, low, high]];
  });
  return {
    type: "custom",
    silent: true,
    clip: true,
    data,
    renderItem: (_: unknown, api: MarkApi) => {
      const [mean, row, low, high] = [api.value(0), api.value(1), api.value(2), api.value(3)];
      const [x, y] = api.coord([mean, row]);
      const [from] = api.coord([low, row]);
      const [to] = api.coord([high, row]);
      const stroke = { stroke: INK.together, lineWidth: 2, fill: "none" };
      return {
        type: "group",
        children: [
          { type: "line", shape: { x1: from, y1: y, x2: to, y2: y }, style: stroke },
          { type: "line", shape: { x1: x, y1: y - 8, x2: x, y2: y + 8 }, style: stroke },
        ],
      };
    },
  };
}

function reference({ reference: { at, text } }: DistributionInput): object {
  return {
    type: "line",
    data: [],
    markLine: {
      silent: true,
      symbol: "none",
      lineStyle: { color: INK.faint, type: "dashed", width: 1 },
      label: { ...TEXT, formatter: () => text, position: "start", distance: 4 },
      data: [{ xAxis: at }],
    },
  };
}

function tableOf(
  input: DistributionInput,
  rows: readonly DistributionRow[],
  format: (value: number) => string,
): Plot["table"] {
  return textTable(
    [
      "configuration",
      "trials",
      `${input.figure}, mean`,
      "lowest",
      "highest",
      `${input.publishedFigure}, mean`,
    ],
    rows.map((row) => {
      const own = describe(row.values);
      const published = describe(row.published);
      const cell = (value: number | undefined): string => (value === undefined ? "–" : format(value));
      return [
        row.label,
        String(Math.max(row.values.length, row.published.length)),
        cell(own?.mean),
        cell(own?.min),
        cell(own?.max),
        cell(published?.mean),
      ];
    }),
  );
}

function described(
  input: DistributionInput,
  rows: readonly DistributionRow[],
  format: (value: number) => string,
): string {
  const all = describe(rows.flatMap((row) => row.values));
  const published = describe(rows.flatMap((row) => row.published));
  const over = `Over ${rows.length} configuration${rows.length === 1 ? "" : "s"}`;
  const part = (name: string, one: Description | undefined): string =>
    one === undefined
      ? `${name} is unknown`
      : `${name} runs from ${format(one.min)} to ${format(one.max)}, mean ${format(one.mean)}`;
  return `${over}, ${part(input.figure, all)}; ${part(input.publishedFigure, published)}.`;
}
