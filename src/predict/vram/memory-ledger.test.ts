import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BYTES_PER_MIB } from "../../core/units.ts";
import { hollowFacts } from "../../../test/fakes/hollow-facts.ts";
import {
  LLAMA_3_8B,
  QWEN_HYBRID,
  QWEN_HYBRID_STATE,
  hollowGemma,
  hollowHybrid,
  hollowLlama,
  hollowMixture,
} from "../../../test/fakes/hollow-models.ts";
import { KV_TYPES } from "../../preset/preset.ts";
import { alternativesThatFit } from "./alternatives.ts";
import { kvRowBytes } from "./cache-lines.ts";
import { computeStages } from "./compute-lines.ts";
import type { LaunchMemory } from "./launch-memory.ts";
import { cacheGeometry, llamaServerMemory, ollamaMemory, windowCells } from "./launch-memory.ts";
import type { LedgerItem, MemoryLedger, MemoryPlace } from "./ledger.ts";
import { memoryLedger } from "./memory-ledger.ts";
import { expectedResidual } from "./residual.ts";

const LLAMA = hollowFacts(hollowLlama(LLAMA_3_8B));
const GEMMA = hollowFacts(
  hollowGemma(
    {
      layers: 48,
      width: 3840,
      heads: 16,
      kvHeads: 8,
      headWidth: 256,
      feedForward: 15_360,
      vocabulary: 262_144,
      type: "q8_0",
    },
    1024,
  ),
);
const MIXTURE = hollowFacts(
  hollowMixture(
    { ...LLAMA_3_8B, layers: 48, width: 2048, kvHeads: 4, feedForward: 6144 },
    { count: 128, used: 8, feedForward: 768 },
  ),
);
const HYBRID = hollowFacts(hollowHybrid(QWEN_HYBRID, QWEN_HYBRID_STATE));

function mib(ledger: MemoryLedger, item: LedgerItem, place?: MemoryPlace): number {
  const bytes = ledger.lines
    .filter((line) => line.item === item && (place === undefined || line.place === place))
    .reduce((sum, line) => sum + line.bytes, 0);
  return bytes / BYTES_PER_MIB;
}

describe("cells", () => {
  const geometry = (slots: number, contextTokens: number, unifiedKv: boolean) =>
    cacheGeometry({ ...llamaServerMemory({ slots, unifiedKv }, LLAMA), contextTokens });

  it("of a split cache are rounded up twice, so that ten slots of 4,096 tokens get 5,120", () => {
    expect(geometry(10, 4096, false)).toMatchObject({ streams: 10, cellsPerStream: 512 });
  });

  it("of a shared cache are the context rounded up once", () => {
    expect(geometry(10, 4000, true)).toMatchObject({ streams: 1, cellsPerStream: 4096 });
  });

  it("are never fewer than asked for, and never more than a step for each slot above it", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 256, max: 2_000_000 }),
        fc.boolean(),
        (slots, tokens, unified) => {
          const { streams, cellsPerStream } = geometry(slots, tokens, unified);
          expect(cellsPerStream % 256).toBe(0);
          // A split divides before it rounds up, and what the division drops is less than a token per slot.
          expect(streams * cellsPerStream).toBeGreaterThan(tokens - slots);
          expect(streams * cellsPerStream).toBeLessThanOrEqual(tokens + 256 * (slots + 1));
        },
      ),
    );
  });

  it("without a number of slots are four slots' that share one cache; Ollama's are num_ctx × parallel, split", () => {
    expect(llamaServerMemory({}, LLAMA)).toMatchObject({
      slots: 4,
      unifiedCache: true,
      contextTokens: 1_048_576,
    });
    const ollama = ollamaMemory({ slots: 20, contextTokensPerSlot: 32_768 }, LLAMA);
    expect(ollama).toMatchObject({ slots: 20, unifiedCache: false, contextTokens: 655_360 });
  });

  it("of window layers hold the window and a micro-batch, in a shared cache the windows of all slots", () => {
    const launch = llamaServerMemory({ slots: 3, contextTokensPerSlot: 65_536 }, GEMMA);
    expect(windowCells(launch, 1024)).toBe(1536);
    expect(windowCells({ ...launch, unifiedCache: true }, 1024)).toBe(3584);
    expect(windowCells({ ...launch, fullWindowCache: true }, 1024)).toBe(65_536);
    expect(windowCells({ ...launch, contextTokens: 3 * 512 }, 1024)).toBe(512);
  });
});

