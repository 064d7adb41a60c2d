/** Lengths of time as a distribution: exact while they are few, in bins of 2 % once they are many. */
import { LogHistogram } from "../stats/log-histogram.ts";
import { quantile, sortedNumbers } from "../stats/quantile.ts";
import { NS_PER_US } from "../core/units.ts";
import type { GapFigures } from "./figures.ts";

/** 8 MB of exact lengths. A trace of 5 million kernels has as many gaps, and its quantiles need no more than 2 %. */
export const MAX_EXACT_DURATIONS = 1_048_576;

export class DurationTally {
  #exact: number[] | undefined = [];
  readonly #most: number;
  #bins: LogHistogram | undefined;
  #count = 0;
  #totalNs = 0;
  #maxNs = 0;

  constructor(mostExact = MAX_EXACT_DURATIONS) {
    this.#most = mostExact;
  }

  add(ns: number): void {
    this.#count++;
    this.#totalNs += ns;
    if (ns > this.#maxNs) this.#maxNs = ns;
    if (this.#exact !== undefined) {
      this.#exact.push(ns);
      if (this.#exact.length > this.#most) this.#fold(this.#exact);
    } else this.#bins?.add(ns / NS_PER_US);
  }

  /** Undefined for nothing: a quantile of no gaps does not exist. */
  figures(): GapFigures | undefined {
    if (this.#count === 0) return undefined;
    const at = this.#quantiles();
    return {
      count: this.#count,
      totalNs: this.#totalNs,
      meanNs: this.#totalNs / this.#count,
      p50Ns: at(0.5),
      p90Ns: at(0.9),
      p99Ns: at(0.99),
      maxNs: this.#maxNs,
      quantiles: this.#exact === undefined ? "within 2 %" : "exact",
    };
  }

  #fold(lengths: readonly number[]): void {
    // The histogram resolves from a thousandth upwards: in microseconds that is one nanosecond.
    const bins = new LogHistogram();
    for (const ns of lengths) bins.add(ns / NS_PER_US);
    this.#bins = bins;
    this.#exact = undefined;
  }

  #quantiles(): (q: number) => number {
    if (this.#exact === undefined) {
      const bins = this.#bins as LogHistogram;
      return (q) => (bins.quantile(q) as number) * NS_PER_US;
    }
    const sorted = sortedNumbers(this.#exact);
    return (q) => quantile(sorted, q) as number;
  }
}
