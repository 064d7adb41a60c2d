/** What the hardware did meanwhile, a small chart for each figure that was sampled. */
import { BYTES_PER_GIB, formatNumber } from "../../core/units.ts";
import type { RunTelemetry, TelemetryFigure, TelemetrySeries } from "../../analysis/telemetry-series.ts";
import { niceCeiling, valueAxis } from "./axes.ts";
import { INK, SERIES_INKS } from "./palette.ts";
import type { Ink } from "./palette.ts";
import type { LegendEntry, Plot } from "./plot.ts";
import { HALF_WIDTH, textTable } from "./plot.ts";

interface FigureWords {
  readonly title: string;
  readonly unit: string;
  readonly scale: number;
  readonly decimals: number;
  readonly max: number | undefined;
  /** Said where nothing of the kind was sampled. */
  readonly absent: string;
}

const FIGURES: Readonly<Record<TelemetryFigure, FigureWords>> = {
  vramBytes: {
    title: "GPU memory in use",
    unit: "GiB",
    scale: 1 / BYTES_PER_GIB,
    decimals: 2,
    max: undefined,
    absent: "GPU memory",
  },
  gpuPct: {
    title: "GPU utilisation",
    unit: "%",
    scale: 1,
    decimals: 0,
    max: 100,
    absent: "GPU utilisation",
  },
  powerW: { title: "GPU power", unit: "W", scale: 1, decimals: 0, max: undefined, absent: "GPU power" },
  hostMemoryBytes: {
    title: "Host memory in use",
    unit: "GiB",
    scale: 1 / BYTES_PER_GIB,
    decimals: 2,
    max: undefined,
    absent: "host memory",
  },
  cpuPct: { title: "Host CPU", unit: "%", scale: 1, decimals: 0, max: 100, absent: "host CPU" },
};

const ORDER = Object.keys(FIGURES) as readonly TelemetryFigure[];

/** Shading more stretches than this would paint the whole chart. */
const MOST_SHADED = 60;

export function telemetryPlots(telemetry: RunTelemetry): readonly Plot[] {
  return ORDER.flatMap((figure) => {
    const series = telemetry.series.filter((one) => one.figure === figure);
    return series.length === 0 ? [] : [figurePlot(FIGURES[figure], series, telemetry)];
  });
}

/** A sentence about what there is no chart of; `undefined` when everything was sampled. */
export function absentTelemetry({ samples, series }: RunTelemetry): string | undefined {
  if (samples === 0) return "No telemetry was sampled in this run: telemetry.jsonl is empty or absent.";
  const absent = ORDER.filter((figure) => !series.some((one) => one.figure === figure));
  if (absent.length === 0) return undefined;
  const names = absent.map((figure) => FIGURES[figure].absent).join(", ");
  return `Not sampled on this machine, and therefore unknown: ${names}.`;
}

function figurePlot(words: FigureWords, all: readonly TelemetrySeries[], telemetry: RunTelemetry): Plot {
  const series = all.slice(0, SERIES_INKS.length);
  const most = Math.max(...series.map((one) => one.high)) * words.scale;
  const shaded = telemetry.togetherS.length <= MOST_SHADED ? telemetry.togetherS : [];
  return {
    title: words.title,
    description: described(words, all),
    caption: `Mean of the samples, with their lowest and highest where several fall together. From telemetry.jsonl.${all.length > series.length ? ` Drawn are ${series.length} of ${all.length} GPUs.` : ""}`,
    legend: legendOf(series, shaded.length > 0),
    width: HALF_WIDTH,
    height: 230,
    option: {
      grid: { left: 52, right: 20, top: 30, bottom: 48 },
      xAxis: valueAxis("x", {
        name: "seconds since the first sample",
        openEnd: true,
        min: 0,
        max: Math.max(telemetry.seconds, 1),
        grid: false,
        format: (s) => formatNumber(s, 0),
      }),
      yAxis: valueAxis("y", {
        name: words.unit,
        min: 0,
        max: words.max === undefined ? niceCeiling(most * 1.05) : Math.max(words.max, niceCeiling(most)),
      }),
      series: [
        ...series.flatMap((one, index) => seriesOf(one, words, SERIES_INKS[index] as string)),
        ...(shaded.length === 0 ? [] : [shading(shaded)]),
      ],
    },
    table: textTable(
      ["device", "samples", `lowest ${words.unit}`, `mean ${words.unit}`, `highest ${words.unit}`],
      all.map((one) => [
        deviceOf(one),
        String(one.samples),
        ...[one.low, one.mean, one.high].map((value) => formatNumber(value * words.scale, words.decimals)),
      ]),
    ),
  };
}

function seriesOf({ points }: TelemetrySeries, { scale }: FigureWords, color: string): readonly object[] {
  const line = (values: readonly number[], lineStyle: object, area: object = {}): object => ({
    type: "line",
    symbol: "none",
    silent: true,
    lineStyle,
    data: points.map((point, index) => [point.atS, (values[index] as number) * scale]),
    ...area,
  });
  const spread = points.some((point) => point.high > point.low);
  const stacked = { stack: `spread ${color}`, stackStrategy: "all" };
  return [
    ...(spread
      ? [
          line(
            points.map((point) => point.low),
            { opacity: 0 },
            stacked,
          ),
          line(
            points.map((point) => point.high - point.low),
            { opacity: 0 },
            { ...stacked, areaStyle: { color, opacity: 0.16 } },
          ),
        ]
      : []),
    line(
      points.map((point) => point.mean),
      { color, width: 1.5, opacity: 1 },
      points.length === 1 ? { symbol: "circle", symbolSize: 7, itemStyle: { color } } : {},
    ),
  ];
}

function shading(spans: RunTelemetry["togetherS"]): object {
  return {
    type: "line",
    data: [],
    markArea: {
      silent: true,
      itemStyle: { color: INK.shade, opacity: 0.5 },
      data: spans.map(({ fromS, toS }) => [{ xAxis: Math.max(fromS, 0) }, { xAxis: Math.max(toS, 0) }]),
    },
  };
}

const INK_NAMES: readonly Ink[] = ["together", "alone", "third", "fourth"];

function legendOf(series: readonly TelemetrySeries[], shaded: boolean): readonly LegendEntry[] {
  return [
    ...(series.length > 1
      ? series.map(
          (one, index) => ({ mark: "line", ink: INK_NAMES[index] as Ink, text: deviceOf(one) }) as const,
        )
      : []),
    ...(shaded ? ([{ mark: "bar", ink: "shade", text: "agents together" }] as const) : []),
  ];
}

function deviceOf({ gpu }: TelemetrySeries): string {
  return gpu === undefined ? "host" : `GPU ${gpu}`;
}

function described(words: FigureWords, all: readonly TelemetrySeries[]): string {
  const parts = all.map((one) => {
    const [low, mean, high] = [one.low, one.mean, one.high].map((value) =>
      formatNumber(value * words.scale, words.decimals),
    );
    return `${deviceOf(one)} ${low} to ${high} ${words.unit}, mean ${mean}`;
  });
  return `${words.title}: ${parts.join("; ")}.`;
}
