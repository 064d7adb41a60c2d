import { describe, expect, it } from "vitest";
import { hollowFacts } from "../../../test/fakes/hollow-facts.ts";
import {
  LLAMA_3_8B,
  QWEN_HYBRID,
  QWEN_HYBRID_STATE,
  hollowGemma,
  hollowHybrid,
  hollowLlama,
  hollowMixture,
  hollowRecurrent,
} from "../../../test/fakes/hollow-models.ts";
import { findModelShape, kvBytesPerToken, weightBytesRead } from "../model-shape.ts";
import { modelShapeOf } from "./model-shape-of.ts";

const F16 = { kvTypeK: "f16", kvTypeV: "f16" } as const;
const SMALL = { ...LLAMA_3_8B, layers: 12, width: 256, heads: 8, kvHeads: 4, headWidth: 32, vocabulary: 300 };

describe("a model's shape from its header", () => {
  it("is the published one of Llama 3 8B", () => {
    const shape = modelShapeOf(hollowFacts(hollowLlama({ ...LLAMA_3_8B, type: "f16" })), F16);
    const published = findModelShape("llama-8b-bf16");
    expect(shape).toMatchObject({
      layers: 32,
      queryHeads: 32,
      kvHeads: 8,
      headDimension: 128,
      parameterLabel: "8.0B",
    });
    // Norms are counted in the published figure with two bytes, in the file with four.
    expect(shape.weightBytes / (published?.weightBytes ?? 0)).toBeCloseTo(1, 4);
    // The published figure has the last norm's 4,096 among the layers.
    expect(shape.layerParameters).toBe((published?.layerParameters ?? 0) - 4096);
  });

  it("leaves the exact bytes per token in the cache, whatever the layers", () => {
    // 16 of 64 layers × 2 × 4 heads × 256 × 2 bytes.
    const hybrid = modelShapeOf(hollowFacts(hollowHybrid(QWEN_HYBRID, QWEN_HYBRID_STATE)), F16);
    expect(kvBytesPerToken(hybrid)).toBe(16 * 2 * 4 * 256 * 2);
    const q8 = modelShapeOf(hollowFacts(hollowLlama(LLAMA_3_8B)), { kvTypeK: "q8_0", kvTypeV: "q4_0" });
    expect(kvBytesPerToken(q8)).toBeCloseTo(32 * 1024 * (34 / 32 + 18 / 32), 6);
    const recurrent = hollowRecurrent(SMALL, { convolution: 4, innerWidth: 512, groups: 1, stateWidth: 128 });
    expect(kvBytesPerToken(modelShapeOf(hollowFacts(recurrent), F16))).toBe(0);
  });

  it("tells windowed layers and experts", () => {
    const gemma = modelShapeOf(hollowFacts(hollowGemma(SMALL, 512)), F16);
    expect(gemma.slidingWindow).toEqual({ windowTokens: 512, layers: 10 });
    const mixture = modelShapeOf(
      hollowFacts(hollowMixture(SMALL, { count: 16, used: 4, feedForward: 128 })),
      F16,
    );
    const expertBytes = (12 * 16 * 3 * 256 * 128 * 34) / 32;
    expect(mixture.experts).toEqual({ count: 16, usedPerToken: 4, weightBytes: expertBytes });
    expect(weightBytesRead(mixture, 1)).toBeCloseTo(mixture.weightBytes - expertBytes * 0.75, 0);
  });
});
