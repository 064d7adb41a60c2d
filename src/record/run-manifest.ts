/** `manifest.json`: everything needed to know what was run, on what, and to run it again. */

export const RUN_FORMAT_VERSION = 1;

export type RunStatus = "running" | "complete" | "interrupted" | "failed";

export interface EndpointFacts {
  readonly name: string;
  readonly url: string;
  readonly engine: string;
  readonly version?: string;
  readonly model?: string;
  readonly slots?: number;
  /** Context of one slot, tokens, after the server's own clamping. */
  readonly contextTokens?: number;
  readonly modelLayers?: number;
  readonly gpuLayers?: number;
  readonly simulated: boolean;
  /** Engine-specific settings that were read back. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
}

export interface RunManifest {
  readonly formatVersion: typeof RUN_FORMAT_VERSION;
  readonly runId: string;
  readonly slipwayVersion: string;
  readonly nodeVersion: string;
  readonly command: readonly string[];
  readonly scenario: string;
  /** The full, defaulted specification; cells are derived from it alone. */
  readonly spec: unknown;
  readonly specHash: string;
  readonly seed: number;
  readonly startedIso: string;
  readonly endedIso?: string;
  readonly status: RunStatus;
  readonly host: HostSummary;
  readonly endpoints: readonly EndpointFacts[];
  /** The error certificate of `bench --selftest`, when this machine has one. */
  readonly certificate?: unknown;
  readonly simulated: boolean;
  /** Planned cells: hash → label, so that a resume knows what is missing. */
  readonly cells: readonly PlannedCell[];
  readonly plannedTrials: number;
  /** The results were measured by another program: there are figures and no records. */
  readonly imported?: ImportSource;
}

export interface ImportSource {
  readonly files: readonly ImportedFile[];
}

export interface ImportedFile {
  /** Its name where it came from. */
  readonly name: string;
  /** Its unchanged copy in the run directory. */
  readonly storedAs: string;
  readonly sha256: string;
}

export interface PlannedCell {
  readonly hash: string;
  readonly label: string;
}

export interface HostSummary {
  readonly hostname?: string;
  readonly os: string;
  readonly cpuModel?: string;
  readonly logicalCores?: number;
  readonly memoryBytes?: number;
  readonly gpus: readonly GpuSummary[];
}

export interface GpuSummary {
  readonly index: number;
  readonly name: string;
  readonly memoryTotalBytes?: number;
  readonly driverVersion?: string;
}
