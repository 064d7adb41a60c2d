import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { llamaPreset, vllmPreset } from "../../test/fakes/fleet-presets.ts";
import type { Preset } from "../preset/preset.ts";
import type { NeedBytes } from "./alternatives.ts";
import { proposeAlternatives } from "./alternatives.ts";
import type { Alternative } from "./control/protocol.ts";
import { needFromDeclared } from "./need-from-declared.ts";

const MIB = 1_048_576;

/** Bytes of 32 values, from llama.cpp's block layouts: 16-bit values, 32 bytes and a scale, 16 bytes and a scale. */
const BLOCK: Readonly<Record<string, number>> = { f16: 64, q8_0: 34, q4_0: 18 };

/** A made-up model: 1,000 MiB, 100 for each slot, and 1 MiB per 64 tokens of f16 cache. */
const need: NeedBytes = (preset: Preset) => {
  if (preset.engine !== "llama-server") return preset.engine === "vllm" ? 2_500 * MIB : undefined;
  const { slots, contextTokensPerSlot = 4_096, kvTypeK = "f16", kvTypeV = "f16" } = preset;
  const perToken = (MIB / 64) * (((BLOCK[kvTypeK] ?? 0) + (BLOCK[kvTypeV] ?? 0)) / 128);
  return 1_000 * MIB + slots * (100 * MIB + contextTokensPerSlot * perToken);
};

const propose = (
  presets: readonly Preset[],
  missingMib: number,
  more: { kind?: "gpu" | "host"; needBytes?: NeedBytes } = {},
): readonly Alternative[] =>
  proposeAlternatives({ presets, missingBytes: missingMib * MIB, kind: "gpu", needBytes: need, ...more });

/** 3 slots of 65,536 tokens: 1,000 + 3 × (100 + 1,024) = 4,372 MiB. */
const chat = llamaPreset("chat", { slots: 3, contextTokensPerSlot: 65_536 });

describe("what would fit", () => {
  test("one alternative of each kind, least loss first, each the mildest that is enough", () => {
    const embedder = vllmPreset("embedder", { priority: 10, sleepLevel: 2 });
    expect(propose([chat, embedder], 1_000)).toEqual([
      {
        kind: "sleep",
        preset: "embedder",
        sentence:
          "embedder asleep (level 2) until it is needed: about 2000 MiB of its 2500 MiB come free, and the first request waits for it to wake",
        savesBytes: 2_000 * MIB,
        fits: true,
        change: { sleepLevel: 2 },
      },
      {
        kind: "fewer-slots",
        preset: "chat",
        sentence: "chat with 2 slots instead of 3: 3248 MiB instead of 4372 MiB",
        savesBytes: 1_124 * MIB,
        fits: true,
        change: { slots: 2 },
      },
      {
        kind: "smaller-context",
        preset: "chat",
        // 3 × 64 MiB for each 4,096 tokens: six steps are 1,152 MiB, five only 960.
        sentence: "chat with 40960 tokens per slot instead of 65536: 3220 MiB instead of 4372 MiB",
        savesBytes: 1_152 * MIB,
        fits: true,
        change: { contextTokensPerSlot: 40_960 },
      },
      {
        kind: "smaller-kv-type",
        preset: "chat",
        // 3,072 MiB of cache shrink to 34/64.
        sentence: "chat with a q8_0 cache instead of f16: 2932 MiB instead of 4372 MiB",
        savesBytes: 1_440 * MIB,
        fits: true,
        change: { kvTypeK: "q8_0", kvTypeV: "q8_0" },
      },
      expect.objectContaining({ kind: "leave-out", preset: "embedder", change: {} }),
      expect.objectContaining({ kind: "leave-out", preset: "chat", savesBytes: 4_372 * MIB }),
    ]);
  });

  test("nothing is proposed when nothing is missing", () => {
    expect(propose([chat], 0)).toEqual([]);
  });

  test("the less important preset is the first to change", () => {
    const other = llamaPreset("aside", { slots: 3, contextTokensPerSlot: 65_536, priority: 20 });
    const slots = propose([chat, other], 1_000).filter(({ kind }) => kind === "fewer-slots");
    expect(slots.map(({ preset }) => preset)).toEqual(["aside", "chat"]);
  });

  test("a preset that others rest on is not left out", () => {
    const base = llamaPreset("base", { slots: 1, contextTokensPerSlot: 4_096 });
    const top = llamaPreset("top", { slots: 1, contextTokensPerSlot: 4_096, dependsOn: ["base"] });
    const out = propose([base, top], 500).filter(({ kind }) => kind === "leave-out");
    expect(out.map(({ preset }) => preset)).toEqual(["top"]);
  });

  test("without flash attention only the keys are made smaller", () => {
    const plain = llamaPreset("chat", { slots: 3, contextTokensPerSlot: 65_536, flashAttention: "off" });
    const smaller = propose([plain], 700).find(({ kind }) => kind === "smaller-kv-type");
    expect(smaller?.change).toEqual({ kvTypeK: "q8_0" });
    // Half of 3,072 MiB shrinks to 34/64.
    expect(smaller?.savesBytes).toBe(720 * MIB);
  });

  test("sleep frees GPU memory only", () => {
    const kinds = propose([vllmPreset("embedder", { sleepLevel: 1 })], 100, { kind: "host" }).map(
      ({ kind }) => kind,
    );
    expect(kinds).toEqual(["leave-out"]);
  });

  test("when no single field is enough, several of one preset are changed together", () => {
    // Alone: slots save 2,248, the context 2,880, the cache type 2,208.
    const [first] = propose([chat], 3_000);
    expect(first).toMatchObject({ kind: "smaller-context", fits: true });
    // At most 1,372 MiB: one slot of 16,384 tokens (256 MiB and 100), or two of 4,096 (328): the former holds more.
    expect(first?.change).toEqual({ slots: 1, contextTokensPerSlot: 16_384 });
  });

  test("what saves most is shown when nothing is enough", () => {
    const proposed = propose([chat], 10_000);
    expect(proposed.every(({ fits }) => !fits)).toBe(true);
    expect(proposed[0]).toMatchObject({ kind: "leave-out", savesBytes: 4_372 * MIB });
  });

  test("nothing can be said of presets whose need nobody knows", () => {
    expect(propose([chat], 100, { needBytes: () => undefined })).toEqual([]);
  });
});

