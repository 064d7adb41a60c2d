/**
 * What matters of a model for memory and speed, read from its header: layers with what each keeps
 * per token or per slot, weights by place, widths. What cannot be known is absent; what is assumed
 * stands among the caveats.
 */
import { malformedGguf } from "./gguf-error.ts";
import type { GgufHeader } from "./gguf-header.ts";
import { metadataLength, metadataText } from "./gguf-header.ts";
import type { LayerMemory } from "./layer-conventions.ts";
import { UNCOUNTED_CACHES, hasUnplacedWindow, layerMemory, windowsOf } from "./layer-conventions.ts";
import { ModelKeys } from "./model-keys.ts";
import type { WeightPlaces } from "./weight-places.ts";
import { weightPlaces } from "./weight-places.ts";

/** Elements that one layer keeps for each token. */
export interface LayerCache {
  readonly keyElements: number;
  /** 0 for latent attention, which restores values from the keys. */
  readonly valueElements: number;
  /** Sees, and keeps, only the newest tokens. */
  readonly windowed: boolean;
}

/** Elements (of 4 bytes) that one layer keeps for each slot, whatever its context. */
export interface LayerState {
  readonly convolutionElements: number;
  readonly stateElements: number;
}

export interface LayerFacts {
  readonly cache?: LayerCache;
  readonly state?: LayerState;
}

export interface ExpertFacts {
  readonly count: number;
  /** Routed to for each token; the largest of all layers. */
  readonly used: number;
  readonly feedForwardWidth: number;
}

export interface ModelFacts {
  readonly path: string;
  readonly architecture: string;
  readonly name?: string;
  readonly layers: readonly LayerFacts[];
  /** Layers at the end that only speculative decoding uses; a server without it does not load them. */
  readonly draftLayers: number;
  readonly weights: WeightPlaces;
  /** The type of most of the weight bytes. */
  readonly mainTypeName: string;
  readonly embeddingWidth: number;
  readonly feedForwardWidth: number;
  readonly queryHeads: number;
  /** Elements of one token's queries, the largest of all layers. */
  readonly queryElements: number;
  /** Of recurrent layers; 0 without them. */
  readonly stateInnerWidth: number;
  readonly vocabularyTokens: number;
  readonly trainedContextTokens: number;
  readonly windowTokens?: number;
  readonly latentAttention: boolean;
  readonly experts?: ExpertFacts;
  /** Assumptions, as sentences. */
  readonly caveats: readonly string[];
}

/** llama.cpp's own limit; no model is near it. */
const MAX_LAYERS = 512;

/** Throws GGUF_INVALID when the header lacks what every language model has, GGUF_UNSUPPORTED for a projector. */
export function modelFacts(header: GgufHeader): ModelFacts {
  const keys = new ModelKeys(header);
  const { architecture } = keys;
  const layerCount = keys.needed("block_count");
  if (!Number.isInteger(layerCount) || layerCount < 1 || layerCount > MAX_LAYERS)
    throw malformedGguf(header.path, `a model of ${layerCount} layers (at most ${MAX_LAYERS})`, layerCount);
  const draftLayers = Math.min(keys.number("nextn_predict_layers") ?? 0, layerCount);
  const attention = attentionOf(keys, layerCount);
  const windows = windowsOf(keys, layerCount);
  const state = stateOf(keys, attention.queryHeads);
  const layers = Array.from({ length: layerCount }, (_, layer) =>
    // llama.cpp filters draft layers out of the cache of the model proper.
    layer >= layerCount - draftLayers
      ? {}
      : layerFacts(keys, layer, { attention, windowed: windows?.windowed[layer] === true, state }),
  );
  const experts = expertsOf(keys, layerCount);
  const windowTokens = layers.some((layer) => layer.cache?.windowed) ? windows?.windowTokens : undefined;
  const name = metadataText(header, "general.name");
  return {
    path: header.path,
    architecture,
    ...(name === undefined ? {} : { name }),
    layers,
    draftLayers,
    weights: weightPlaces(header.tensors, layerCount),
    mainTypeName: mainTypeName(header),
    embeddingWidth: keys.needed("embedding_length"),
    feedForwardWidth: Math.max(0, ...keys.perLayer("feed_forward_length", layerCount, 0)),
    queryHeads: attention.queryHeads,
    queryElements: attention.queryHeads * attention.keyWidth,
    stateInnerWidth: keys.number("ssm.inner_size") ?? 0,
    vocabularyTokens: vocabularyOf(keys),
    trainedContextTokens: keys.needed("context_length"),
    ...(windowTokens === undefined ? {} : { windowTokens }),
    latentAttention: attention.latent,
    ...(experts === undefined ? {} : { experts }),
    caveats: caveatsOf(keys, draftLayers),
  };
}

// ---- attention -------------------------------------------------------------------------------

interface AttentionFacts {
  readonly queryHeads: number;
  readonly kvHeads: readonly number[];
  readonly feedForward: readonly number[];
  readonly keyWidth: number;
  readonly valueWidth: number;
  readonly windowedKeyWidth: number;
  readonly windowedValueWidth: number;
  readonly latent: boolean;
}

