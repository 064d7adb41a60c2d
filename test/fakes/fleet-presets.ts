/** Presets and readings for tests of the fleet, with everything that a test does not care about. */
import type { MemoryReading } from "../../src/fleet/memory.ts";
import type { Preset } from "../../src/preset/preset.ts";
import { presetSchema } from "../../src/preset/preset.ts";

const BYTES_PER_GIB = 1_073_741_824;

type Fields = Readonly<Record<string, unknown>>;

export function llamaPreset(name: string, fields: Fields = {}): Preset & { engine: "llama-server" } {
  const preset = presetSchema.parse({
    name,
    engine: "llama-server",
    model: `/models/${name}.gguf`,
    ...fields,
  });
  return preset as Preset & { engine: "llama-server" };
}

export function vllmPreset(name: string, fields: Fields = {}): Preset & { engine: "vllm" } {
  const preset = presetSchema.parse({ name, engine: "vllm", model: `org/${name}`, ...fields });
  return preset as Preset & { engine: "vllm" };
}

export function presetOf(fields: Fields): Preset {
  return presetSchema.parse(fields);
}

/** One card of 24 GiB on a host with 20 GiB available. */
export function gpuReading(freeGib: number, more: Partial<MemoryReading> = {}): MemoryReading {
  return {
    kind: "gpu",
    totalBytes: 24 * BYTES_PER_GIB,
    freeBytes: freeGib * BYTES_PER_GIB,
    hostAvailableBytes: 20 * BYTES_PER_GIB,
    cards: [{ index: 0, totalBytes: 24 * BYTES_PER_GIB, freeBytes: freeGib * BYTES_PER_GIB }],
    ...more,
  };
}
