/** The share of requests that were no slower than a time, alone beside together. */
import { UNKNOWN } from "../../core/units.ts";
import type { Ecdf, EcdfPair } from "../../analysis/ecdf.ts";
import { PERCENTILES } from "../../analysis/request-distribution.ts";
import { valueAxis } from "./axes.ts";
import { INK, SERIES_INKS } from "./palette.ts";
import type { Ink } from "./palette.ts";
import type { LegendEntry, Plot } from "./plot.ts";
import { HALF_WIDTH, label, textTable } from "./plot.ts";

export interface EcdfInput {
  readonly title: string;
  /** Of the axis, e.g. "time to first token, ms". */
  readonly axis: string;
  readonly pairs: readonly EcdfPair[];
  /** What a trial of all agents is called: for one agent it is not "together". */
  readonly together: string;
  readonly caption: string;
}

/** More curves than this are a tangle: the first agents are drawn, and the table has all. */
const MOST_AGENTS = SERIES_INKS.length;
/** Where the longest time is this many times the middle one, the rest would be one line at the left edge. */
const LOG_FROM_RATIO = 8;
/** Gaps of 0 have no place on a logarithmic axis; what is this far below the middle is drawn at its edge. */
const LOG_BELOW_MIDDLE = 30;

/** `undefined` where there is no curve. */
export function ecdfPlot({ title, axis, pairs, together, caption }: EcdfInput): Plot | undefined {
  const known = pairs.filter((pair) => pair.alone !== undefined || pair.together !== undefined);
  if (known.length === 0) return undefined;
  const drawn = known.slice(0, MOST_AGENTS);
  const scale = scaleOf(drawn.flatMap((pair) => [pair.alone, pair.together]));
  return {
    title,
    description: described(known, together),
    caption: `${caption}${known.length > drawn.length ? ` Drawn are ${drawn.length} of ${known.length} agents; the table has all.` : ""}`,
    legend: legendOf(drawn, together),
    width: HALF_WIDTH,
    height: 300,
    option: {
      grid: { left: 52, right: 20, top: 16, bottom: 48 },
      xAxis: valueAxis("x", {
        name: scale.kind === "log" ? `${axis} (logarithmic)` : axis,
        ...scale,
        format: shortNumber,
      }),
      yAxis: valueAxis("y", {
        name: "",
        min: 0,
        max: 1,
        interval: 0.25,
        format: (share) => `${Math.round(share * 100)} %`,
      }),
      series: drawn.flatMap((pair, index) => {
        const ink = SERIES_INKS[index] as string;
        return [
          ...curve(pair.alone, drawn.length === 1 ? INK.alone : ink, "dashed", scale.min),
          ...curve(pair.together, ink, "solid", scale.min),
        ];
      }),
    },
    table: textTable(
      ["agent", "run", "n", ...PERCENTILES.map((q) => `p${Math.round(q * 100)} ms`)],
      known.flatMap((pair) => [
        ...row(pair.agent, "alone", pair.alone),
        ...row(pair.agent, together, pair.together),
      ]),
      2,
    ),
  };
}

interface Scale {
  readonly kind: "value" | "log";
  readonly min: number;
  readonly max?: number;
}

function scaleOf(ecdfs: readonly (Ecdf | undefined)[]): Scale {
  const known = ecdfs.filter((ecdf) => ecdf !== undefined);
  const middle = Math.min(...known.map((ecdf) => ecdf.points[ecdf.points.length >> 1]?.value ?? 0));
  const high = Math.max(...known.flatMap(ends));
  if (middle <= 0 || high / middle < LOG_FROM_RATIO) return { kind: "value", min: 0 };
  const low = Math.max(Math.min(...known.flatMap(ends)), middle / LOG_BELOW_MIDDLE);
  return { kind: "log", min: 10 ** Math.floor(Math.log10(low)), max: 10 ** Math.ceil(Math.log10(high)) };
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
  leastDrawn: number,
): readonly object[] {
  if (ecdf === undefined) return [];
  const points = ecdf.points.map(({ value, share }) => [Math.max(value, leastDrawn), share]);
  return [
    {
      type: "line",
      step: "end",
      symbol: "none",
      silent: true,
      lineStyle: { color, type, width: 2 },
      data: [[points[0]?.[0] ?? leastDrawn, 0], ...points],
    },
  ];
}

const INK_NAMES: readonly Ink[] = ["together", "alone", "third", "fourth"];

function legendOf(pairs: readonly EcdfPair[], together: string): readonly LegendEntry[] {
  const [only] = pairs;
  const any = (of: "alone" | "together"): boolean => pairs.some((pair) => pair[of] !== undefined);
  if (pairs.length === 1 && only !== undefined)
    return [
      ...(any("together") ? ([{ mark: "line", ink: "together", text: together }] as const) : []),
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

function described(pairs: readonly EcdfPair[], together: string): string {
  const part = (name: string, ecdf: Ecdf | undefined): string => {
    const [low, high] = ends(ecdf);
    if (ecdf === undefined || low === undefined || high === undefined) return `${name} unknown`;
    return `${name} ${milliseconds(low)} to ${milliseconds(high)} ms over ${ecdf.n} values`;
  };
  return `${pairs.map((pair) => `${pair.agent}: ${part(together, pair.together)}, ${part("alone", pair.alone)}`).join(". ")}.`;
}

function milliseconds(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

function shortNumber(value: number): string {
  return value >= 10_000 ? `${value / 1000}k` : String(value);
}
