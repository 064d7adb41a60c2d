/**
 * One device's kernels in order of start, folded in one pass and in memory that grows with what
 * runs at one time: union, gaps, and how many kernels overlap (a sweep line in which, at equal
 * stamps, an end comes before a start).
 */
import type { ConcurrencyFigures, StreamFigures } from "./figures.ts";
import { RunningKernels } from "./running-kernels.ts";

interface StreamState {
  kernels: number;
  gpuTimeNs: number;
  busyNs: number;
  /** Latest end so far. */
  endNs: number;
}

/** Called with each gap and what the kernel that ends it brings. */
export type OnGap = (fromNs: number, toNs: number, nextExtra: number) => void;

export class DeviceTimeline {
  readonly #onGap: OnGap;
  readonly #streams = new Map<number, StreamState>();
  readonly #running = new RunningKernels();
  #firstNs = 0;
  #endNs = Number.NEGATIVE_INFINITY;
  #kernels = 0;
  #gpuTimeNs = 0;
  #busyNs = 0;
  #maxKernels = 0;
  #maxStreams = 0;
  #sameStreamOverlaps = 0;
  #sameStreamOverlapNs = 0;

  constructor(onGap: OnGap) {
    this.#onGap = onGap;
  }

  add(startNs: number, endNs: number, stream: number, extra: number): void {
    if (this.#kernels === 0) this.#firstNs = startNs;
    else if (startNs > this.#endNs) this.#onGap(this.#endNs, startNs, extra);
    if (startNs >= this.#endNs) this.#running.startAlone(endNs, stream);
    else this.#running.start(startNs, endNs, stream);
    this.#kernels++;
    this.#gpuTimeNs += endNs - startNs;
    if (endNs > this.#endNs) {
      this.#busyNs += endNs - Math.max(startNs, this.#endNs);
      this.#endNs = endNs;
    }
    this.#addToStream(startNs, endNs, stream);
    this.#maxKernels = Math.max(this.#maxKernels, this.#running.kernels, 1);
    this.#maxStreams = Math.max(this.#maxStreams, this.#running.streams, 1);
  }

  get kernels(): number {
    return this.#kernels;
  }

  get gpuTimeNs(): number {
    return this.#gpuTimeNs;
  }

  get busyNs(): number {
    return this.#busyNs;
  }

  get spanNs(): number {
    return this.#kernels === 0 ? 0 : this.#endNs - this.#firstNs;
  }

  get concurrency(): ConcurrencyFigures {
    return {
      maxKernels: this.#maxKernels,
      maxStreams: this.#maxStreams,
      sameStreamOverlaps: this.#sameStreamOverlaps,
      sameStreamOverlapNs: this.#sameStreamOverlapNs,
    };
  }

  /** By the numbers that were handed in. */
  get streams(): ReadonlyMap<number, Omit<StreamFigures, "stream">> {
    return this.#streams;
  }

  #addToStream(startNs: number, endNs: number, stream: number): void {
    const state = this.#streams.get(stream);
    const length = endNs - startNs;
    if (state === undefined) {
      this.#streams.set(stream, { kernels: 1, gpuTimeNs: length, busyNs: length, endNs });
      return;
    }
    state.kernels++;
    state.gpuTimeNs += length;
    if (startNs < state.endNs) {
      this.#sameStreamOverlaps++;
      this.#sameStreamOverlapNs += Math.min(state.endNs, endNs) - startNs;
    }
    if (endNs > state.endNs) {
      state.busyNs += endNs - Math.max(startNs, state.endNs);
      state.endNs = endNs;
    }
  }
}
