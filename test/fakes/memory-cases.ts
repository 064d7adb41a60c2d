/**
 * Hollow models and launch settings whose memory a real llama-server logged; the logs lie in
 * test/fixtures/vram under the same names, cut down to the lines that speak of memory. Recorded
 * with llama-server of node-llama-cpp 3.22.1 on a machine without GPU.
 */
import type { LaunchMemory, LlamaServerSettings } from "../../src/predict/vram/launch-memory.ts";
import type { HollowModel } from "./hollow-gguf.ts";
import type { HollowSizes, HollowState } from "./hollow-models.ts";
import {
  LLAMA_3_8B,
  QWEN_HYBRID,
  QWEN_HYBRID_STATE,
  hollowGemma,
  hollowHybrid,
  hollowLatent,
  hollowLlama,
  hollowMixture,
  hollowRecurrent,
} from "./hollow-models.ts";

export interface MemoryCase {
  readonly name: string;
  readonly model: () => HollowModel;
  /** What llama-server was started with, beside the model. */
  readonly args: readonly string[];
  readonly settings: LlamaServerSettings;
  /** Settings that no preset has. */
  readonly changes?: Partial<LaunchMemory>;
  /** How far the predicted compute buffer may be from the logged one, as a share of it: low, then high. */
  readonly computeWithin: readonly [number, number];
  /** A small model is loaded; of a large one only the server's own estimate, without weights, is logged. */
  readonly size: "small" | "large";
}

const SMALL: HollowSizes = {
  layers: 4,
  width: 256,
  heads: 8,
  kvHeads: 4,
  headWidth: 32,
  feedForward: 512,
  vocabulary: 2901,
};
const SMALL_STATE: HollowState = { convolution: 4, innerWidth: 512, groups: 2, stateWidth: 128 };
const GRANITE_2B: HollowSizes = {
  layers: 40,
  width: 2048,
  heads: 32,
  kvHeads: 8,
  headWidth: 64,
  feedForward: 8192,
  vocabulary: 49_159,
  type: "q8_0",
};
const MANY_HEADS: HollowSizes = { ...LLAMA_3_8B, kvHeads: 32, vocabulary: 32_000, feedForward: 11_008 };

const dense = (): HollowModel => hollowLlama(SMALL);
const window = (): HollowModel => hollowGemma({ ...SMALL, layers: 12, headWidth: 64 }, 512);

const CLOSE = [-0.02, 0.02] as const;

