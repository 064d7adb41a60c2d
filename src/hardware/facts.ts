/**
 * What this machine is. The shapes are assignable to the host part of a run manifest and to the
 * samples of `telemetry.jsonl`; they stand here too because this folder knows nothing of records.
 */

/** One card as the driver describes it. A field the driver does not answer is absent. */
export interface GpuFacts {
  readonly index: number;
  readonly name: string;
  readonly uuid?: string;
  readonly driverVersion?: string;
  /** Absent on boards that share the host's memory: their driver answers "Not Supported". */
  readonly memoryTotalBytes?: number;
  readonly memoryUsedBytes?: number;
  readonly memoryFreeBytes?: number;
  readonly computeCapability?: string;
  readonly powerLimitW?: number;
  /** With MIG on, memory is the whole card's, while a server sees only its slice. */
  readonly mig?: "enabled" | "disabled";
}

/** One moment of one card. */
export interface GpuReading {
  readonly index: number;
  readonly memoryUsedBytes?: number;
  readonly memoryFreeBytes?: number;
  readonly utilizationPct?: number;
  readonly memoryUtilizationPct?: number;
  readonly powerW?: number;
  readonly smClockMhz?: number;
  readonly memoryClockMhz?: number;
  readonly temperatureC?: number;
  /** Empty: the driver says that nothing holds the clocks back. Absent: it does not say. */
  readonly throttleReasons?: readonly string[];
}

/** Why there is no answer about GPUs. `absent` is an ordinary machine, `failed` is a broken one. */
export interface GpuTrouble {
  readonly kind: "absent" | "failed";
  readonly reason: string;
  readonly nextStep: string;
}

export type GpuQuery = { readonly kind: "found"; readonly gpus: readonly GpuFacts[] } | GpuTrouble;

export interface HostFacts {
  readonly hostname?: string;
  readonly os: string;
  readonly cpuModel?: string;
  readonly logicalCores?: number;
  /** Cores' worth of CPU time a control group allows, where that is fewer. */
  readonly cpuLimitCores?: number;
  /** Frequency governor of the first core; `powersave` slows a client's reaction to each chunk. */
  readonly cpuGovernor?: string;
  /** The host's own memory. */
  readonly memoryBytes?: number;
  /** What a control group allows, where that is less. */
  readonly memoryLimitBytes?: number;
  readonly memoryAvailableBytes?: number;
  readonly gpus: readonly GpuFacts[];
  readonly gpuTrouble?: GpuTrouble;
}
