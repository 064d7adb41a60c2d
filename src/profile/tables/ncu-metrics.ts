/**
 * Which metric of Nsight Compute is which figure. The details page uses headings, the raw page and
 * `--metrics` the counters' own names. One heading can stand for two metrics, told apart by the
 * unit: "Memory Throughput" is a share of peak in one section and bytes per second in another.
 */
import type { NcuLaunch } from "../figures.ts";
import { rateScaleBytesPerS, timeScaleNs } from "./measure-units.ts";

type Figure = Exclude<keyof NcuLaunch, "id" | "name" | "family">;
type Quantity = "time" | "percent" | "rate" | "plain";

interface Metric {
  readonly figure: Figure;
  readonly quantity: Quantity;
  readonly names: readonly string[];
}

const METRICS: readonly Metric[] = [
  { figure: "durationNs", quantity: "time", names: ["duration", "gpu__time_duration.sum"] },
  {
    figure: "dramPctOfPeak",
    quantity: "percent",
    names: [
      "dram throughput",
      "dram__throughput.avg.pct_of_peak_sustained_elapsed",
      "gpu__dram_throughput.avg.pct_of_peak_sustained_elapsed",
    ],
  },
  {
    figure: "memoryPctOfPeak",
    quantity: "percent",
    names: ["memory throughput", "gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed"],
  },
  {
    figure: "computePctOfPeak",
    quantity: "percent",
    names: [
      "compute (sm) throughput",
      "sm throughput",
      "sm [%]",
      "sm__throughput.avg.pct_of_peak_sustained_elapsed",
    ],
  },
  {
    figure: "achievedBytesPerS",
    quantity: "rate",
    names: ["memory throughput", "dram__bytes.sum.per_second"],
  },
  {
    figure: "achievedOccupancyPct",
    quantity: "percent",
    names: ["achieved occupancy", "sm__warps_active.avg.pct_of_peak_sustained_active"],
  },
  {
    figure: "theoreticalOccupancyPct",
    quantity: "percent",
    names: ["theoretical occupancy", "sm__maximum_warps_per_active_cycle_pct"],
  },
  { figure: "l2HitPct", quantity: "percent", names: ["l2 hit rate", "lts__t_sector_hit_rate.pct"] },
  {
    figure: "registersPerThread",
    quantity: "plain",
    names: ["registers per thread", "launch__registers_per_thread"],
  },
  {
    figure: "wavesPerMultiprocessor",
    quantity: "plain",
    names: ["waves per sm", "launch__waves_per_multiprocessor"],
  },
];

const BY_NAME = new Map<string, readonly Metric[]>(
  [...new Set(METRICS.flatMap(({ names }) => names))].map((name) => [
    name,
    METRICS.filter(({ names }) => names.includes(name)),
  ]),
);

export function isNcuMetric(name: string): boolean {
  return BY_NAME.has(name.trim().toLowerCase());
}

/** The figure and its value in our unit; undefined for a metric that is not ours, or in a unit that is none of it. */
export function ncuFigure(
  name: string,
  unit: string,
  value: number,
): { readonly figure: Figure; readonly value: number } | undefined {
  for (const { figure, quantity } of BY_NAME.get(name.trim().toLowerCase()) ?? []) {
    const scale = scaleOf(quantity, unit);
    if (scale !== undefined) return { figure, value: value * scale };
  }
  return undefined;
}

function scaleOf(quantity: Quantity, unit: string): number | undefined {
  switch (quantity) {
    case "time":
      return timeScaleNs(unit);
    case "rate":
      return rateScaleBytesPerS(unit);
    case "percent":
      return unit.trim() === "%" ? 1 : undefined;
    case "plain":
      return rateScaleBytesPerS(unit) === undefined && unit.trim() !== "%" ? 1 : undefined;
  }
}
