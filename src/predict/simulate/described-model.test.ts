import { describe, expect, it } from "vitest";
import { BYTES_PER_GIB } from "../../core/units.ts";
import { modelShapeOf } from "../gguf/model-shape-of.ts";
import { findModelShape, kvBytesPerToken } from "../model-shape.ts";
import { llamaServerMemory } from "../vram/launch-memory.ts";
import { memoryLedger } from "../vram/memory-ledger.ts";
import { DESCRIBED_MODELS, describedModel } from "./described-model.ts";

const f16 = { kvTypeK: "f16", kvTypeV: "f16" } as const;
const q8 = { kvTypeK: "q8_0", kvTypeV: "q8_0" } as const;

function facts(name: string) {
  const found = describedModel(name);
  if (found === undefined) throw new Error(`${name} is described`);
  return found;
}

describe("models by their published configuration", () => {
  it.each(["llama-8b-q4", "llama-8b-bf16"])("gives %s the shape it has by name, within 0.1 %%", (name) => {
    const shape = modelShapeOf(facts(name), f16);
    const known = findModelShape(name);
    expect(shape.weightBytes / (known?.weightBytes ?? 0)).toBeCloseTo(1, 3);
    expect(shape.layerParameters / (known?.layerParameters ?? 0)).toBeCloseTo(1, 3);
    expect(kvBytesPerToken(shape)).toBe(131_072);
  });

  it("makes of Gemma 4's configuration the 26 billion parameters, 4 of them active, of its name", () => {
    const gemma = facts("gemma4-26b-a4b-q4");
    const shape = modelShapeOf(gemma, q8);
    expect(gemma.weights.elements / 1e9).toBeCloseTo(25.2, 1);
    // A token goes through its layers and, once, through the output matrix.
    expect((shape.layerParameters + 262_144 * 2816) / 1e9).toBeCloseTo(3.8, 1);
    const sum = [...gemma.weights.layerBytes, gemma.weights.inputBytes].reduce(
      (all, bytes) => all + bytes,
      0,
    );
    expect(sum / BYTES_PER_GIB).toBeCloseTo(12.97, 6);
  });

  it("gives Gemma 3 its parameters, and windows that the shape by name counts as full layers", () => {
    const gemma = facts("gemma3");
    const shape = modelShapeOf(gemma, f16);
    expect(gemma.weights.elements / 1e9).toBeCloseTo(3.88, 2);
    expect(shape.layerParameters / (findModelShape("gemma3")?.layerParameters ?? 0)).toBeCloseTo(1, 2);
    expect(kvBytesPerToken(shape)).toBe(34 * 4 * 4 * 256);
    expect(shape.slidingWindow).toEqual({ windowTokens: 1024, layers: 29 });
  });

  it("keeps of five full layers 2 × 512 keys and values a token, and of the others a window", () => {
    const launch = llamaServerMemory(
      { slots: 3, contextTokensPerSlot: 65_536, ...q8 },
      facts("gemma4-26b-a4b-q4"),
    );
    const cache = memoryLedger(facts("gemma4-26b-a4b-q4"), launch).lines.filter(
      ({ item }) => item === "cache",
    );
    const row = 2 * 1024 * (34 / 32);
    const windowRow = 2 * 2048 * (34 / 32);
    expect(cache.map(({ bytes }) => bytes)).toEqual([
      25 * 3 * (1024 + 512) * windowRow,
      5 * 3 * 65_536 * row,
    ]);
  });

  it("knows a model by the name of a file in any folder, and no other", () => {
    expect(describedModel("~/models/gemma-4-26B-A4B-it-UD-IQ4_XS.gguf")?.name).toBe("gemma4-26b-a4b-q4");
    expect(describedModel("/models/gemma-4-26B-A4B-it-Q8_0.gguf")).toBeUndefined();
    expect(new Set(DESCRIBED_MODELS).size).toBe(DESCRIBED_MODELS.length);
  });
});
