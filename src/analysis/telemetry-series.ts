/**
 * Hardware samples as series for a view: each cut into at most {@link MOST_POINTS} intervals with
 * the mean, the lowest and the highest sample in it. What was not sampled gives no series.
 */
import { nsToS } from "../core/units.ts";
import type { TelemetrySample } from "../record/event-record.ts";
import type { TrialRecord } from "../record/trial-record.ts";

export interface SeriesPoint {
  /** Mean time of the samples, seconds from the run's first sample. */
  readonly atS: number;
  readonly low: number;
  readonly mean: number;
  readonly high: number;
}

export type TelemetryFigure = "vramBytes" | "gpuPct" | "powerW" | "hostMemoryBytes" | "cpuPct";

export interface TelemetrySeries {
  readonly figure: TelemetryFigure;
  /** The GPU's index; absent for figures of the host. */
  readonly gpu: number | undefined;
  readonly samples: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly points: readonly SeriesPoint[];
}

export interface RunTelemetry {
  readonly samples: number;
  readonly seconds: number;
  readonly series: readonly TelemetrySeries[];
  /** When agents ran together, on the same axis; empty where the clock started anew in between. */
  readonly togetherS: readonly { readonly fromS: number; readonly toS: number }[];
}

/** One for every two pixels of a chart. */
const MOST_POINTS = 180;

interface Samples {
  readonly figure: TelemetryFigure;
  readonly gpu: number | undefined;
  readonly atS: number[];
  readonly values: number[];
}

export class TelemetryFold {
  readonly #series = new Map<string, Samples>();
  #firstNs: number | undefined;
  #previousNs = 0;
  #shiftNs = 0;
  #samples = 0;

  /** In file order. The monotonic clock starts anew with the machine: a resumed run then goes on where it ended. */
  sample(sample: TelemetrySample): void {
    this.#firstNs ??= sample.atNs;
    if (this.#samples > 0 && sample.atNs < this.#previousNs) this.#shiftNs += this.#previousNs - sample.atNs;
    this.#previousNs = sample.atNs;
    this.#samples++;
    const atS = nsToS(sample.atNs + this.#shiftNs - this.#firstNs);
    for (const gpu of sample.gpus ?? []) {
      this.#add("vramBytes", gpu.index, atS, gpu.memoryUsedBytes);
      this.#add("gpuPct", gpu.index, atS, gpu.utilizationPct);
      this.#add("powerW", gpu.index, atS, gpu.powerW);
    }
    const { memoryTotalBytes, memoryAvailableBytes, cpuPct } = sample;
    if (memoryTotalBytes !== undefined && memoryAvailableBytes !== undefined)
      this.#add("hostMemoryBytes", undefined, atS, memoryTotalBytes - memoryAvailableBytes);
    this.#add("cpuPct", undefined, atS, cpuPct);
  }

  finish(trials: readonly TrialRecord[]): RunTelemetry {
    const firstNs = this.#firstNs;
    const seconds = firstNs === undefined ? 0 : nsToS(this.#previousNs + this.#shiftNs - firstNs);
    return {
      samples: this.#samples,
      seconds,
      series: [...this.#series.values()].map((one) => cutDown(one, seconds)),
      togetherS:
        firstNs === undefined || this.#shiftNs > 0
          ? []
          : trials
              .filter((trial) => trial.kind === "together" && trial.status === "complete")
              .map((trial) => ({
                fromS: nsToS(trial.originMonotonicNs + trial.barrierNs - firstNs),
                toS: nsToS(trial.originMonotonicNs + trial.endNs - firstNs),
              })),
    };
  }

  #add(figure: TelemetryFigure, gpu: number | undefined, atS: number, value: number | undefined): void {
    if (value === undefined) return;
    const key = `${figure}/${gpu ?? ""}`;
    let own = this.#series.get(key);
    if (own === undefined) {
      own = { figure, gpu, atS: [], values: [] };
      this.#series.set(key, own);
    }
    own.atS.push(atS);
    own.values.push(value);
  }
}

function cutDown({ figure, gpu, atS, values }: Samples, seconds: number): TelemetrySeries {
  const widthS = seconds / MOST_POINTS;
  const points: SeriesPoint[] = [];
  let [sum, low, high] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let from = 0; from < values.length; ) {
    const interval = Math.floor((atS[from] as number) / widthS);
    let to = from;
    const point = { atS: 0, mean: 0, low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY };
    // With few samples every interval holds one; the first is taken in any case, so that the loop moves on.
    do {
      const value = values[to] as number;
      point.atS += atS[to] as number;
      point.mean += value;
      point.low = Math.min(point.low, value);
      point.high = Math.max(point.high, value);
      to++;
    } while (to < values.length && Math.floor((atS[to] as number) / widthS) === interval);
    sum += point.mean;
    low = Math.min(low, point.low);
    high = Math.max(high, point.high);
    points.push({ ...point, atS: point.atS / (to - from), mean: point.mean / (to - from) });
    from = to;
  }
  return { figure, gpu, samples: values.length, mean: sum / values.length, low, high, points };
}
