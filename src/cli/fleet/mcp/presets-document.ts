/** Presets for an agent: what one chooses by. Environments and command lines stay here, since they may hold secrets. */
import { BYTES_PER_MIB } from "../../../core/units.ts";
import type { Preset } from "../../../preset/preset.ts";
import type { CliIo } from "../../io.ts";
import { loadPresets } from "../preset-folders.ts";

export function presetsDocument(presetsDir: string | undefined, io: CliIo): object {
  const { presets, modes } = loadPresets(io, presetsDir);
  return {
    presets: [...presets.values()].map(({ preset }) => presetFacts(preset)),
    modes: [...modes.values()].map(({ mode }) => mode),
  };
}

function presetFacts({
  name,
  description,
  engine,
  model,
  slots,
  contextTokensPerSlot,
  memory,
  dependsOn,
  priority,
}: Preset): object {
  return {
    preset: name,
    ...(description === undefined ? {} : { description }),
    engine,
    ...(model === undefined ? {} : { model }),
    ...(slots === undefined ? {} : { slots }),
    ...(contextTokensPerSlot === undefined ? {} : { contextTokensPerSlot }),
    ...(memory.vramMib === undefined ? {} : { declaredVramBytes: memory.vramMib * BYTES_PER_MIB }),
    ...(memory.hostMib === undefined ? {} : { declaredHostBytes: memory.hostMib * BYTES_PER_MIB }),
    dependsOn,
    priority,
  };
}
