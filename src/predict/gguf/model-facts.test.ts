import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OperatorError } from "../../core/errors.ts";
import type { GgufValue } from "../../../test/fakes/gguf-writer.ts";
import { hollowFacts } from "../../../test/fakes/hollow-facts.ts";
import type { HollowTensor } from "../../../test/fakes/hollow-gguf.ts";
import { hollowHeader } from "../../../test/fakes/hollow-gguf.ts";
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
} from "../../../test/fakes/hollow-models.ts";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import type { ModelFacts } from "./model-facts.ts";
import { modelFacts } from "./model-facts.ts";
import { projectorBytes } from "./model-keys.ts";
import { modelShapeOf } from "./model-shape-of.ts";
import { readGguf } from "./read-gguf.ts";
import { llamaServerMemory } from "../vram/launch-memory.ts";
import { memoryLedger } from "../vram/memory-ledger.ts";

const SMALL = { ...LLAMA_3_8B, layers: 6, width: 256, heads: 8, kvHeads: 4, headWidth: 32, vocabulary: 300 };

/** A header of this architecture with the keys that every model has, and these. */
function factsOf(
  architecture: string,
  metadata: Readonly<Record<string, GgufValue>>,
  tensors: readonly HollowTensor[] = [],
): ModelFacts {
  const needed = {
    ".block_count": { u32: 6 },
    ".context_length": { u32: 8192 },
    ".embedding_length": { u32: 256 },
    ".attention.head_count": { u32: 8 },
  };
  const path = join(temporaryDirectory(), "model.gguf");
  const header = hollowHeader({ architecture, metadata: { ...needed, ...metadata }, tensors });
  writeFileSync(path, Buffer.concat([header, Buffer.alloc(2_000 * tensors.length)]));
  return modelFacts(readGguf(path));
}

const kinds = (facts: ModelFacts): string =>
  facts.layers
    .map(({ cache, state }) => {
      if (cache !== undefined) return state === undefined ? (cache.windowed ? "w" : "F") : "B";
      return state === undefined ? "-" : "s";
    })
    .join("");

