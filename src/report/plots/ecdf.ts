/** The share of requests that were no slower than a time, alone beside together. */
import { UNKNOWN } from "../../core/units.ts";
import type { Ecdf, EcdfPair } from "../../analysis/ecdf.ts";
import { PERCENTILES } from "../../analysis/request-distribution.ts";
import { TEXT, valueAxis } from "./axes.ts";
import { INK, SERIES_INKS } from "./palette.ts";
import type { Ink } from "./palette.ts";
import type { LegendEntry, Plot } from "./plot.ts";
import { HALF_WIDTH, label, textTable } from "./plot.ts";

export interface EcdfInput {
  readonly title: string;
  /** Of the axis, e.g. "time to first token, ms". */
  readonly axis: string;
  readonly pairs: readonly EcdfPair[];
  readonly caption: string;
}

/** More curves than this are a tangle: the first agents are drawn, and the table has all. */
const MOST_AGENTS = SERIES_INKS.length;
/** Past this ratio the short times would be one line at the left edge. */
const LOG_FROM_RATIO = 20;

/** `undefined` where there is no curve. */
export function ecdfPlot({ title, axis, pairs, caption }: EcdfInput): Plot | undefined {
  const known = pairs.filter((pair) => pair.alone !== undefined || pair.together !== undefined);
  if (known.length === 0) return undefined;
  const drawn = known.slice(0, MOST_AGENTS);
  const values = drawn.flatMap((pair) => [...ends(pair.alone), ...ends(pair.together)]);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const log = low > 0 && high / low > LOG_FROM_RATIO;
  return {
    title,
    description: described(known),
    caption: `${caption}${known.length > drawn.length ? ` Drawn are ${drawn.length} of ${known.length} agents; the table has all.` : ""}`,
    legend: legendOf(drawn),
    width: HALF_WIDTH,
    height: 300,
    option: {
      grid: { left: 52, right: 20, top: 16, bottom: 48 },
      xAxis: valueAxis("x", {
        name: log ? `${axis} (logarithmic)` : axis,
        kind: log ? "log" : "value",
        ...(log ? { min: 10 ** Math.floor(Math.log10(low)), max: 10 ** Math.ceil(Math.log10(high)) } : {}),
        format: shortNumber,
      }),
      yAxis: {
        ...valueAxis("y", { name: "", min: 0, max: 1, interval: 0.25 }),
        axisLabel: { ...TEXT, formatter: (share: number) => `${Math.round(share * 100)} %` },
      },
      series: drawn.flatMap((pair, index) => {
        const one = drawn.length === 1;
        const ink = SERIES_INKS[index] as string;
        return [
          ...curve(pair.alone, one ? INK.alone : ink, "dashed", log ? low : 0),
          ...curve(pair.together, ink, "solid", log ? low : 0),
        ];
      }),
    },
    table: textTable(
      ["agent", "run", "n", ...PERCENTILES.map((q) => `p${Math.round(q * 100)} ms`)],
      known.flatMap((pair) =>
        [row(pair.agent, "alone", pair.alone), row(pair.agent, "together", pair.together)].flat(),
      ),
      2,
    ),
  };
}

function ends(ecdf: Ecdf | undefined): readonly number[] {
  const first = ecdf?.points[0]?.value;
  const last = ecdf?.points.at(-1)?.value;
  return first === undefined || last === undefined ? [] : [first, last];
}

function curve(
  ecdf: Ecdf | undefined,
  color: string,
  type: "solid" | "dashed",
  from: number,
): readonly object[] {
  if (ecdf === undefined) return [];
  const first = ecdf.points[0]?.value ?? from;
  return [
    {
      type: "line",
      step: "end",
      symbol: "none",
      silent: true,
      lineStyle: { color, type, width: 2 },
      data: [
        [Math.min(first, Math.max(from, first)), 0],
        ...ecdf.points.map(({ value, share }) => [value, share]),
      ],
    },
  ];
}

const INK_NAMES: readonly Ink[] = ["together", "alone", "third", "fourth"];

function legendOf(pairs: readonly EcdfPair[]): readonly LegendEntry[] {
  const [only] = pairs;
  const any = (of: "alone" | "together"): boolean => pairs.some((pair) => pair[of] !== undefined);
  if (pairs.length === 1 && only !== undefined)
    return [
      ...(any("together") ? ([{ mark: "line", ink: "together", text: "together" }] as const) : []),
      ...(any("alone") ? ([{ mark: "dash", ink: "alone", text: "alone" }] as const) : []),
    ];
  return [
    ...pairs.map(
      (pair, index): LegendEntry => ({
        mark: "line",
        ink: INK_NAMES[index] as Ink,
        text: label(pair.agent, 24),
      }),
    ),
    ...(any("alone") ? ([{ mark: "dash", ink: "faint", text: "the same, alone" }] as const) : []),
  ];
}

function row(agent: string, run: string, ecdf: Ecdf | undefined): readonly (readonly string[])[] {
  if (ecdf === undefined) return [];
  const percentiles = ecdf.percentiles.map((one) =>
    one.kind === "certified" ? milliseconds(one.value) : `${UNKNOWN} (n ≥ ${one.needed})`,
  );
  return [[agent, run, String(ecdf.n), ...percentiles]];
}

function described(pairs: readonly EcdfPair[]): string {
  const part = (name: string, ecdf: Ecdf | undefined): string => {
    const [low, high] = ends(ecdf);
    if (ecdf === undefined || low === undefined || high === undefined) return `${name} unknown`;
    return `${name} ${milliseconds(low)} to ${milliseconds(high)} ms over ${ecdf.n} values`;
  };
  return `${pairs.map((pair) => `${pair.agent}: ${part("together", pair.together)}, ${part("alone", pair.alone)}`).join(". ")}.`;
}

function milliseconds(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

function shortNumber(value: number): string {
  return value >= 10_000 ? `${value / 1000}k` : String(value);
}
