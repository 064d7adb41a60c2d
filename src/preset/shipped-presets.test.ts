import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parseYaml } from "../core/yaml.ts";
import { presetNamed, presetsOfMode } from "./catalogue.ts";
import { modeSchema, presetSchema } from "./preset.ts";
import { readPresets } from "./read-presets.ts";

const FOLDER = fileURLToPath(new URL("../../presets", import.meta.url));
const shipped = () => readPresets([FOLDER], { HOME: "/h" });

/** Study 003's card: 22,980 MiB used and 1,102 MiB free in its first row. */
const CARD_MIB = 22_980 + 1_102;
/** Compositor, in the study's baseline, and the margin that a switch keeps. */
const DESKTOP_MIB = 410;
const MARGIN_MIB = 512;

describe("the shipped presets", () => {
  test("are the study's four, and one for a newcomer's own file", () => {
    expect([...shipped().presets.keys()]).toEqual([
      "gemma4-26b-a4b-q4",
      "gemma4-26b-a4b-q4-multi3-128k",
      "gemma4-26b-a4b-q4-multi5-32k",
      "own-gguf",
      "vllm-embedding-code",
    ]);
  });

  test.each([
    ["gemma4-26b-a4b-q4-multi3-128k", 3, 393_216, undefined],
    ["gemma4-26b-a4b-q4-multi5-32k", 5, 163_840, undefined],
    ["gemma4-26b-a4b-q4", 1, 131_072, "/h/models/mmproj-BF16.gguf"],
  ])("%s has the study's slots, total context and vision", (name, slots, totalTokens, mmproj) => {
    const { preset } = presetNamed(shipped(), name);
    if (preset.engine !== "llama-server") throw new Error("it is a llama-server's");
    expect(preset).toMatchObject({
      slots,
      kvTypeK: "q8_0",
      kvTypeV: "q8_0",
      flashAttention: "on",
      threads: 16,
      chatTemplateArguments: { enable_thinking: true },
    });
    expect(preset.slots * (preset.contextTokensPerSlot ?? 0)).toBe(totalTokens);
    expect(preset.mmproj).toBe(mmproj);
  });

  test("need nothing to be set, and take the models from where SLIPWAY_MODELS says", () => {
    expect(presetNamed(shipped(), "own-gguf").preset.model).toBe("/h/models/model.gguf");
    const moved = readPresets([FOLDER], { SLIPWAY_MODELS: "/big", SLIPWAY_MODEL: "/one.gguf" });
    expect(presetNamed(moved, "gemma4-26b-a4b-q4").preset.model).toMatch(/^\/big\//);
    expect(presetNamed(moved, "own-gguf").preset.model).toBe("/one.gguf");
  });
});

describe("the shipped modes", () => {
  test.each([
    ["hermes-agent", ["vllm-embedding-code", "gemma4-26b-a4b-q4"]],
    ["hermes-agent-multi", ["vllm-embedding-code", "gemma4-26b-a4b-q4-multi3-128k"]],
    ["hermes-research-multi", ["vllm-embedding-code", "gemma4-26b-a4b-q4-multi3-128k"]],
    ["hermes-agent-multi5", ["vllm-embedding-code", "gemma4-26b-a4b-q4-multi5-32k"]],
  ])("%s is the study's, and fits its card with the margin by what is declared", (name, presets) => {
    const entries = presetsOfMode(shipped(), name);
    expect(entries.map(({ preset }) => preset.name)).toEqual(presets);
    const sumMib = entries.reduce((sum, { preset }) => sum + (preset.memory.vramMib ?? Number.NaN), 0);
    expect(sumMib).toBeLessThanOrEqual(CARD_MIB - DESKTOP_MIB - MARGIN_MIB);
  });
});

describe("the examples on the page of presets", () => {
  const page = readFileSync(fileURLToPath(new URL("../../docs/presets.md", import.meta.url)), "utf8");
  const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) =>
    parseYaml(text ?? "", "page"),
  );

  test("are a preset and a mode that could be used as they stand", () => {
    const [preset, mode, ...others] = examples;
    expect(presetSchema.safeParse(preset).error).toBeUndefined();
    expect(modeSchema.safeParse(mode).error).toBeUndefined();
    expect(others).toEqual([]);
  });
});