describe("what a header says of a model", () => {
  it("is the geometry of a dense one", () => {
    const facts = hollowFacts(hollowLlama(LLAMA_3_8B));
    expect(facts).toMatchObject({
      architecture: "llama",
      mainTypeName: "q8_0",
      embeddingWidth: 4096,
      feedForwardWidth: 14_336,
      queryHeads: 32,
      queryElements: 4096,
      vocabularyTokens: 128_256,
      latentAttention: false,
      caveats: [],
    });
    expect(facts.layers).toHaveLength(32);
    expect(facts.layers[31]).toEqual({ cache: { keyElements: 1024, valueElements: 1024, windowed: false } });
    expect(facts.weights.elements).toBe(8_030_261_248);
    expect(facts.weights.tiedOutputBytes).toBe(0);
  });

  it("defaults heads and widths as llama.cpp does", () => {
    const [layer] = factsOf("llama", {}).layers;
    expect(layer).toEqual({ cache: { keyElements: 256, valueElements: 256, windowed: false } });
  });

  it("places windows: by pattern, by a list, not at all", () => {
    expect(kinds(hollowFacts(hollowGemma({ ...SMALL, layers: 12 }, 512)))).toBe("wwwwwFwwwwwF");
    const window = { ".attention.sliding_window": { u32: 128 } };
    expect(kinds(factsOf("gpt-oss", window))).toBe("wFwFwF");
    expect(kinds(factsOf("cohere2moe", window))).toBe("FwwwFw");
    const every = { ...window, ".attention.sliding_window_pattern": { u32: 3 } };
    expect(kinds(factsOf("gemma3", every))).toBe("wwFwwF");
    const listed = { ...window, ".attention.sliding_window_pattern": { i32s: [1, 0, 0, 1, 1, 0] } };
    expect(kinds(factsOf("step35", listed))).toBe("wFFwwF");
    expect(factsOf("gemma3", { ".attention.sliding_window": { u32: 0 } }).windowTokens).toBeUndefined();
    expect(factsOf("llama4", {}).windowTokens).toBe(8192);
  });

  it("gives window layers their own widths and heads", () => {
    const facts = factsOf("gemma4", {
      ".attention.sliding_window": { u32: 1024 },
      ".attention.sliding_window_pattern": { i32s: [1, 1, 1, 1, 1, 0] },
      ".attention.head_count_kv": { i32s: [8, 8, 8, 8, 8, 2] },
      ".attention.key_length": { u32: 512 },
      ".attention.value_length": { u32: 512 },
      ".attention.key_length_swa": { u32: 256 },
      ".attention.value_length_swa": { u32: 256 },
    });
    expect(facts.layers[0]?.cache).toEqual({ keyElements: 2048, valueElements: 2048, windowed: true });
    expect(facts.layers[5]?.cache).toEqual({ keyElements: 1024, valueElements: 1024, windowed: false });
  });

  it("leaves out layers that read another layer's cache, that have none, or that only draft", () => {
    const shared = {
      ".attention.sliding_window": { u32: 512 },
      ".attention.sliding_window_pattern": { i32s: [1, 1, 0, 1, 1, 0] },
      ".attention.shared_kv_layers": { u32: 3 },
    };
    expect(kinds(factsOf("gemma4", shared))).toBe("wwF---");
    expect(kinds(factsOf("deci", { ".attention.head_count_kv": { i32s: [8, 0, 8, 0, 0, 8] } }))).toBe(
      "F-F--F",
    );
    const drafting = factsOf("glm4moe", { ".nextn_predict_layers": { u32: 1 } });
    expect(kinds(drafting)).toBe("FFFFF-");
    expect(drafting.caveats.join()).toContain("speculative decoding");
    expect(kinds(factsOf("bert", {}))).toBe("------");
  });

  it("knows latent attention: one narrow key for each token and no values", () => {
    const facts = hollowFacts(
      hollowLatent(
        { ...SMALL, layers: 3 },
        { queryRank: 128, kvRank: 512, ropeWidth: 64, keyWidth: 192, valueWidth: 128 },
      ),
    );
    expect(facts.latentAttention).toBe(true);
    expect(facts.layers[0]?.cache).toEqual({ keyElements: 576, valueElements: 0, windowed: false });
  });

  it("tells layers that keep a state from layers that attend", () => {
    const hybrid = hollowFacts(hollowHybrid(QWEN_HYBRID, QWEN_HYBRID_STATE));
    expect(kinds(hybrid)).toBe("sssF".repeat(16));
    // 3 × (6,144 + 2 × 16 × 128) and 128 × 6,144.
    expect(hybrid.layers[0]?.state).toEqual({ convolutionElements: 30_720, stateElements: 786_432 });
    const mamba = hollowRecurrent(SMALL, { convolution: 4, innerWidth: 512, groups: 1, stateWidth: 128 });
    expect(kinds(hollowFacts(mamba))).toBe("ssssss");
    expect(kinds(factsOf("falcon-h1", {}))).toBe("BBBBBB");
    const jamba = { ".attention.head_count_kv": { i32s: [0, 0, 8, 0, 0, 8] } };
    expect(kinds(factsOf("jamba", jamba))).toBe("ssFssF");
    const nemotron = { ...jamba, ".feed_forward_length": { i32s: [0, 512, 0, 0, 512, 0] } };
    expect(kinds(factsOf("nemotron_h", nemotron))).toBe("s-Fs-F");
    const listed = { ".attention.recurrent_layers": { i32s: [1, 1, 0, 1, 1, 0] } };
    expect(kinds(factsOf("qwen35", listed))).toBe("ssFssF");
  });

  it("has the states of other recurrent kinds", () => {
    const rwkv = factsOf("rwkv7", { ".wkv.head_size": { u32: 64 }, ".attention.head_count": { u32: 0 } });
    expect(rwkv.layers[0]?.state).toEqual({ convolutionElements: 512, stateElements: 256 * 64 });
    const kv = { ".attention.head_count_kv": { i32s: [0, 8, 0, 8, 0, 8] } };
    const lfm = factsOf("lfm2", { ...kv, ".shortconv.l_cache": { u32: 3 } });
    expect(kinds(lfm)).toBe("sFsFsF");
    expect(lfm.layers[0]?.state).toEqual({ convolutionElements: 512, stateElements: 0 });
    const kimi = factsOf("kimi-linear", {
      ...kv,
      ".kda.head_dim": { u32: 32 },
      ".ssm.conv_kernel": { u32: 4 },
    });
    expect(kimi.layers[0]?.state).toEqual({
      convolutionElements: 3 * 3 * 8 * 32,
      stateElements: 32 * 32 * 8,
    });
  });

  it("tells experts from what every token reads", () => {
    const facts = hollowFacts(hollowMixture(SMALL, { count: 16, used: 4, feedForward: 128 }));
    expect(facts.experts).toEqual({ count: 16, used: 4, feedForwardWidth: 128 });
    expect(facts.weights.layerExpertElements).toEqual(Array.from({ length: 6 }, () => 3 * 16 * 256 * 128));
    const old = factsOf("llama", { ".expert_count": { u32: 8 }, ".expert_used_count": { u32: 2 } }, [
      { name: "blk.0.ffn_up.7.weight", dimensions: [64, 2], type: "f32" },
      { name: "blk.0.ffn_up_shexp.weight", dimensions: [64, 2], type: "f32" },
    ]);
    expect(old.weights.layerExpertBytes[0]).toBe(512);
    expect(old.weights.layerBytes[0]).toBe(1024);
  });

  it("says so when it had to assume", () => {
    const unplaced = factsOf("brand-new", { ".attention.sliding_window": { u32: 512 } });
    expect(kinds(unplaced)).toBe("FFFFFF");
    expect(unplaced.caveats.join()).toContain("upper bound");
    expect(factsOf("deepseek32", {}).caveats.join()).toContain("not counted");
  });
});