export const MEMORY_CASES: readonly MemoryCase[] = [
  {
    name: "dense-split",
    model: dense,
    args: ["-c", "4096", "-np", "4"],
    settings: { slots: 4, contextTokensPerSlot: 1024 },
    computeWithin: CLOSE,
    size: "small",
  },
  {
    name: "dense-ten-slots",
    model: dense,
    args: ["-c", "4096", "-np", "10"],
    settings: { slots: 10 },
    changes: { contextTokens: 4096 },
    computeWithin: CLOSE,
    size: "small",
  },
  {
    name: "dense-automatic",
    model: dense,
    args: ["-c", "4096"],
    settings: {},
    changes: { contextTokens: 4096 },
    computeWithin: CLOSE,
    size: "small",
  },
  {
    name: "dense-q8",
    model: dense,
    args: ["-c", "8192", "-np", "2", "-ctk", "q8_0", "-ctv", "q5_1"],
    settings: { slots: 2, contextTokensPerSlot: 4096, kvTypeK: "q8_0", kvTypeV: "q5_1" },
    computeWithin: CLOSE,
    size: "small",
  },
  {
    name: "dense-no-flash",
    model: dense,
    args: ["-c", "8192", "-np", "2", "-fa", "off"],
    settings: { slots: 2, contextTokensPerSlot: 4096, flashAttention: "off" },
    computeWithin: CLOSE,
    size: "small",
  },
  {
    name: "dense-embedding",
    model: dense,
    args: ["-c", "2048", "-np", "2", "--embedding"],
    settings: { slots: 2, contextTokensPerSlot: 1024, embedding: true },
    computeWithin: [-0.25, 0.02],
    size: "small",
  },
  {
    name: "dense-small-batch",
    model: dense,
    args: ["-c", "8192", "-np", "3", "-ub", "128"],
    settings: { slots: 3, microBatchTokens: 128 },
    changes: { contextTokens: 8192 },
    computeWithin: CLOSE,
    size: "small",
  },
  {
    name: "window-split",
    model: window,
    args: ["-c", "6144", "-np", "2"],
    settings: { slots: 2, contextTokensPerSlot: 3072 },
    computeWithin: CLOSE,
    size: "small",
  },
  {
    name: "window-unified",
    model: window,
    args: ["-c", "6144", "-np", "3", "-kvu"],
    settings: { slots: 3, contextTokensPerSlot: 2048, unifiedKv: true },
    computeWithin: CLOSE,
    size: "small",
  },
  {
    name: "mixture",
    model: () => hollowMixture(SMALL, { count: 16, used: 4, feedForward: 128 }),
    args: ["-c", "4096", "-np", "2"],
    settings: { slots: 2, contextTokensPerSlot: 2048 },
    computeWithin: [-0.02, 0.5],
    size: "small",
  },
  {
    name: "latent",
    model: () =>
      hollowLatent(
        { ...SMALL, layers: 3 },
        { queryRank: 128, kvRank: 512, ropeWidth: 64, keyWidth: 192, valueWidth: 128 },
      ),
    args: ["-c", "4096", "-np", "2"],
    settings: { slots: 2, contextTokensPerSlot: 2048 },
    computeWithin: [-0.1, 0.02],
    size: "small",
  },
  {
    name: "hybrid",
    model: () => hollowHybrid({ ...SMALL, layers: 8, headWidth: 256, heads: 2, kvHeads: 1 }, SMALL_STATE),
    args: ["-c", "4096", "-np", "4"],
    settings: { slots: 4, contextTokensPerSlot: 1024 },
    computeWithin: [-0.02, 0.5],
    size: "small",
  },
  {
    name: "recurrent",
    model: () => hollowRecurrent({ ...SMALL, layers: 6 }, { ...SMALL_STATE, groups: 1 }),
    args: ["-c", "4096", "-np", "2"],
    settings: { slots: 2, contextTokensPerSlot: 2048 },
    computeWithin: CLOSE,
    size: "small",
  },
  {
    name: "llama-3-8b",
    model: () => hollowLlama(LLAMA_3_8B),
    args: ["-c", "8192", "-np", "1"],
    settings: { slots: 1, contextTokensPerSlot: 8192 },
    computeWithin: CLOSE,
    size: "large",
  },
  {
    name: "llama-3-8b-embedding",
    model: () => hollowLlama(LLAMA_3_8B),
    args: ["-c", "8192", "-np", "1", "--embedding"],
    settings: { slots: 1, contextTokensPerSlot: 8192, embedding: true },
    computeWithin: CLOSE,
    size: "large",
  },
  {
    name: "qwen-hybrid-27b",
    model: () => hollowHybrid(QWEN_HYBRID, QWEN_HYBRID_STATE),
    args: ["-c", "262144", "-np", "4", "-kvu"],
    settings: { slots: 4, contextTokensPerSlot: 65_536, unifiedKv: true },
    computeWithin: [-0.02, 0.1],
    size: "large",
  },
  {
    name: "many-heads-q8",
    model: () => hollowLlama(MANY_HEADS),
    args: ["-c", "4096", "-np", "10", "-ctk", "q8_0", "-ctv", "q8_0"],
    settings: { slots: 10, kvTypeK: "q8_0", kvTypeV: "q8_0" },
    changes: { contextTokens: 4096 },
    computeWithin: [-0.05, 0.1],
    size: "large",
  },
  {
    name: "granite-3.3-2b",
    model: () => hollowLlama(GRANITE_2B),
    args: ["-c", "655360", "-np", "20"],
    settings: { slots: 20, contextTokensPerSlot: 32_768 },
    computeWithin: [-0.05, 0.1],
    size: "large",
  },
];
