/**
 * Which layers lie on the GPU. llama.cpp counts from the end of the model and takes the output as
 * the first of them, so that a count of layers + 1 is everything (llama-model.cpp, load_tensors).
 */
import type { ModelFacts } from "../gguf/model-facts.ts";
import type { MemoryPlace } from "./ledger.ts";
import type { LaunchMemory } from "./launch-memory.ts";

export interface Offload {
  layerPlace(layer: number): MemoryPlace;
  readonly outputPlace: MemoryPlace;
  /** Any of it: then activations lie there too. */
  readonly usesDevice: boolean;
}

export function offloadOf(facts: ModelFacts, launch: LaunchMemory): Offload {
  const layers = facts.layers.length;
  const moved = launch.gpuLayers === "all" ? layers + 1 : Math.min(launch.gpuLayers, layers + 1);
  const firstOnDevice = layers + 1 - moved;
  return {
    layerPlace: (layer) => (layer >= firstOnDevice ? "device" : "host"),
    outputPlace: moved > 0 ? "device" : "host",
    usesDevice: moved > 0,
  };
}