describe("cache types", () => {
  it("have their exact size per 32 elements", () => {
    const bytes = Object.fromEntries(KV_TYPES.map((type) => [type, kvRowBytes(type, 32)]));
    expect(bytes).toEqual({
      f32: 128,
      f16: 64,
      bf16: 64,
      q8_0: 34,
      q5_1: 24,
      q5_0: 22,
      q4_1: 20,
      q4_0: 18,
      iq4_nl: 18,
    });
  });
});

describe("a ledger", () => {
  it("says how many bytes and why, line by line, and its totals are the sums of the lines", () => {
    const launch = llamaServerMemory(
      { slots: 2, contextTokensPerSlot: 16_384, kvTypeK: "q8_0", kvTypeV: "q8_0" },
      LLAMA,
    );
    const ledger = memoryLedger(LLAMA, launch, { marginBytes: 512 * BYTES_PER_MIB });
    const cache = ledger.lines.find((line) => line.item === "cache");
    // 32 layers × 2 × 16,384 cells × 2 × 1,024 elements × 34 ÷ 32.
    expect(cache?.bytes).toBe(32 * 2 * 16_384 * 2 * 1088);
    expect(cache?.formula).toBe(
      "32 layers × 16,384 cells × 2 streams × 2,176 B (1,024 keys q8_0, 1,024 values q8_0) = 1088.00 MiB for each of 2 slots",
    );
    const sum = (place: MemoryPlace): number =>
      ledger.lines.reduce((total, line) => (line.place === place ? total + line.bytes : total), 0);
    expect(ledger.deviceBytes).toBe(sum("device"));
    expect(ledger.hostBytes).toBe(sum("host"));
  });

  it("puts Llama 3 8B's compute buffer at 258.50 MiB on a GPU when every token of a batch gets logits", () => {
    const launch = {
      ...llamaServerMemory({ slots: 1, contextTokensPerSlot: 8192 }, LLAMA),
      outputs: "per-token" as const,
    };
    expect(computeStages(LLAMA, launch).logitBytes / BYTES_PER_MIB).toBe(258.5);
    expect(mib(memoryLedger(LLAMA, launch), "compute", "device")).toBe(258.5);
  });

  it("counts a tied embedding a second time on the GPU, and not on the host", () => {
    const launch = llamaServerMemory({ slots: 1, contextTokensPerSlot: 4096 }, GEMMA);
    const embeddingMib = (262_144 * 3840 * 34) / 32 / BYTES_PER_MIB;
    const tied = (ledger: MemoryLedger) => ledger.lines.filter((line) => line.label.includes("tied"));
    const [line] = tied(memoryLedger(GEMMA, launch));
    expect((line?.bytes ?? 0) / BYTES_PER_MIB).toBeCloseTo(embeddingMib, 6);
    expect(mib(memoryLedger(GEMMA, launch), "weights", "host")).toBeCloseTo(embeddingMib, 6);
    expect(tied(memoryLedger(GEMMA, { ...launch, gpuLayers: 0 }))).toEqual([]);
  });

  it("moves layers from the end, the output as the first of them", () => {
    const at = (gpuLayers: number | "all"): MemoryLedger =>
      memoryLedger(LLAMA, {
        ...llamaServerMemory({ slots: 1, contextTokensPerSlot: 8192 }, LLAMA),
        gpuLayers,
      });
    expect(mib(at(0), "cache", "device")).toBe(0);
    expect(mib(at(0), "weights", "device")).toBe(0);
    expect(mib(at(1), "cache", "device")).toBe(0);
    expect(mib(at(1), "weights", "device")).toBeCloseTo(mib(at("all"), "weights", "host"), 0);
    expect(mib(at(9), "cache", "device")).toBe(8 * 32);
    expect(mib(at(33), "cache", "device")).toBe(1024);
    expect(at(33).deviceBytes).toBe(at("all").deviceBytes);
    for (const layers of [0, 1, 9, 33])
      expect(mib(at(layers), "weights")).toBeCloseTo(LLAMA.weights.totalBytes / BYTES_PER_MIB, 6);
  });

  it("tells the experts of a mixture apart", () => {
    const ledger = memoryLedger(
      MIXTURE,
      llamaServerMemory({ slots: 1, contextTokensPerSlot: 4096 }, MIXTURE),
    );
    const experts = ledger.lines.find((line) => line.label === "Weights: Experts");
    expect(experts?.bytes).toBe((48 * 128 * 3 * 2048 * 768 * 34) / 32);
    expect(experts?.formula).toContain("all 128 experts are resident, a token reads 8");
  });

  it("gives recurrent layers a state per slot that does not grow with the context", () => {
    const state = (slots: number, contextTokensPerSlot: number): number =>
      mib(memoryLedger(HYBRID, llamaServerMemory({ slots, contextTokensPerSlot }, HYBRID)), "state");
    expect(state(4, 65_536)).toBe(598.5);
    expect(state(4, 1024)).toBe(598.5);
    expect(state(8, 1024)).toBe(1197);
  });

  it("shows what else is there, and replaces the assumed overhead by what was learnt", () => {
    const launch = llamaServerMemory({ slots: 1, contextTokensPerSlot: 4096 }, LLAMA);
    const plain = memoryLedger(LLAMA, launch);
    expect(mib(plain, "overhead")).toBe(300);
    const residual = expectedResidual([
      { predictedBytes: 10_000, measuredBytes: 10_000 + 400 * BYTES_PER_MIB },
      { predictedBytes: 20_000, measuredBytes: 20_000 + 500 * BYTES_PER_MIB },
    ]);
    if (residual === undefined) throw new Error("nothing was observed");
    const tenant = { label: "embeddings", bytes: 2500 * BYTES_PER_MIB, provenance: "measured" as const };
    const learnt = memoryLedger(LLAMA, launch, { residual, coTenants: [tenant], projectorBytes: 100 });
    expect(mib(learnt, "overhead")).toBe(0);
    expect(learnt.lines.find((line) => line.item === "residual")).toMatchObject({
      bytes: 450 * BYTES_PER_MIB,
      provenance: "measured",
    });
    expect(learnt.deviceBytes - plain.deviceBytes).toBe((450 - 300 + 2500) * BYTES_PER_MIB + 100);
  });

  it("never shrinks with more slots, more context or wider cache types", () => {
    const settings = fc.record({
      slots: fc.integer({ min: 1, max: 16 }),
      tokens: fc.integer({ min: 256, max: 200_000 }),
      type: fc.constantFrom("q4_0", "q8_0", "f16"),
    });
    const deviceBytes = (
      facts: typeof LLAMA,
      slots: number,
      tokens: number,
      type: "q4_0" | "q8_0" | "f16",
    ): number =>
      memoryLedger(
        facts,
        llamaServerMemory({ slots, contextTokensPerSlot: tokens, kvTypeK: type, kvTypeV: type }, facts),
      ).deviceBytes;
    fc.assert(
      fc.property(fc.constantFrom(LLAMA, GEMMA, HYBRID), settings, (facts, { slots, tokens, type }) => {
        const here = deviceBytes(facts, slots, tokens, type as "q8_0");
        expect(deviceBytes(facts, slots, tokens + 256, type as "q8_0")).toBeGreaterThanOrEqual(here);
        expect(deviceBytes(facts, slots, tokens, "f16")).toBeGreaterThanOrEqual(here);
        // A micro-batch is rounded to a multiple of the slots; caches grow by far more than that shrinks.
        expect(deviceBytes(facts, slots * 2, tokens, type as "q8_0")).toBeGreaterThanOrEqual(here);
      }),
      { numRuns: 300 },
    );
  });
});

