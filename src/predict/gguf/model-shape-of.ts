/** A model as the step-time model and the simulator see it, from its header. */
import { assert } from "../../core/assert.ts";
import type { KvType } from "../../preset/preset.ts";
import type { ModelShape } from "../model-shape.ts";
import { ggmlTypeNamed } from "./ggml-type.ts";
import type { LayerFacts, ModelFacts } from "./model-facts.ts";

export interface CacheTypes {
  readonly kvTypeK: KvType;
  readonly kvTypeV: KvType;
}

/**
 * A shape has equal layers. Where a model's differ (hybrids, windows of another width, latent
 * attention) heads and windowed layers are means, and need not be whole: the products that
 * predictions are made of, cache bytes per token and attention per token, are then exact.
 */
export function modelShapeOf(facts: ModelFacts, types: CacheTypes): ModelShape {
  // A file may hold draft layers alone.
  const layers = Math.max(1, facts.layers.length - facts.draftLayers);
  const cached = facts.layers.filter((layer) => layer.cache !== undefined);
  const elements = sum(cached.map(cacheElements));
  const windowedElements = sum(cached.filter((layer) => layer.cache?.windowed).map(cacheElements));
  const keyElements = sum(cached.map((layer) => layer.cache?.keyElements ?? 0));
  const headDimension = Math.max(1, facts.queryElements / Math.max(1, facts.queryHeads));
  const cacheBytes =
    keyElements * elementBytes(types.kvTypeK) + (elements - keyElements) * elementBytes(types.kvTypeV);
  return {
    name: facts.name ?? facts.architecture,
    family: facts.architecture,
    parameterLabel: parameterLabel(facts.weights.elements),
    quantization: facts.mainTypeName,
    ...weightsRead(facts, layers),
    layers,
    queryHeads: (facts.queryHeads * cached.length) / layers,
    kvHeads: elements / (2 * layers * headDimension),
    headDimension,
    kvBytesPerElement: elements === 0 ? 0 : cacheBytes / elements,
    trainedContextTokens: facts.trainedContextTokens,
    ...(facts.windowTokens === undefined || elements === 0
      ? {}
      : {
          slidingWindow: {
            windowTokens: facts.windowTokens,
            layers: (layers * windowedElements) / elements,
          },
        }),
  };
}

function weightsRead(
  { weights, experts }: ModelFacts,
  layers: number,
): Pick<ModelShape, "weightBytes" | "layerParameters" | "experts"> {
  const expertBytes = sum(weights.layerExpertBytes.slice(0, layers));
  const expertParameters = sum(weights.layerExpertElements.slice(0, layers));
  const parameters = sum(weights.layerElements.slice(0, layers));
  const chosenShare = experts === undefined ? 1 : experts.used / experts.count;
  return {
    weightBytes: sum(weights.layerBytes.slice(0, layers)) + weights.outputBytes + weights.tiedOutputBytes,
    layerParameters: parameters - expertParameters * (1 - chosenShare),
    ...(experts === undefined
      ? {}
      : { experts: { count: experts.count, usedPerToken: experts.used, weightBytes: expertBytes } }),
  };
}

function cacheElements(layer: LayerFacts): number {
  return (layer.cache?.keyElements ?? 0) + (layer.cache?.valueElements ?? 0);
}

function elementBytes(name: KvType): number {
  const type = ggmlTypeNamed(name);
  assert(type !== undefined, `the cache type ${name} has a size`);
  return type.blockBytes / type.blockElements;
}

/** As people write it: 8.0B, 350M. */
function parameterLabel(parameters: number): string {
  return parameters >= 1e9 ? `${(parameters / 1e9).toFixed(1)}B` : `${(parameters / 1e6).toFixed(0)}M`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