function attentionOf(keys: ModelKeys, layers: number): AttentionFacts {
  const heads = keys.perLayer("attention.head_count", layers, 0);
  const kvListed = keys.perLayer("attention.head_count_kv", layers, -1);
  const headWidth =
    (heads[0] ?? 0) > 0 ? Math.floor(keys.needed("embedding_length") / (heads[0] as number)) : 0;
  const keyWidth = keys.number("attention.key_length") ?? headWidth;
  const valueWidth = keys.number("attention.value_length") ?? headWidth;
  return {
    queryHeads: Math.max(...heads),
    kvHeads: kvListed.map((count, layer) => (count < 0 ? (heads[layer] as number) : count)),
    feedForward: keys.perLayer("feed_forward_length", layers, 0),
    keyWidth,
    valueWidth,
    windowedKeyWidth: keys.number("attention.key_length_swa") ?? keyWidth,
    windowedValueWidth: keys.number("attention.value_length_swa") ?? valueWidth,
    latent:
      (keys.number("attention.key_length_mla") ?? 0) > 0 &&
      (keys.number("attention.value_length_mla") ?? 0) > 0,
  };
}

interface LayerContext {
  readonly attention: AttentionFacts;
  readonly windowed: boolean;
  readonly state: LayerState;
}

function layerFacts(keys: ModelKeys, layer: number, context: LayerContext): LayerFacts {
  const { attention, windowed, state } = context;
  const kvHeads = attention.kvHeads[layer] as number;
  const keeps: LayerMemory = layerMemory(keys, layer, {
    kvHeads,
    feedForward: attention.feedForward[layer] as number,
  });
  const cache: LayerCache = {
    keyElements: kvHeads * (windowed ? attention.windowedKeyWidth : attention.keyWidth),
    valueElements: attention.latent
      ? 0
      : kvHeads * (windowed ? attention.windowedValueWidth : attention.valueWidth),
    windowed,
  };
  switch (keeps) {
    case "cache":
      return { cache };
    case "state":
      return { state };
    case "cache-and-state":
      return { cache, state };
    case "nothing":
      return {};
  }
}

/** llama-hparams.cpp, n_embd_r and n_embd_s: elements per slot and layer, in the order llama.cpp asks. */
function stateOf(keys: ModelKeys, queryHeads: number): LayerState {
  const width = keys.needed("embedding_length");
  const wkvHead = keys.number("wkv.head_size") ?? 0;
  if (wkvHead > 0)
    return {
      convolutionElements: (keys.number("token_shift_count") ?? 2) * width,
      stateElements: width * wkvHead,
    };
  const shortConvolution = keys.number("shortconv.l_cache") ?? 0;
  const convolution = keys.number("ssm.conv_kernel") ?? 0;
  const inner = keys.number("ssm.inner_size") ?? 0;
  const stateWidth = keys.number("ssm.state_size") ?? 0;
  if (shortConvolution > 0)
    return { convolutionElements: width * (shortConvolution - 1), stateElements: stateWidth * inner };
  const deltaHead = keys.number("kda.head_dim") ?? 0;
  if (deltaHead > 0)
    return {
      convolutionElements: 3 * (convolution > 0 ? convolution - 1 : 3) * queryHeads * deltaHead,
      stateElements: deltaHead * deltaHead * queryHeads,
    };
  if (keys.architecture === "minimax-01") {
    const head = keys.number("attention.key_length") ?? Math.floor(width / Math.max(1, queryHeads));
    return { convolutionElements: 0, stateElements: head * head * queryHeads };
  }
  const groups = keys.number("ssm.group_count") ?? 0;
  return {
    convolutionElements: Math.max(0, convolution - 1) * (inner + 2 * groups * stateWidth),
    stateElements: stateWidth * inner,
  };
}

// ---- the rest --------------------------------------------------------------------------------

function expertsOf(keys: ModelKeys, layers: number): ExpertFacts | undefined {
  const count = keys.number("expert_count") ?? 0;
  if (count === 0) return undefined;
  return {
    count,
    used: Math.max(0, ...keys.perLayer("expert_used_count", layers, 0)),
    feedForwardWidth: Math.max(0, ...keys.perLayer("expert_feed_forward_length", layers, 0)),
  };
}

function vocabularyOf(keys: ModelKeys): number {
  const embedding = keys.header.tensors.find((tensor) => tensor.name === "token_embd.weight");
  return (
    metadataLength(keys.header, "tokenizer.ggml.tokens") ??
    keys.number("vocab_size") ??
    embedding?.dimensions[1] ??
    0
  );
}

function mainTypeName(header: GgufHeader): string {
  const bytes = new Map<string, number>();
  for (const tensor of header.tensors)
    bytes.set(tensor.typeName, (bytes.get(tensor.typeName) ?? 0) + tensor.bytes);
  const [largest] = [...bytes].toSorted((left, right) => right[1] - left[1]);
  return largest?.[0] ?? "f32";
}

function caveatsOf(keys: ModelKeys, draftLayers: number): string[] {
  const { architecture } = keys;
  return [
    ...(hasUnplacedWindow(keys)
      ? [
          `which layers of ${architecture} see only a window is not known here: all count as full ones, an upper bound`,
        ]
      : []),
    ...(UNCOUNTED_CACHES.has(architecture)
      ? [
          `${architecture} keeps more than keys and values (an indexer or compressed copies), which is not counted`,
        ]
      : []),
    ...(draftLayers > 0
      ? [`the last ${draftLayers} layers serve speculative decoding only and are counted as not loaded`]
      : []),
  ];
}
