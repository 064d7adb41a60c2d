/**
 * Memory that a mode may use. On a machine with GPUs it is their memory; on one without, a share
 * of the host's, so that the same transaction serves both.
 */
export interface MemoryReading {
  readonly kind: "gpu" | "host";
  readonly totalBytes: number;
  /** What nobody holds now: other people's processes are already off it. */
  readonly freeBytes: number;
  /** Of the free, what running servers are known to need and do not hold yet: they take it as they work. */
  readonly promisedBytes?: number;
  /** Held by processes that are not this supervisor's, where the driver tells. */
  readonly foreignBytes?: number;
  /** Those that the driver names. */
  readonly foreignUsers?: readonly MemoryUser[];
  /** Host memory available, whatever `kind` is. */
  readonly hostAvailableBytes: number;
  /** The budget, when a smaller one than the machine was set. */
  readonly budgetBytes?: number;
  /** What our servers hold of the pool, by the number of their first process, where somebody tells. */
  readonly heldBytesByPid?: ReadonlyMap<number, number>;
  /** Each card for itself; absent without GPUs. */
  readonly cards?: readonly MemoryCard[];
  /** Why there is no answer about GPUs although there is a driver. */
  readonly gpuTrouble?: { readonly reason: string; readonly nextStep: string };
}

export interface MemoryUser {
  readonly pid: number;
  readonly name: string;
  /** Absent where the driver does not say, as inside containers. */
  readonly bytes?: number;
}

interface MemoryCard {
  readonly index: number;
  readonly totalBytes: number;
  readonly freeBytes: number;
}
