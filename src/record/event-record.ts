/** Lines of `events.jsonl` (what happened) and `telemetry.jsonl` (what the hardware did). */

export interface EventRecord {
  /** Monotonic nanoseconds of this host. */
  readonly atNs: number;
  readonly kind: string;
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface GpuSample {
  readonly index: number;
  readonly memoryUsedBytes?: number;
  readonly memoryFreeBytes?: number;
  readonly utilizationPct?: number;
  readonly memoryUtilizationPct?: number;
  readonly powerW?: number;
  readonly smClockMhz?: number;
  readonly memoryClockMhz?: number;
  readonly temperatureC?: number;
  readonly throttleReasons?: readonly string[];
}

export interface ProcessSample {
  readonly pid: number;
  readonly name: string;
  readonly rssBytes?: number;
  readonly vramBytes?: number;
  readonly cpuPct?: number;
}

/** Absent hardware is absent data. */
export interface TelemetrySample {
  readonly atNs: number;
  readonly gpus?: readonly GpuSample[];
  readonly memoryAvailableBytes?: number;
  readonly memoryTotalBytes?: number;
  readonly cpuPct?: number;
  readonly loadAverage1?: number;
  readonly processes?: readonly ProcessSample[];
}
