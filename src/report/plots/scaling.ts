/** A figure over the number of agents, with what was measured, what a model says and what would be ideal. */
import { formatNumber } from "../../core/units.ts";
import { niceCeiling, valueAxis } from "./axes.ts";
import { INK } from "./palette.ts";
import type { LegendEntry, Plot } from "./plot.ts";
import { fewer, HALF_WIDTH, textTable } from "./plot.ts";

export interface ScalingPoint {
  readonly agents: number;
  readonly value: number;
}

export interface ScalingBand {
  readonly agents: number;
  readonly low: number;
  readonly high: number;
}

/** Plain points, so that any model of scaling can be drawn. */
export interface ScalingInput {
  readonly title: string;
  readonly axis: string;
  readonly decimals: number;
  /** Where the axis ends as long as nothing exceeds it: 100 of a percentage. */
  readonly whole?: number;
  /** One per trial. */
  readonly points: readonly ScalingPoint[];
  /** Means over the trials of each count. */
  readonly means: readonly ScalingPoint[];
  readonly ideal: { readonly text: string; readonly points: readonly ScalingPoint[] } | undefined;
  readonly model: { readonly text: string; readonly points: readonly ScalingPoint[] } | undefined;
  readonly band: { readonly text: string; readonly points: readonly ScalingBand[] } | undefined;
  readonly caption: string;
}

/** `undefined` below two counts: a line needs two ends. */
export function scalingPlot(input: ScalingInput): Plot | undefined {
  const { title, axis, means, points, ideal, model, band, caption, whole = 0 } = input;
  const counts = new Set(means.map((point) => point.agents));
  if (counts.size < 2) return undefined;
  const mostAgents = Math.max(...counts, ...(model?.points ?? []).map((point) => point.agents));
  const most = Math.max(
    ...points.map((point) => point.value),
    ...(model?.points ?? []).map((point) => point.value),
    ...(band?.points ?? []).map((point) => point.high),
  );
  return {
    title,
    description: described(input),
    caption,
    legend: legendOf(input),
    width: HALF_WIDTH,
    height: 300,
    option: {
      grid: { left: 52, right: 20, top: 30, bottom: 48 },
      xAxis: valueAxis("x", {
        name: "agents",
        min: 0,
        max: mostAgents + (mostAgents > 8 ? 1 : 0.5),
        interval: countStep(mostAgents),
        format: (n) => (Number.isInteger(n) ? String(n) : ""),
        grid: false,
      }),
      yAxis: valueAxis("y", { name: axis, min: 0, max: most <= whole ? whole : niceCeiling(most * 1.02) }),
      series: [
        ...(band === undefined ? [] : bandSeries(band.points)),
        ...(ideal === undefined ? [] : [line(ideal.points, INK.ideal, "dashed", 1.5)]),
        ...(model === undefined
          ? [line(means, INK.together, "solid", 1.5)]
          : [line(model.points, INK.together, "solid", 2)]),
        {
          type: "scatter",
          symbolSize: 9,
          silent: true,
          itemStyle: { color: INK.together, opacity: 0.6 },
          data: drawnPoints(points),
        },
      ],
    },
    table: tableOf(input),
  };
}

/** Of each count, as many as are told apart. */
const MOST_DOTS_PER_COUNT = 60;

function drawnPoints(points: readonly ScalingPoint[]): readonly (readonly number[])[] {
  const byCount = new Map<number, number[]>();
  for (const { agents, value } of points) {
    const own = byCount.get(agents);
    if (own === undefined) byCount.set(agents, [value]);
    else own.push(value);
  }
  return [...byCount].flatMap(([agents, values]) =>
    fewer(values, MOST_DOTS_PER_COUNT).map((value) => [agents, value]),
  );
}

function countStep(most: number): number {
  return most <= 10 ? 1 : niceCeiling(most / 8);
}

function line(
  points: readonly ScalingPoint[],
  color: string,
  type: "solid" | "dashed",
  width: number,
): object {
  return {
    type: "line",
    symbol: "none",
    silent: true,
    clip: true,
    lineStyle: { color, type, width },
    data: points.map((point) => [point.agents, point.value]),
  };
}

/** Two stacked lines, the upper of which fills down to the lower. */
function bandSeries(band: readonly ScalingBand[]): readonly object[] {
  const side = (data: readonly (readonly number[])[], opacity: number): object => ({
    type: "line",
    symbol: "none",
    silent: true,
    stack: "band",
    stackStrategy: "all",
    lineStyle: { opacity: 0 },
    areaStyle: { color: INK.together, opacity },
    data,
  });
  return [
    side(
      band.map((point) => [point.agents, point.low]),
      0,
    ),
    side(
      band.map((point) => [point.agents, point.high - point.low]),
      0.16,
    ),
  ];
}

function legendOf({ ideal, model, band }: ScalingInput): readonly LegendEntry[] {
  return [
    { mark: "dot", ink: "together", text: "one trial" },
    { mark: "line", ink: "together", text: model?.text ?? "through the means" },
    ...(band === undefined ? [] : ([{ mark: "band", ink: "together", text: band.text }] as const)),
    ...(ideal === undefined ? [] : ([{ mark: "dash", ink: "ideal", text: ideal.text }] as const)),
  ];
}

function tableOf({ means, points, model, band, axis, decimals }: ScalingInput): Plot["table"] {
  const at = (list: readonly ScalingPoint[] | undefined, agents: number): string =>
    formatNumber(list?.find((point) => point.agents === agents)?.value, decimals);
  return textTable(
    [
      "agents",
      "trials",
      `${axis}, mean`,
      ...(model === undefined ? [] : [model.text]),
      ...(band === undefined ? [] : [band.text]),
    ],
    means.map(({ agents, value }) => {
      const within = band?.points.find((point) => point.agents === agents);
      return [
        String(agents),
        String(points.filter((point) => point.agents === agents).length),
        formatNumber(value, decimals),
        ...(model === undefined ? [] : [at(model.points, agents)]),
        ...(band === undefined
          ? []
          : [
              within === undefined
                ? "–"
                : `${formatNumber(within.low, decimals)} … ${formatNumber(within.high, decimals)}`,
            ]),
      ];
    }),
  );
}

function described({ axis, means, decimals }: ScalingInput): string {
  const parts = means.map((point) => `${formatNumber(point.value, decimals)} with ${point.agents}`);
  return `${axis} by number of agents: ${parts.join(", ")}.`;
}
