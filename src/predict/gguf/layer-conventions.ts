/**
 * What a GGUF header leaves to its reader: which layers see only a window, which keep a state
 * instead of a cache, which keep nothing. Each rule is llama.cpp's own for that architecture
 * (github.com/ggml-org/llama.cpp, src/models/*.cpp and llama-hparams.cpp, September 2026).
 */
import type { ModelKeys } from "./model-keys.ts";

/** Every n-th layer sees everything: the last of each group, or the first. */
interface WindowPattern {
  readonly every: number;
  readonly fullFirst?: true;
  /** The window that llama.cpp takes whatever the file says, or where it says nothing. */
  readonly fixedWindowTokens?: number;
  readonly defaultWindowTokens?: number;
}

const WINDOW_PATTERNS: Readonly<Record<string, WindowPattern>> = {
  afmoe: { every: 4 },
  cohere2: { every: 4 },
  cohere2moe: { every: 4, fullFirst: true },
  "exaone-moe": { every: 4 },
  exaone4: { every: 4, defaultWindowTokens: 4096 },
  gemma2: { every: 2, defaultWindowTokens: 4096 },
  gemma3: { every: 6 },
  gemma3n: { every: 5 },
  "gpt-oss": { every: 2 },
  laguna: { every: 4, fullFirst: true },
  llama4: { every: 4, fixedWindowTokens: 8192 },
  mellum: { every: 4 },
  "muse-glimmer": { every: 4 },
  olmo2: { every: 4 },
  plamo3: { every: 8 },
  smallthinker: { every: 4, fullFirst: true, fixedWindowTokens: 4096 },
};

/** Architectures whose file lists window and full layers one by one. */
const WINDOW_LISTS: ReadonlySet<string> = new Set([
  "dflash",
  "dots3note",
  "gemma4",
  "gemma4-assistant",
  "granite_swa",
  "maple",
  "mimo2",
  "spark2_5",
  "step35",
]);

export interface Windows {
  readonly windowTokens: number;
  /** By layer. */
  readonly windowed: readonly boolean[];
}

/** Undefined: all layers see everything. */
export function windowsOf(keys: ModelKeys, layers: number): Windows | undefined {
  const { architecture } = keys;
  const told = keys.number("attention.sliding_window");
  // All attending layers of these have a window, if the file gives one.
  if (architecture === "lfm2" || architecture === "lfm2moe")
    return told === undefined || told === 0
      ? undefined
      : { windowTokens: told, windowed: Array.from({ length: layers }, () => true) };
  const pattern = WINDOW_PATTERNS[architecture];
  const patternKey = "attention.sliding_window_pattern";
  const listed = keys.numbers(patternKey);
  if (pattern === undefined && !WINDOW_LISTS.has(architecture)) return undefined;
  // Only the 32 B model of this family has windows, and llama.cpp knows it by its layers.
  if (architecture === "exaone4" && layers !== 64) return undefined;
  if (told === 0) return undefined;
  const windowTokens = pattern?.fixedWindowTokens ?? told ?? pattern?.defaultWindowTokens;
  if (windowTokens === undefined) return undefined;
  if (told === undefined && architecture === "smallthinker") return undefined;
  if (listed !== undefined)
    return {
      windowTokens,
      windowed: Array.from({ length: layers }, (_, layer) => (listed[layer] ?? 0) !== 0),
    };
  if (pattern === undefined) return undefined;
  const every = keys.number(patternKey) ?? pattern.every;
  const isWindowed = (layer: number): boolean =>
    every === 0 || (pattern.fullFirst ? layer % every !== 0 : layer % every < every - 1);
  return { windowTokens, windowed: Array.from({ length: layers }, (_, layer) => isWindowed(layer)) };
}