describe("held against trying everything", () => {
  const anyChat = fc.record({
    slots: fc.integer({ min: 1, max: 6 }),
    steps: fc.integer({ min: 1, max: 10 }),
    type: fc.constantFrom("f16" as const, "q8_0" as const, "q4_0" as const),
    missingMib: fc.integer({ min: 1, max: 4_000 }),
  });
  const make = (slots: number, steps: number, type: string): Preset =>
    llamaPreset("chat", { slots, contextTokensPerSlot: 4_096 * steps, kvTypeK: type, kvTypeV: type });
  const types = ["f16", "q8_0", "q4_0"];

  test("each kind's proposal is the mildest that fits, and there is one whenever one fits", () => {
    fc.assert(
      fc.property(anyChat, ({ slots, steps, type, missingMib }) => {
        const before = make(slots, steps, type);
        const saves = (changed: Preset): boolean =>
          (need(before) ?? 0) - (need(changed) ?? 0) >= missingMib * MIB;
        const below = (from: number): number[] =>
          Array.from({ length: from - 1 }, (_, index) => from - 1 - index);
        const fewer = below(slots).find((fewerSlots) => saves(make(fewerSlots, steps, type)));
        const shorter = below(steps).find((fewerSteps) => saves(make(slots, fewerSteps, type)));
        const smaller = types
          .slice(types.indexOf(type) + 1)
          .find((other) => saves(make(slots, steps, other)));
        const found = propose([before], missingMib).filter(({ fits, kind }) => fits && kind !== "leave-out");
        if ([fewer, shorter, smaller].some((value) => value !== undefined))
          expect(found.map(({ change }) => change)).toEqual([
            ...(fewer === undefined ? [] : [{ slots: fewer }]),
            ...(shorter === undefined ? [] : [{ contextTokensPerSlot: shorter * 4_096 }]),
            ...(smaller === undefined ? [] : [{ kvTypeK: smaller, kvTypeV: smaller }]),
          ]);
        else expectBestOfSeveral({ slots, steps, type }, saves, found);
      }),
      { numRuns: 400 },
    );
  });

  /** The largest cache type that allows any, and with it the most tokens held. */
  function expectBestOfSeveral(
    { slots, steps, type }: { slots: number; steps: number; type: string },
    saves: (changed: Preset) => boolean,
    found: readonly Alternative[],
  ): void {
    for (const other of types.slice(types.indexOf(type))) {
      let most = 0;
      for (let fewerSlots = 1; fewerSlots <= slots; fewerSlots++)
        for (let fewerSteps = 1; fewerSteps <= steps; fewerSteps++)
          if (saves(make(fewerSlots, fewerSteps, other))) most = Math.max(most, fewerSlots * fewerSteps);
      if (most === 0) continue;
      const change = found[0]?.change ?? {};
      expect(found).toHaveLength(1);
      expect((Number(change["slots"]) * Number(change["contextTokensPerSlot"])) / 4_096).toBe(most);
      expect(change["kvTypeK"] ?? type).toBe(other);
      return;
    }
    expect(found).toEqual([]);
  }
});

describe("needs from a declared figure", () => {
  // 20,000 MiB declared, 12,000 of files, 1,024 set aside: 6,976 of cache.
  const preset = llamaPreset("chat", { slots: 4, contextTokensPerSlot: 32_768 });
  const estimate = needFromDeclared([{ preset, declaredBytes: 20_000 * MIB, fileBytes: 12_000 * MIB }]);

  test("the cache shrinks with slots, context and cache type, and nothing else does", () => {
    expect(estimate(preset)).toBe(20_000 * MIB);
    expect(estimate({ ...preset, slots: 2 })).toBe((20_000 - 3_488) * MIB);
    expect(estimate({ ...preset, contextTokensPerSlot: 8_192 })).toBe((20_000 - 5_232) * MIB);
    expect(estimate({ ...preset, kvTypeK: "q8_0", kvTypeV: "q8_0" })).toBe((20_000 - 3_270) * MIB);
  });

  test("a declared figure that the files fill leaves nothing to shrink", () => {
    const full = needFromDeclared([{ preset, declaredBytes: 12_500 * MIB, fileBytes: 12_000 * MIB }]);
    expect(full({ ...preset, slots: 1 })).toBe(12_500 * MIB);
  });

  test("a context that is left to the server does not shrink with the slots", () => {
    const open = llamaPreset("chat", { slots: 4 });
    const fixed = needFromDeclared([{ preset: open, declaredBytes: 20_000 * MIB, fileBytes: 0 }]);
    expect(fixed({ ...open, slots: 1 })).toBe(20_000 * MIB);
  });

  test("a preset without a figure has no estimate", () => {
    expect(estimate(llamaPreset("other"))).toBeUndefined();
  });
});
