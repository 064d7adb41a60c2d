/**
 * What a changed preset would take, estimated from the one figure that its operator declared, for
 * models whose file cannot be read. Weights are the files' size; of the rest a fixed part is set
 * aside, and what remains is taken to be the cache, which grows with slots, context and cache type.
 */
import { BYTES_PER_MIB } from "../core/units.ts";
import { kvRowBytes } from "../predict/vram/cache-lines.ts";
import type { KvType, Preset } from "../preset/preset.ts";
import type { NeedBytes } from "./alternatives.ts";
import { declaredBytes } from "./memory-need.ts";
import type { Propose } from "./supervisor-state.ts";

/**
 * Compute buffers and CUDA's own memory do not shrink with the cache. Study 003 put scratch and
 * fragments at about 0.5 GiB each; taking the part too large makes the estimate say too much, never
 * too little.
 */
const BESIDE_CACHE_BYTES = 1024 * BYTES_PER_MIB;

export interface DeclaredPreset {
  readonly preset: Preset;
  readonly declaredBytes: number;
  /** All model files together. */
  readonly fileBytes: number;
}

/** What presets of a question would take, by what they declare. `fileBytes`: of all model files of a preset. */
export function declaredNeeds(
  { presets, kind }: Parameters<Propose>[0],
  fileBytes: (preset: Preset) => number,
): NeedBytes {
  const known = presets.flatMap((preset) => {
    const declared = declaredBytes(preset, kind);
    return declared === undefined ? [] : [{ preset, declaredBytes: declared, fileBytes: fileBytes(preset) }];
  });
  return needFromDeclared(known);
}

/** Undefined for a preset that is not among these: without a figure nothing can be computed. */
export function needFromDeclared(known: readonly DeclaredPreset[]): NeedBytes {
  const byName = new Map(known.map((entry) => [entry.preset.name, entry]));
  return (changed) => {
    const entry = byName.get(changed.name);
    if (entry === undefined) return undefined;
    const { preset, declaredBytes, fileBytes } = entry;
    const cacheBytes = Math.max(0, declaredBytes - fileBytes - BESIDE_CACHE_BYTES);
    const before = cacheSize(preset);
    const after = cacheSize(changed);
    if (before === undefined || after === undefined) return declaredBytes;
    return Math.round(declaredBytes - cacheBytes * (1 - after / before));
  };
}

/** Proportional to the cache's bytes; undefined where the context is left to the server, which then ignores the slots. */
function cacheSize(preset: Preset): number | undefined {
  if (preset.contextTokensPerSlot === undefined || preset.engine === "vllm" || preset.engine === "command")
    return undefined;
  return (preset.slots ?? 1) * preset.contextTokensPerSlot * valueBytes(preset);
}

/** Of a key and a value together; llama.cpp keeps both as f16 unless told otherwise. */
function valueBytes(preset: Preset): number {
  const size = (type: KvType | undefined): number => kvRowBytes(type ?? "f16", VALUES_PER_BLOCK);
  if (preset.engine === "llama-server") return size(preset.kvTypeK) + size(preset.kvTypeV);
  return preset.engine === "ollama" ? 2 * size(preset.kvType) : 2 * size(undefined);
}

/** Every cache type has a whole number of bytes for so many values. */
const VALUES_PER_BLOCK = 32;
