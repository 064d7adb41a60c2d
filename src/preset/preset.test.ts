import { describe, expect, test } from "vitest";
import { OWNED_SETTINGS } from "./owned-settings.ts";
import { presetSchema } from "./preset.ts";

const BASE = {
  "llama-server": { name: "a", engine: "llama-server", model: "m.gguf" },
  vllm: { name: "a", engine: "vllm", model: "m" },
  ollama: { name: "a", engine: "ollama", model: "m", serve: "own" },
  command: { name: "a", engine: "command", command: ["server", "--port", "{port}"] },
} as const;

/** `field: rule` of each complaint; empty when the preset is fine. */
function complaints(preset: object): readonly string[] {
  const result = presetSchema.safeParse(preset);
  return (result.error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);
}

describe("the least that a preset needs", () => {
  test.each(Object.values(BASE))("$engine", (preset) => {
    expect(complaints(preset)).toEqual([]);
  });
});

describe("an extra argument that a field decides", () => {
  test.each([
    ["llama-server", "-c", "-c cannot stand here: the field contextTokensPerSlot decides it"],
    ["llama-server", "--port", "--port cannot stand here: the field port decides it"],
    [
      "llama-server",
      "--no-slots",
      "--no-slots cannot stand here: Slipway itself could no longer ask the server how it is",
    ],
    ["vllm", "--port=80", "--port cannot stand here: the field port decides it"],
    [
      "vllm",
      "--max_model_len",
      "--max-model-len cannot stand here: the field contextTokensPerSlot decides it",
    ],
  ] as const)("of %s, %s, is refused", (engine, argument, rule) => {
    expect(complaints({ ...BASE[engine], extraArgs: ["--verbose", argument, "1"] })).toEqual([
      `extraArgs.1: ${rule}`,
    ]);
  });

  test("is refused for every flag and variable of every engine, and names a field that the preset has", () => {
    for (const [engine, settings] of Object.entries(OWNED_SETTINGS)) {
      const base = BASE[engine as keyof typeof OWNED_SETTINGS];
      const schema = presetSchema.options.find((option) => option.shape.engine.value === engine);
      for (const { flags = [], variables = [], instead } of settings) {
        for (const flag of flags) expect(complaints({ ...base, extraArgs: [flag] }), flag).toHaveLength(1);
        for (const name of variables)
          expect(complaints({ ...base, env: { [name]: "1" } }), name).toHaveLength(1);
        const field = /^the field (\w+)/.exec(instead)?.[1];
        if (field !== undefined) expect(Object.keys(schema?.shape ?? {})).toContain(field);
      }
    }
  });

  test("leaves others alone, values that look like flags' beginnings too", () => {
    expect(
      complaints({ ...BASE["llama-server"], extraArgs: ["--cont-batching", "--port-range=1", "c"] }),
    ).toEqual([]);
  });
});

describe("settings that contradict each other are refused:", () => {
  test.each([
    [
      "a quantised V cache without flash attention",
      "llama-server",
      { kvTypeV: "q8_0", flashAttention: "off" },
    ],
    [
      "two kinds of speculation",
      "llama-server",
      { draftModel: "d.gguf", extraArgs: ["--spec-type", "ngram-mod"] },
    ],
    ["sleep on an address that others reach", "vllm", { sleepLevel: 1, host: "0.0.0.0" }],
    ["arguments for a server that takes none", "ollama", { extraArgs: ["-v"] }],
    ["an environment for a server of somebody else's", "ollama", { serve: "running", env: { A: "b" } }],
    ["a cache type for a server of somebody else's", "ollama", { serve: "running", kvType: "q8_0" }],
    ["a free port that the command never hears of", "command", { command: ["server"] }],
    ["a host with a port", "llama-server", { host: "127.0.0.1/x" }],
  ] as const)("%s", (_what, engine, more) => {
    expect(complaints({ ...BASE[engine], ...more })).toMatchSnapshot();
  });

  test.each([
    ["llama-server", { kvTypeV: "q8_0", flashAttention: "on" }],
    ["llama-server", { kvTypeV: "f16", flashAttention: "off" }],
    ["llama-server", { extraArgs: ["--spec-type", "ngram-mod"] }],
    ["llama-server", { draftModel: "d.gguf", draftKind: "inferred", extraArgs: ["--spec-type", "x"] }],
    ["vllm", { sleepLevel: 2 }],
    ["command", { command: ["server"], port: 8081 }],
    ["command", { command: ["server"], env: { PORT: "{port}" } }],
    ["llama-server", { host: "::1" }],
  ] as const)("but not those of %s with %o", (engine, more) => {
    expect(complaints({ ...BASE[engine], ...more })).toEqual([]);
  });
});