describe("alternatives to a launch that does not fit", () => {
  const launch: LaunchMemory = llamaServerMemory({ slots: 8, contextTokensPerSlot: 32_768 }, LLAMA);
  const budgetBytes = 24_000 * BYTES_PER_MIB;

  it("are one change each, the mildest that fits", () => {
    const found = alternativesThatFit(LLAMA, launch, budgetBytes);
    expect(found.map((one) => one.kind)).toEqual([
      "fewer-slots",
      "smaller-context",
      "smaller-kv-type",
      "fewer-gpu-layers",
    ]);
    for (const one of found) {
      expect(one.deviceBytes).toBeLessThanOrEqual(budgetBytes);
      expect(memoryLedger(LLAMA, one.launch).deviceBytes).toBe(one.deviceBytes);
    }
    // 4 GiB of cache per slot; 24,000 less 8,138 of weights and some 450 beside leaves room for three.
    expect(found[0]?.launch).toMatchObject({ slots: 3, contextTokens: 3 * 32_768 });
    expect(found[0]?.change).toContain("3 slots instead of 8");
    expect(found[2]?.launch).toMatchObject({ kvTypeK: "q4_0" });
  });

  it("are none when it fits, and none of a kind that does not help", () => {
    expect(alternativesThatFit(LLAMA, launch, 1e12)).toEqual([]);
    const onlyLayers = alternativesThatFit(LLAMA, launch, 4000 * BYTES_PER_MIB);
    expect(onlyLayers.map((one) => one.kind)).toEqual(["fewer-gpu-layers"]);
  });
});
