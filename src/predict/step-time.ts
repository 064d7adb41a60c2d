/**
 * How long one engine step takes: a roofline. A decode step streams every weight once, whatever
 * the batch, and each sequence's own cache; a prefill multiplies. So
 *
 *   step = t0 + max( W/(η_w·B), 2·P·T/(η_c·F) ) + Σ k·C_i/(η_kv·B) + 4·L·H·d·Σ(n·p + n²/2)/(η_a·F)
 *
 * with W weight bytes read in the step (of a mixture of experts those that its tokens choose), B bytes/s, P layer parameters, T tokens in the step, F FLOP/s,
 * k cache bytes per token, C_i the context of decoding sequence i, and for every prefill chunk
 * n new tokens on depth p (L layers, H query heads, d head dimension).
 *
 * Not in it: a mixed prefill and decode step costs 1.2 to 1.6 times this sum on an RTX 4090, and a
 * cache that fits the L2 reads faster than B. The tests compare it with published measurements.
 */
import type { GpuSpec } from "../hardware/gpu-catalogue.ts";
import { NS_PER_S } from "../core/units.ts";
import { kvBytesPerTokenAndLayer, weightBytesRead } from "./model-shape.ts";
import type { ModelShape } from "./model-shape.ts";

export type DeviceShape = Pick<GpuSpec, "name" | "memoryBytes" | "bandwidthBytesPerS" | "computeFlopPerS">;

/** The share of the data sheet's peak that an engine's kernels reach, and its fixed cost per step. */
export interface KernelEfficiency {
  readonly name: string;
  readonly weights: number;
  readonly kv: number;
  readonly compute: number;
  readonly attention: number;
  readonly stepOverheadNs: number;
}

/**
 * Fitted to the RTX 4090 layer times of Llama-3.1-8B bf16 that LLMServingSim publishes (vLLM 0.19
 * kernels): decode .87 reproduces every composed point within 8.1 %; prefill from its 2,048-token
 * chunks at depth 0, 4k and 16k (192, 223, 316 ms).
 */
export const VLLM_KERNELS: KernelEfficiency = {
  name: "vllm",
  weights: 0.87,
  kv: 0.87,
  compute: 0.94,
  attention: 0.86,
  stepOverheadNs: 150_000,
};

/**
 * Fitted to llama-bench on an RTX 4090 with an 8B Q4_K_M (the GPU-Benchmarks-on-LLM-Inference table
 * of May 2024): generation 130.58, 127.74, 119.44, 110.66 tok/s at mean contexts of 256, 512, 2,048,
 * 4,096 tokens; prompts 7,139 … 4,040 tok/s. Flash attention was off by default then, hence the low
 * `kv` and `attention`.
 */
export const LLAMA_CPP_KERNELS: KernelEfficiency = {
  name: "llama.cpp",
  weights: 0.7,
  kv: 0.36,
  compute: 0.636,
  attention: 0.113,
  stepOverheadNs: 1_030_000,
};

/** Where the layers that do not fit the card run: two channels of DDR5-4800 and a desktop processor's AVX2 rate. */
const HOST_BANDWIDTH_BYTES_PER_S = 76.8e9;
const HOST_COMPUTE_FLOP_PER_S = 1e12;

export interface StepTimeModel {
  readonly model: ModelShape;
  readonly device: DeviceShape;
  readonly efficiency: KernelEfficiency;
  /** Layers on the card, the output head counting as one more; the rest runs on the host. Absent: all. */
  readonly gpuLayers?: number;
}

export interface PrefillChunk {
  readonly newTokens: number;
  /** Tokens of the same sequence that are in the cache already. */
  readonly depthTokens: number;
}

export interface StepWork {
  /** Sequences that get one token each. */
  readonly decodeSequences: number;
  /** Sum of their contexts. */
  readonly decodeContextTokens: number;
  /** The same with each context cut to the model's sliding window. Absent: none is longer than it. */
  readonly decodeWindowTokens?: number;
  readonly prefills: readonly PrefillChunk[];
}

/** Nanoseconds of one step, not rounded. */
export function stepNs(time: StepTimeModel, work: StepWork): number {
  const onDevice = gpuShare(time);
  let seconds = 0;
  if (onDevice > 0) {
    const { bandwidthBytesPerS, computeFlopPerS } = time.device;
    seconds += onDevice * placeSeconds(time, work, bandwidthBytesPerS, computeFlopPerS);
  }
  if (onDevice < 1)
    seconds += (1 - onDevice) * placeSeconds(time, work, HOST_BANDWIDTH_BYTES_PER_S, HOST_COMPUTE_FLOP_PER_S);
  return time.efficiency.stepOverheadNs + seconds * NS_PER_S;
}

/** The share of the weights that lies on the card. */
export function gpuShare(time: StepTimeModel): number {
  const all = time.model.layers + 1;
  return Math.min(Math.max(time.gpuLayers ?? all, 0), all) / all;
}

/** Seconds if the whole model lay in one place. */
function placeSeconds(
  time: StepTimeModel,
  work: StepWork,
  bandwidthBytesPerS: number,
  computeFlopPerS: number,
): number {
  const { model, efficiency } = time;
  const windowLayers = model.slidingWindow?.layers ?? 0;
  const fullLayers = model.layers - windowLayers;
  let tokens = work.decodeSequences;
  let scores = 0;
  let windowScores = 0;
  for (const { newTokens, depthTokens } of work.prefills) {
    tokens += newTokens;
    scores += attentionScores(newTokens, depthTokens);
    windowScores += windowedScores(newTokens, depthTokens, model.slidingWindow?.windowTokens ?? 0);
  }
  const weightSeconds = weightBytesRead(model, tokens) / (efficiency.weights * bandwidthBytesPerS);
  const multiplySeconds = (2 * model.layerParameters * tokens) / (efficiency.compute * computeFlopPerS);
  const cacheSeconds = cacheBytesRead(model, work) / (efficiency.kv * bandwidthBytesPerS);
  const attentionFlop =
    4 * model.queryHeads * model.headDimension * (fullLayers * scores + windowLayers * windowScores);
  return (
    Math.max(weightSeconds, multiplySeconds) +
    cacheSeconds +
    attentionFlop / (efficiency.attention * computeFlopPerS)
  );
}

/** Key-value bytes that the decoding sequences of a step read. */
function cacheBytesRead(model: ModelShape, work: StepWork): number {
  const windowLayers = model.slidingWindow?.layers ?? 0;
  const seenTokens =
    (model.layers - windowLayers) * work.decodeContextTokens +
    windowLayers * (work.decodeWindowTokens ?? work.decodeContextTokens);
  return kvBytesPerTokenAndLayer(model) * seenTokens;
}

/** Pairs of a new token and one it sees: all before the chunk, and on average half of the chunk. */
function attentionScores(newTokens: number, depthTokens: number): number {
  return newTokens * depthTokens + (newTokens * newTokens) / 2;
}

/** The same where a token sees at most the window: those of the chunk whose past is shorter see it whole. */
function windowedScores(newTokens: number, depthTokens: number, windowTokens: number): number {
  const growing = Math.min(newTokens, Math.max(0, windowTokens - depthTokens));
  return attentionScores(growing, depthTokens) + (newTokens - growing) * windowTokens;
}
