/** What memory a server of a preset will take: its model's header, and the ledger made of it. */
import { modelFacts } from "../gguf/model-facts.ts";
import type { ModelFacts } from "../gguf/model-facts.ts";
import { projectorBytes } from "../gguf/model-keys.ts";
import { readGguf } from "../gguf/read-gguf.ts";
import type { LaunchMemory } from "./launch-memory.ts";
import { llamaServerMemory } from "./launch-memory.ts";
import type { MemoryLedger, MemoryPlace } from "./ledger.ts";
import type { Surroundings } from "./memory-ledger.ts";
import { memoryLedger } from "./memory-ledger.ts";
import type { LlamaServerPreset } from "../../preset/preset.ts";

export interface ServerModel {
  readonly facts: ModelFacts;
  /** Absent without an mmproj file. */
  readonly projectorBytes?: number;
}

/** What models lie in: the memory of GPUs, or the host's where there are none. */
export type Pool = "gpu" | "host";

/** Reads headers only. Throws FILE_NOT_FOUND, GGUF_INVALID, GGUF_UNSUPPORTED. */
export function readServerModel({ model, mmproj }: LlamaServerPreset): ServerModel {
  const facts = modelFacts(readGguf(model));
  const projector = mmproj === undefined ? undefined : projectorBytes(readGguf(mmproj));
  return { facts, ...(projector === undefined ? {} : { projectorBytes: projector }) };
}

export function presetLedger(
  preset: LlamaServerPreset,
  model: ServerModel,
  pool: Pool,
  surroundings: Omit<Surroundings, "projectorBytes"> = {},
): MemoryLedger {
  const { projectorBytes: projector } = model;
  return memoryLedger(model.facts, presetLaunch(preset, model, pool), {
    ...surroundings,
    ...(projector === undefined || preset.mmproj === undefined ? {} : { projectorBytes: projector }),
  });
}

/** Without a GPU no layer goes to one, whatever the preset says. */
function presetLaunch(preset: LlamaServerPreset, { facts }: ServerModel, pool: Pool): LaunchMemory {
  const launch = llamaServerMemory(preset, facts);
  return pool === "gpu" ? launch : { ...launch, gpuLayers: 0 };
}

export function placeOf(pool: Pool): MemoryPlace {
  return pool === "gpu" ? "device" : "host";
}

export function poolBytes({ deviceBytes, hostBytes }: MemoryLedger, pool: Pool): number {
  return pool === "gpu" ? deviceBytes : hostBytes;
}
