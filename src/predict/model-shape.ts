/**
 * What a language model is to the memory bus: how many bytes one decode step reads, how many bytes
 * each token leaves in the key-value cache, how many multiplications a token costs. A reader of
 * GGUF headers fills the same shape for any model; a few are here by name.
 */

export interface ModelShape {
  readonly name: string;
  readonly family: string;
  /** As people write it, for example "8.0B" and "Q4_K_M". */
  readonly parameterLabel: string;
  readonly quantization: string;
  /** Weight bytes that one decode step may read: all layers and the output head, not the input embedding; all experts. */
  readonly weightBytes: number;
  /** Parameters that one token is multiplied with in the layers; the output head comes once per answer only. */
  readonly layerParameters: number;
  /** A mixture of experts: which part of `weightBytes` is read only where a token chose it. Absent: a dense model. */
  readonly experts?: ExpertShape;
  /** Layers whose tokens see only the last few. Absent: all layers see the whole context. */
  readonly slidingWindow?: SlidingWindow;
  readonly layers: number;
  readonly queryHeads: number;
  readonly kvHeads: number;
  readonly headDimension: number;
  readonly kvBytesPerElement: number;
  readonly trainedContextTokens: number;
}

export interface ExpertShape {
  /** Experts of one layer, and how many of them a token goes through. */
  readonly count: number;
  readonly usedPerToken: number;
  /** The part of `weightBytes` that is experts, all layers together. */
  readonly weightBytes: number;
}

export interface SlidingWindow {
  readonly windowTokens: number;
  /** Of `layers`, those that are windowed. */
  readonly layers: number;
}

/** Bytes per token in the key-value cache: keys and values of every layer, windowed ones too. */
export function kvBytesPerToken(model: ModelShape): number {
  return model.layers * kvBytesPerTokenAndLayer(model);
}

/** The length of context at which some layers stop to see more; Infinity where none do. */
export function windowedLayersTokens(model: ModelShape): number {
  return model.slidingWindow?.windowTokens ?? Infinity;
}

export function kvBytesPerTokenAndLayer(model: ModelShape): number {
  return 2 * model.kvHeads * model.headDimension * model.kvBytesPerElement;
}

/**
 * Weight bytes that a step of this many tokens reads. Of E experts, each token choosing k at random,
 * E·(1 − (1 − k/E)^N) are chosen at least once by N tokens; real routers are less even, so fewer are.
 */
export function weightBytesRead(model: ModelShape, tokens: number): number {
  if (model.experts === undefined) return model.weightBytes;
  const { count, usedPerToken, weightBytes } = model.experts;
  const chosenShare = 1 - (1 - usedPerToken / count) ** tokens;
  return model.weightBytes - weightBytes * (1 - chosenShare);
}

/** Llama 3.1 8B's published configuration; 8,030,261,248 parameters, of which embedding and head 525,336,576 each. */
const LLAMA_8B = {
  family: "llama",
  parameterLabel: "8.0B",
  layerParameters: 6_979_588_096,
  layers: 32,
  queryHeads: 32,
  kvHeads: 8,
  headDimension: 128,
  kvBytesPerElement: 2,
  trainedContextTokens: 131_072,
} as const;

/** Gemma 3 4B's published configuration, 4-bit. Its sliding-window layers are counted as full ones: an upper bound. */
const GEMMA_4B = {
  name: "gemma3",
  family: "gemma3",
  parameterLabel: "4.3B",
  quantization: "Q4_K_M",
  weightBytes: 2.49e9,
  layerParameters: 3.21e9,
  layers: 34,
  queryHeads: 8,
  kvHeads: 4,
  headDimension: 256,
  kvBytesPerElement: 2,
  trainedContextTokens: 131_072,
} as const;

export const MODEL_SHAPES: readonly ModelShape[] = [
  // 4.58 GiB file (as llama.cpp users publish it) less the 4.5-bit input embedding of 295 MB.
  { ...LLAMA_8B, name: "llama-8b-q4", quantization: "Q4_K_M", weightBytes: 4.62e9 },
  { ...LLAMA_8B, name: "llama-8b-bf16", quantization: "BF16", weightBytes: 2 * 7_504_924_672 },
  GEMMA_4B,
];

export const DEFAULT_MODEL_SHAPE = MODEL_SHAPES[0] as ModelShape;

/** By name, with or without a tag ("gemma3:latest"); undefined when no shape of that name is known. */
export function findModelShape(name: string): ModelShape | undefined {
  const wanted = name.toLowerCase();
  const family = wanted.split(":")[0];
  return MODEL_SHAPES.find((shape) => shape.name === wanted || shape.name === family);
}
