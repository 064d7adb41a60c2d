/** What `slipway preset list` shows: every preset and mode in one line each. */
import { BYTES_PER_MIB, UNKNOWN, formatBytes } from "../../core/units.ts";
import type { ModeEntry, PresetCatalogue, PresetEntry } from "../../preset/catalogue.ts";
import { presetsOfMode } from "../../preset/catalogue.ts";
import type { Preset } from "../../preset/preset.ts";
import { sourceText } from "./preset-folders.ts";

export const PRESET_HEAD = ["preset", "engine", "slots", "context", "KV", "VRAM", "source"];
export const MODE_HEAD = ["mode", "presets", "VRAM", "source"];

export function presetRow(entry: PresetEntry, cwd: string): readonly string[] {
  const { preset } = entry;
  return [
    preset.name,
    preset.engine,
    numberText(preset.slots),
    numberText(preset.contextTokensPerSlot),
    kvText(preset) ?? UNKNOWN,
    formatBytes(declaredVramBytes(preset)),
    sourceText(entry, cwd),
  ];
}

export function modeRow(entry: ModeEntry, catalogue: PresetCatalogue, cwd: string): readonly string[] {
  const { name, presets } = entry.mode;
  return [
    name,
    presets.join("\n"),
    formatBytes(declaredTogetherBytes(presetsOfMode(catalogue, name))),
    sourceText(entry, cwd),
  ];
}

/** Unknown as soon as one of them declares nothing: a sum of the others would be too small. */
export function declaredTogetherBytes(entries: readonly PresetEntry[]): number | undefined {
  let sum = 0;
  for (const { preset } of entries) {
    const bytes = declaredVramBytes(preset);
    if (bytes === undefined) return undefined;
    sum += bytes;
  }
  return sum;
}

function declaredVramBytes({ memory }: Preset): number | undefined {
  return memory.vramMib === undefined ? undefined : memory.vramMib * BYTES_PER_MIB;
}

/** `q8_0` where both halves have the same type, else `K/V`; undefined where the engine decides. */
function kvText(preset: Preset): string | undefined {
  switch (preset.engine) {
    case "llama-server": {
      const { kvTypeK, kvTypeV } = preset;
      if (kvTypeK === kvTypeV) return kvTypeK;
      return `${kvTypeK ?? UNKNOWN}/${kvTypeV ?? UNKNOWN}`;
    }
    case "vllm":
    case "ollama":
      return preset.kvType;
    case "command":
      return undefined;
  }
}

function numberText(value: number | undefined): string {
  return value === undefined ? UNKNOWN : String(value);
}
