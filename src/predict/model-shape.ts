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
  /** Weight bytes that one decode step reads: all layers and the output head, not the input embedding. */
  readonly weightBytes: number;
  /** Parameters of the layers alone: prefill multiplies them once per token, the output head only once. */
  readonly layerParameters: number;
  readonly layers: number;
  readonly queryHeads: number;
  readonly kvHeads: number;
  readonly headDimension: number;
  readonly kvBytesPerElement: number;
  readonly trainedContextTokens: number;
}

/** Bytes per token in the key-value cache: keys and values of every layer. */
export function kvBytesPerToken(model: ModelShape): number {
  return 2 * model.layers * model.kvHeads * model.headDimension * model.kvBytesPerElement;
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