describe("a header that is no language model's", () => {
  it("is refused for what it lacks", () => {
    expect(() => factsOf("llama", { ".block_count": { text: "six" } })).toThrow("llama.block_count");
    expect(() => factsOf("llama", { ".block_count": { u32: 100_000 } })).toThrow("layers");
    expect(() =>
      factsOf("llama", { ".embedding_length": { flag: false }, ".context_length": { text: "" } }),
    ).toThrow("llama.context_length");
  });

  it("is a projector, which is sized but not a model", () => {
    const path = join(temporaryDirectory(), "mmproj.gguf");
    const header = hollowHeader({
      architecture: "clip",
      metadata: {},
      tensors: [{ name: "v.patch_embd.weight", dimensions: [32, 4], type: "f16" }],
    });
    writeFileSync(path, Buffer.concat([header, Buffer.alloc(256)]));
    const read = readGguf(path);
    expect(projectorBytes(read)).toBe(256);
    expect(() => modelFacts(read)).toThrow("projector");
  });
});

describe("whatever numbers a header has", () => {
  const KEYS = [
    ".block_count",
    ".embedding_length",
    ".feed_forward_length",
    ".attention.head_count",
    ".attention.head_count_kv",
    ".attention.key_length",
    ".attention.sliding_window",
    ".attention.sliding_window_pattern",
    ".attention.shared_kv_layers",
    ".nextn_predict_layers",
    ".expert_count",
    ".expert_used_count",
    ".ssm.conv_kernel",
    ".ssm.inner_size",
    ".full_attention_interval",
  ];
  const value = fc.oneof(
    fc.nat(2000).map((u32) => ({ u32 })),
    fc.double({ noDefaultInfinity: false }).map((f32) => ({ f32 })),
    fc.array(fc.integer({ min: -2, max: 64 }), { maxLength: 8 }).map((i32s) => ({ i32s })),
    fc.string().map((text) => ({ text })),
  );

  it("a ledger of finite lines comes of it, or an operator error", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(
          "llama",
          "gemma3",
          "gemma4",
          "qwen35",
          "mamba2",
          "rwkv7",
          "deepseek2",
          "lfm2",
          "nemotron_h",
        ),
        fc.dictionary(fc.constantFrom(...KEYS), value, { maxKeys: 6 }),
        (architecture, metadata) => {
          try {
            const facts = factsOf(architecture, metadata);
            const launch = llamaServerMemory({ slots: 3, contextTokensPerSlot: 4096 }, facts);
            const { lines } = memoryLedger(facts, launch);
            expect(lines.filter((line) => !(Number.isFinite(line.bytes) && line.bytes > 0))).toEqual([]);
            const shape = modelShapeOf(facts, { kvTypeK: "f16", kvTypeV: "q8_0" });
            expect(Object.values(shape).filter((one) => Number.isNaN(one))).toEqual([]);
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(OperatorError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
