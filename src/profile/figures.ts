/**
 * What profiler files say, in one shape whatever wrote them: a table of kernels and a set of figures.
 * Each figure is known, or unknown with the reason; a table that a profiler left out is never a 0.
 * Times are nanoseconds.
 */
import type { KernelFamily } from "./kernel-family.ts";

export type Told<T> =
  | { readonly kind: "known"; readonly value: T }
  /** A clause that follows "unknown, because". */
  | { readonly kind: "unknown"; readonly because: string };

export function known<T>(value: T): Told<T> {
  return { kind: "known", value };
}

export function unknown(because: string): { readonly kind: "unknown"; readonly because: string } {
  return { kind: "unknown", because };
}

export function valueOf<T>(told: Told<T>): T | undefined {
  return told.kind === "known" ? told.value : undefined;
}

/** One kernel by name, over all devices and streams. */
export interface KernelRow {
  readonly name: string;
  readonly family: KernelFamily;
  readonly instances: number;
  readonly totalNs: number;
  readonly meanNs: number;
  /** Absent where a report does not give it. */
  readonly minNs?: number;
  readonly maxNs?: number;
  /** Of the time of all kernels, 0 to 1; absent where no kernel took any time. */
  readonly timeShare?: number;
}

/** Most time first. */
export type KernelTable = readonly KernelRow[];

export interface FamilyRow {
  readonly family: KernelFamily;
  readonly kernels: number;
  readonly totalNs: number;
  readonly timeShare?: number;
}

/** Calls of one function, or passes through one range. Calls of several threads overlap: a sum is no wall time. */
export interface CallRow {
  readonly name: string;
  readonly calls: number;
  readonly totalNs: number;
  readonly minNs?: number;
  readonly maxNs?: number;
  /** Of the time of all rows listed together, 0 to 1. */
  readonly timeShare?: number;
}

export interface MemoryRow {
  /** Such as `host-to-device` or `memset`. */
  readonly operation: string;
  readonly count: number;
  /** Absent where only sizes are told. */
  readonly totalNs?: number;
  readonly bytes?: number;
  /** Bytes per second of the time that the operations took, summed. */
  readonly bytesPerS?: number;
}

/** Distribution of the gaps between kernels of one device. */
export interface GapFigures {
  readonly count: number;
  readonly totalNs: number;
  readonly meanNs: number;
  readonly p50Ns: number;
  readonly p90Ns: number;
  readonly p99Ns: number;
  readonly maxNs: number;
  /** Beyond a million gaps quantiles are read from bins of 2 %. */
  readonly quantiles: "exact" | "within 2 %";
}

/** What an idle device waited for; the parts add up to the gaps' total. */
export interface IdleSplit {
  /** A copy or a memset ran while no kernel did. */
  readonly transferNs: number;
  /** The host had begun to launch the next kernel, which had not started. */
  readonly launchBoundNs: number;
  /** Of that: the launch had begun before the gap did, so the kernel was queued or its launch under way. */
  readonly alreadyLaunchedNs: number;
  /** The host had not begun to launch the next kernel. */
  readonly hostBoundNs: number;
  /** The next kernel's launch is not in the trace. */
  readonly unknownNs: number;
}

export interface ConcurrencyFigures {
  /** Most kernels at one time; at equal stamps an end comes before a start. */
  readonly maxKernels: number;
  /**
   * Most streams with a running kernel at one time: what overlaps within one stream is not counted.
   * This and the next two are absent where the trace does not tell streams apart.
   */
  readonly maxStreams?: number;
  /** Kernels that started while one of their own stream still ran, and for how long. */
  readonly sameStreamOverlaps?: number;
  readonly sameStreamOverlapNs?: number;
}

export interface StreamFigures {
  /** The stream's number, with its process and context where there are several. */
  readonly stream: string;
  readonly kernels: number;
  readonly gpuTimeNs: number;
  readonly busyNs: number;
}

/** Busy time of kernels together with whole CUDA graphs, whose kernels are hidden. */
export interface BusyFigures {
  readonly busyNs: number;
  readonly spanNs: number;
  /** Absent for an empty span. */
  readonly utilisationOfSpan?: number;
  readonly utilisationOfWindow: Told<number>;
}

export interface DeviceFigures extends BusyFigures {
  readonly device: string;
  readonly kernels: number;
  /** Sum of kernel durations; overlapping kernels count twice. */
  readonly gpuTimeNs: number;
  readonly concurrency: ConcurrencyFigures;
  /** Known without gaps: a device with one kernel has none. */
  readonly gaps: Told<GapFigures>;
  readonly idle: Told<IdleSplit>;
  readonly streams: Told<readonly StreamFigures[]>;
  readonly withGraphs?: BusyFigures;
}

