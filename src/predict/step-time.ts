/**
 * How long one engine step takes: a roofline. A decode step streams every weight once, whatever
 * the batch, and each sequence's own cache; a prefill multiplies. So
 *
 *   step = t0 + s·N + b + max( W/(η_w·B), 2·P·T/(η_c·F) ) + m·( Σ k·C_i/(η_kv·B) + 4·L·H·d·Σ(n·p + n²/2)/(η_a·F) )
 *
 * with W weight bytes read in the step (of a mixture of experts those that its tokens choose), B
 * bytes/s, P layer parameters, T tokens in the step, F FLOP/s, k cache bytes per token, C_i the context
 * of decoding sequence i, and for every prefill chunk n new tokens on depth p (L layers, H query heads,
 * d head dimension). s is what each of N decoding sequences costs whatever its context, b what a batch
 * of more than one costs, and m is 1 unless the step has both prompts and decoding sequences. A step
 * that only decodes is linear in its contexts, on which the simulator relies.
 *
 * Not in it: a cache that fits the L2 reads faster than B. The tests compare it with published
 * measurements, and `calibrate` fits its constants to a machine's own.
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
  /** Of each decoding sequence, whatever its context. Absent: not measured, and taken as none. */
  readonly sequenceNs?: number;
  /**
   * What a step costs more as soon as it decodes more than one sequence: kernels for one vector and
   * for several are different programs. Only ever measured; absent: none.
   */
  readonly batchedNs?: number;
  /**
   * What attention and cache cost in a step that has both prompts and decoding sequences, as a
   * multiple of the two alone. Absent: not measured, and taken as 1.
   */
  readonly mixed?: number;
  /** Of each cell of the cache that is allocated, used or not. Only ever measured; absent: none. */
  readonly allocatedNsPerToken?: number;
}

/**
 * Fitted to the RTX 4090 layer times of Llama-3.1-8B bf16 that LLMServingSim publishes (vLLM 0.19
 * kernels). Decode: 21 composed steps, N 1 to 64 and contexts of 1k, 4k and 16k, are met within −2.2
 * and +2.7 %, 0.7 % on average; with efficiencies alone the best is 2.6 % on average and 8.7 % at
 * worst. Prefill: the chunks of 2,048 tokens at depth 0, 4k and 16k (192, 223, 316 ms). `mixed` is
 * the median over 8,448 measured attention kernels that had both; half lie between 1.06 and 1.82.
 */
export const VLLM_KERNELS: KernelEfficiency = {
  name: "vllm",
  weights: 0.92,
  kv: 0.944,
  compute: 0.94,
  attention: 0.86,
  stepOverheadNs: 150_000,
  sequenceNs: 55_000,
  batchedNs: 780_000,
  mixed: 1.42,
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

export type HostShape = Pick<DeviceShape, "bandwidthBytesPerS" | "computeFlopPerS">;

/** Where the layers that do not fit the card run: two channels of DDR5-4800 and a desktop processor's AVX2 rate. */
export const ASSUMED_HOST: HostShape = { bandwidthBytesPerS: 76.8e9, computeFlopPerS: 1e12 };

/**
 * A step that goes from the host's layers to the card's waits for one copy and one launch more: 10 to
 * 20 µs, as planners for offloaded models count it. The copied activations themselves are some KiB.
 */
const CROSSING_NS = 15_000;

export interface StepTimeModel {
  readonly model: ModelShape;
  readonly device: DeviceShape;
  readonly efficiency: KernelEfficiency;
  /** Layers on the card, the output head counting as one more; the rest runs on the host. Absent: all. */
  readonly gpuLayers?: number;
  /** What computes the other layers. Absent: {@link ASSUMED_HOST}. */
  readonly host?: HostShape;
  /** Cells of the whole cache, all slots together. Matters only where a cost of them was measured. */
  readonly allocatedTokens?: number;
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
  if (onDevice > 0) seconds += onDevice * placeSeconds(time, work, time.device);
  if (onDevice < 1) seconds += (1 - onDevice) * placeSeconds(time, work, time.host ?? ASSUMED_HOST);
  const { stepOverheadNs, sequenceNs = 0, batchedNs = 0, allocatedNsPerToken = 0 } = time.efficiency;
  return (
    stepOverheadNs +
    sequenceNs * work.decodeSequences +
    (work.decodeSequences > 1 ? batchedNs : 0) +
    allocatedNsPerToken * (time.allocatedTokens ?? 0) +
    (onDevice > 0 && onDevice < 1 ? CROSSING_NS : 0) +
    seconds * NS_PER_S
  );
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
  { bandwidthBytesPerS, computeFlopPerS }: HostShape,
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
  const attentionSeconds = attentionFlop / (efficiency.attention * computeFlopPerS);
  const isMixed = work.prefills.length > 0 && work.decodeSequences > 0;
  const seeing = (isMixed ? (efficiency.mixed ?? 1) : 1) * (cacheSeconds + attentionSeconds);
  return Math.max(weightSeconds, multiplySeconds) + seeing;
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
