/**
 * Launch settings as far as memory depends on them, with the defaults and the padding that the
 * servers apply themselves (llama.cpp, llama-context.cpp and server.cpp, September 2026).
 */
import type { KvType } from "../../preset/preset.ts";
import type { ModelFacts } from "../gguf/model-facts.ts";

export interface LaunchMemory {
  readonly slots: number;
  /** Of all slots together, as asked for: llama-server's --ctx-size. */
  readonly contextTokens: number;
  /** One cache that all slots share, instead of an equal part for each. */
  readonly unifiedCache: boolean;
  readonly kvTypeK: KvType;
  readonly kvTypeV: KvType;
  readonly flashAttention: boolean;
  readonly batchTokens: number;
  readonly microBatchTokens: number;
  /** Counted from the end of the model, the output first; 0 also stands for a machine without GPU. */
  readonly gpuLayers: "all" | number;
  /** Off with --no-kv-offload. */
  readonly cacheOnDevice: boolean;
  /** On with --swa-full: layers with a window keep the whole context. */
  readonly fullWindowCache: boolean;
  /**
   * For how many tokens of a batch the server makes room for logits. Since summer 2026 llama-server
   * knows that each slot needs one; before, and for embeddings, it is every token of the batch.
   */
  readonly outputs: "per-slot" | "per-token";
  /** Earlier states kept for each slot, for speculative decoding with recurrent models. */
  readonly stateSnapshots: number;
}

/** What a llama-server preset says; a preset is one of these as it stands. */
export interface LlamaServerSettings {
  readonly slots?: number | undefined;
  readonly contextTokensPerSlot?: number | undefined;
  readonly unifiedKv?: boolean | undefined;
  readonly kvTypeK?: KvType | undefined;
  readonly kvTypeV?: KvType | undefined;
  readonly flashAttention?: "on" | "off" | "auto" | undefined;
  readonly gpuLayers?: "all" | "auto" | number | undefined;
  readonly batchTokens?: number | undefined;
  readonly microBatchTokens?: number | undefined;
  readonly embedding?: boolean | undefined;
}

/** With no number of slots llama-server takes so many, and one cache for all. */
const AUTOMATIC_SLOTS = 4;
const DEFAULT_BATCH_TOKENS = 2048;
const DEFAULT_MICRO_BATCH_TOKENS = 512;

/**
 * As llama-server would start with these settings. `auto` layers count as all: the ledger asks what
 * it takes to hold the model whole; whether it did is read from the log afterwards.
 */
export function llamaServerMemory(settings: LlamaServerSettings, facts: ModelFacts): LaunchMemory {
  const slots = settings.slots ?? AUTOMATIC_SLOTS;
  const microBatchTokens = settings.microBatchTokens ?? DEFAULT_MICRO_BATCH_TOKENS;
  const perSlot = settings.contextTokensPerSlot;
  return {
    slots,
    contextTokens: perSlot === undefined ? facts.trainedContextTokens : perSlot * slots,
    unifiedCache: settings.unifiedKv ?? settings.slots === undefined,
    kvTypeK: settings.kvTypeK ?? "f16",
    kvTypeV: settings.kvTypeV ?? "f16",
    flashAttention: settings.flashAttention !== "off",
    // Embeddings need each input in one piece, so the server makes both equal.
    batchTokens:
      settings.embedding === true ? microBatchTokens : (settings.batchTokens ?? DEFAULT_BATCH_TOKENS),
    microBatchTokens,
    gpuLayers: settings.gpuLayers === undefined || settings.gpuLayers === "auto" ? "all" : settings.gpuLayers,
    cacheOnDevice: true,
    fullWindowCache: false,
    outputs: settings.embedding === true ? "per-token" : "per-slot",
    stateSnapshots: 0,
  };
}

export interface OllamaSettings {
  /** OLLAMA_NUM_PARALLEL. */
  readonly slots?: number | undefined;
  /** num_ctx; Ollama's own default depends on the GPU's memory, so the caller must know it. */
  readonly contextTokensPerSlot: number;
  readonly gpuLayers?: number | undefined;
  readonly kvType?: KvType | undefined;
}

/** Ollama's batches, unless a request says otherwise; it sends one micro-batch at a time. */
const OLLAMA_BATCH_TOKENS = 512;

/**
 * Ollama takes num_ctx × parallel as the context, an equal part for each, and makes room for the
 * logits of every token of a batch (seen in the log of Ollama 0.17.4).
 */
export function ollamaMemory(settings: OllamaSettings, facts: ModelFacts): LaunchMemory {
  const { slots = 1, kvType = "f16" } = settings;
  const launch = llamaServerMemory(
    { ...settings, slots, kvTypeK: kvType, kvTypeV: kvType, unifiedKv: false },
    facts,
  );
  return { ...launch, batchTokens: OLLAMA_BATCH_TOKENS * slots, outputs: "per-token" };
}

// ---- cells -----------------------------------------------------------------------------------

export interface CacheGeometry {
  /** Separate caches: one for each slot, or one for all. */
  readonly streams: number;
  readonly cellsPerStream: number;
  /** Tokens of one micro-batch, as buffers are reserved for it. */
  readonly microBatchTokens: number;
}

/** llama.cpp keeps caches in multiples of this many cells. */
const CELL_STEP = 256;

/**
 * Cells as llama.cpp allocates them: the context is rounded up to 256, its share per slot again, so
 * that a split cache can be larger than asked (4,096 for ten slots becomes ten times 512).
 */
export function cacheGeometry(launch: LaunchMemory): CacheGeometry {
  const whole = roundedUp(launch.contextTokens, CELL_STEP);
  const batch = Math.min(launch.contextTokens, launch.batchTokens);
  const asked = Math.min(batch, launch.microBatchTokens);
  const microBatchTokens = roundedUp(asked, launch.slots);
  return launch.unifiedCache
    ? { streams: 1, cellsPerStream: whole, microBatchTokens }
    : {
        streams: launch.slots,
        cellsPerStream: roundedUp(Math.floor(whole / launch.slots), CELL_STEP),
        microBatchTokens,
      };
}

/** Cells of a layer that sees `windowTokens`: the window (of each slot, in a shared cache) and one micro-batch. */
export function windowCells(launch: LaunchMemory, windowTokens: number): number {
  const { cellsPerStream } = cacheGeometry(launch);
  if (launch.fullWindowCache) return cellsPerStream;
  const batch = Math.min(launch.contextTokens, launch.batchTokens);
  const microBatch = Math.min(batch, launch.microBatchTokens);
  const windows = windowTokens * (launch.unifiedCache ? launch.slots : 1);
  return roundedUp(Math.min(cellsPerStream, windows + microBatch), CELL_STEP);
}

function roundedUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
