import type { ModelFacts } from "../gguf/model-facts.ts";
import { plural } from "./format.ts";
import type { LaunchMemory } from "./launch-memory.ts";
import type { LedgerLine, MemoryPlace } from "./ledger.ts";
import { offloadOf } from "./offload.ts";

/** Weights by place: sums over the tensor table, never parameters × bits. */
export function weightLines(facts: ModelFacts, launch: LaunchMemory): LedgerLine[] {
  const { weights } = facts;
  const offload = offloadOf(facts, launch);
  const lines: LedgerLine[] = [
    weightLine("Input embedding", "host", weights.inputBytes, "stays in host memory wherever the layers are"),
    weightLine("Output", offload.outputPlace, weights.outputBytes, "output matrix and norms"),
  ];
  // On the host the same tensor serves twice; on the GPU the output needs a copy of its own.
  if (offload.outputPlace === "device")
    lines.push(
      weightLine(
        "Output, tied to the embedding",
        "device",
        weights.tiedOutputBytes,
        "the file has no output matrix: the input embedding is loaded a second time",
      ),
    );
  for (const place of ["device", "host"] as const) {
    const layers = servedLayers(facts).filter((layer) => offload.layerPlace(layer) === place);
    const expertBytes = layers.reduce((sum, layer) => sum + (weights.layerExpertBytes[layer] ?? 0), 0);
    const bytes = layers.reduce((sum, layer) => sum + (weights.layerBytes[layer] ?? 0), 0);
    const formula = `sum over the tensor table, ${plural(layers.length, "layer")}`;
    lines.push(weightLine("Layers", place, bytes - expertBytes, formula));
    if (facts.experts !== undefined) {
      const { used, count } = facts.experts;
      lines.push(
        weightLine(
          "Experts",
          place,
          expertBytes,
          `${formula}; all ${count} experts are resident, a token reads ${used}`,
        ),
      );
    }
  }
  return lines;
}

/** Layers that a server without speculative decoding loads. */
export function servedLayers(facts: ModelFacts): readonly number[] {
  return [...facts.layers.keys()].slice(0, facts.layers.length - facts.draftLayers);
}

function weightLine(what: string, place: MemoryPlace, bytes: number, formula: string): LedgerLine {
  return { item: "weights", label: `Weights: ${what}`, place, bytes, provenance: "declared", formula };
}