export interface GpuFacts {
  readonly name: string;
  readonly memoryBytes?: number;
  /** Peak DRAM bandwidth. */
  readonly memoryBytesPerS?: number;
  readonly multiprocessors?: number;
}

/** How CUDA graphs show in the trace, which decides what the kernel figures cover. */
export type GraphReading =
  | { readonly kind: "none" }
  /** Each kernel of a graph stands in the table. */
  | { readonly kind: "nodes"; readonly kernels: number; readonly launches?: number }
  /** Graphs ran whole; their kernels are in no table. */
  | {
      readonly kind: "hidden";
      readonly launches: number;
      /** Time of the whole graphs, where they were recorded as such. */
      readonly graphTimeNs?: number;
      /** Kernels seen beside them. */
      readonly kernelsOutside: number;
    }
  /** Graphs were launched, and the file cannot tell whether their kernels are in it. */
  | { readonly kind: "undecided"; readonly launches: number };

export interface MemoryUsage {
  readonly events: number;
  readonly allocations: number;
  readonly frees: number;
  /** Highest sum of device allocations that the events tell, over all devices. */
  readonly peakBytes: number;
  readonly endBytes: number;
}

export interface MetricRow {
  readonly name: string;
  readonly samples: number;
  readonly mean: number;
  readonly max: number;
}

/** One kernel launch under Nsight Compute, which runs kernels alone and at a locked clock: its times are no wall times. */
export interface NcuLaunch {
  readonly id: string;
  readonly name: string;
  readonly family: KernelFamily;
  readonly durationNs?: number;
  /** Shares of peak in percent, as the tool gives them. */
  readonly dramPctOfPeak?: number;
  readonly memoryPctOfPeak?: number;
  readonly computePctOfPeak?: number;
  readonly achievedBytesPerS?: number;
  readonly achievedOccupancyPct?: number;
  readonly theoreticalOccupancyPct?: number;
  readonly l2HitPct?: number;
  readonly registersPerThread?: number;
  readonly wavesPerMultiprocessor?: number;
}

export type ProfileFormat = "nsys-sqlite" | "nsys-stats-csv" | "ncu-csv" | "chrome-json";

export interface ProfileSource {
  readonly path: string;
  readonly bytes: number;
  readonly format: ProfileFormat;
  /** Product and schema where the file tells them, or the names of its reports. */
  readonly detail: string;
}

export interface ProfileFigures {
  readonly sources: readonly ProfileSource[];
  readonly kernelCount: Told<number>;
  readonly gpuTimeNs: Told<number>;
  /** How long was recorded, kernels or not. */
  readonly recordedNs: Told<number>;
  readonly devices: Told<readonly DeviceFigures[]>;
  readonly gpus: Told<readonly GpuFacts[]>;
  readonly kernels: Told<KernelTable>;
  readonly families: Told<readonly FamilyRow[]>;
  readonly memory: Told<readonly MemoryRow[]>;
  readonly cudaApi: Told<readonly CallRow[]>;
  readonly osRuntime: Told<readonly CallRow[]>;
  readonly nvtx: Told<readonly CallRow[]>;
  readonly graphs: Told<GraphReading>;
  readonly profilerOverheadNs: Told<number>;
  readonly memoryUsage: Told<MemoryUsage>;
  readonly gpuMetrics: Told<readonly MetricRow[]>;
  readonly contextSwitches: Told<number>;
  readonly ncu: Told<readonly NcuLaunch[]>;
  /** What the profiler warned of, and rows that could not be used. */
  readonly notes: readonly string[];
}

/** What one file adds; the rest is unknown for the reason given. */
export type FigureSet = Omit<ProfileFigures, "sources" | "notes">;

/** Every figure unknown, each for the same reason, to be spread under those that a format knows. */
export function allUnknown(because: string): FigureSet {
  const not = unknown(because);
  return {
    kernelCount: not,
    gpuTimeNs: not,
    recordedNs: not,
    devices: not,
    gpus: not,
    kernels: not,
    families: not,
    memory: not,
    cudaApi: not,
    osRuntime: not,
    nvtx: not,
    graphs: not,
    profilerOverheadNs: not,
    memoryUsage: not,
    gpuMetrics: not,
    contextSwitches: not,
    ncu: not,
  };
}
