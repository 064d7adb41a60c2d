/** How much memory a preset takes of the pool, by the best figure that is known. */
import { BYTES_PER_MIB } from "../core/units.ts";
import type { Preset } from "../preset/preset.ts";
import type { MemoryReading } from "./memory.ts";

export interface MemoryNeed {
  readonly bytes: number;
  /** Where the figure comes from. `share`: vLLM takes a share of the card, whatever the model. */
  readonly source: "declared" | "share" | "parsed" | "measured";
}

/** Undefined: nobody knows. The caller plugs in figures that were parsed or measured, where it has any. */
export type MemoryNeedOf = (preset: Preset) => MemoryNeed | undefined;

/**
 * vLLM's own default for --gpu-memory-utilization. It takes this share of a card for weights and
 * cache together, also for a small embedding model.
 */
export const VLLM_DEFAULT_SHARE = 0.9;

/** The declared figure, else what is known of the engine. */
export function declaredNeed(preset: Preset, reading: MemoryReading): MemoryNeed | undefined {
  const bytes = declaredBytes(preset, reading.kind);
  if (bytes !== undefined) return { bytes, source: "declared" };
  const card = reading.cards?.[0];
  if (preset.engine !== "vllm" || reading.kind === "host" || card === undefined) return undefined;
  const share = preset.gpuMemoryFraction ?? VLLM_DEFAULT_SHARE;
  return { bytes: Math.round(share * card.totalBytes) * (preset.tensorParallelGpus ?? 1), source: "share" };
}

/** Without GPUs what was to lie in their memory lies in the host's, beside what lay there already. */
export function declaredBytes({ memory }: Preset, kind: MemoryReading["kind"]): number | undefined {
  const { vramMib, hostMib } = memory;
  if (kind === "gpu") return vramMib === undefined ? undefined : vramMib * BYTES_PER_MIB;
  if (vramMib === undefined && hostMib === undefined) return undefined;
  return ((vramMib ?? 0) + (hostMib ?? 0)) * BYTES_PER_MIB;
}