/** A file that names a window which nothing here knows how to place: all layers are then counted as full ones. */
export function hasUnplacedWindow(keys: ModelKeys): boolean {
  const { architecture } = keys;
  const told = keys.number("attention.sliding_window") ?? 0;
  // llama.cpp switches the window off for Phi 3, whose conversion was faulty.
  return (
    told > 0 &&
    architecture !== "phi3" &&
    architecture !== "exaone4" &&
    !architecture.startsWith("lfm2") &&
    WINDOW_PATTERNS[architecture] === undefined &&
    !WINDOW_LISTS.has(architecture)
  );
}

// ---- states ----------------------------------------------------------------------------------

const RECURRENT: ReadonlySet<string> = new Set(["mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"]);

/** Layers without key-value heads keep a state. */
const HYBRID_BY_HEADS: ReadonlySet<string> = new Set([
  "bailingmoe3",
  "granitehybrid",
  "jamba",
  "kimi-k3",
  "kimi-linear",
  "lfm2",
  "lfm2moe",
  "plamo2",
]);

/** Each n-th layer attends, the others keep a state; n where the file does not say. */
const HYBRID_BY_INTERVAL: Readonly<Record<string, number>> = {
  "minimax-01": 8,
  qwen35: 4,
  qwen35moe: 4,
  qwen3next: 4,
  qwen4exp: 4,
};

export type LayerMemory = "cache" | "state" | "cache-and-state" | "nothing";

/** What layer `layer` keeps between tokens; `kvHeads` and `feedForward` are the file's for this layer. */
export function layerMemory(
  keys: ModelKeys,
  layer: number,
  own: { readonly kvHeads: number; readonly feedForward: number },
): LayerMemory {
  const { architecture } = keys;
  if (CACHELESS.has(architecture)) return "nothing";
  if (RECURRENT.has(architecture)) return "state";
  if (architecture === "falcon-h1") return "cache-and-state";
  if (HYBRID_BY_HEADS.has(architecture)) return own.kvHeads === 0 ? "state" : "cache";
  if (architecture === "nemotron_h" || architecture === "nemotron_h_moe") {
    if (own.feedForward > 0) return "nothing";
    return own.kvHeads === 0 ? "state" : "cache";
  }
  const interval = HYBRID_BY_INTERVAL[architecture];
  if (interval !== undefined) {
    const listed = keys.numbers("attention.recurrent_layers");
    if (listed !== undefined) return listed[layer] === 0 ? "cache" : "state";
    const every = keys.number("full_attention_interval") ?? interval;
    return (layer + 1) % every === 0 ? "cache" : "state";
  }
  return own.kvHeads === 0 || sharesCache(keys, layer) ? "nothing" : "cache";
}

/** Encoders and diffusion models see their whole input at once and keep nothing. */
const CACHELESS: ReadonlySet<string> = new Set([
  "bert",
  "dream",
  "eurobert",
  "gemma-embedding",
  "jina-bert-v2",
  "jina-bert-v3",
  "llada",
  "llada-moe",
  "modern-bert",
  "neo-bert",
  "nomic-bert",
  "nomic-bert-moe",
  "rnd1",
  "wavtokenizer-dec",
]);

/** The last layers of these models read the cache of an earlier one. */
function sharesCache(keys: ModelKeys, layer: number): boolean {
  const { architecture } = keys;
  if (architecture === "gemma3n") return layer >= GEMMA_3N_OWN_LAYERS;
  if (architecture !== "gemma4") return false;
  const layers = keys.number("block_count") ?? 0;
  return layer >= layers - (keys.number("attention.shared_kv_layers") ?? 0);
}

const GEMMA_3N_OWN_LAYERS = 20;

/** Beside keys and values these keep more (an indexer's keys, compressed copies) that is not counted here. */
export const UNCOUNTED_CACHES: ReadonlySet<string> = new Set([
  "deepseek32",
  "deepseek4",
  "dots3note",
  "glm-dsa",
  "hy_v4",
  "minimax-m3",
  "qwen4exp",
]);
