import { describe, expect, test } from "vitest";
import { OWNED_SETTINGS } from "../preset/owned-settings.ts";
import { presetSchema } from "../preset/preset.ts";
import { describeLaunch } from "./launch.ts";

const launch = (preset: object, port = 8081) => describeLaunch(presetSchema.parse(preset), port);

const LLAMA = { name: "a", engine: "llama-server", model: "/m.gguf" };
const EVERY_LLAMA_FIELD = {
  ...LLAMA,
  mmproj: "/p.gguf",
  draftModel: "/d.gguf",
  slots: 3,
  contextTokensPerSlot: 131_072,
  kvTypeK: "q8_0",
  kvTypeV: "q4_0",
  flashAttention: "on",
  unifiedKv: false,
  threads: 16,
  gpuLayers: "all",
  batchTokens: 1024,
  microBatchTokens: 256,
  chatTemplateArguments: { enable_thinking: true },
  embedding: true,
  extraArgs: ["--mlock"],
};
const EVERY_VLLM_FIELD = {
  name: "a",
  engine: "vllm",
  model: "Qwen/Qwen3-Embedding-0.6B",
  slots: 8,
  contextTokensPerSlot: 4096,
  kvType: "fp8",
  gpuMemoryFraction: 0.1,
  tensorParallelGpus: 2,
  sleepLevel: 1,
  embedding: true,
  extraArgs: ["--enforce-eager"],
};

describe("llama-server", () => {
  test("with every field", () => {
    expect(launch(EVERY_LLAMA_FIELD)).toEqual({
      kind: "process",
      command: "llama-server",
      args: [
        ...["--model", "/m.gguf", "--mmproj", "/p.gguf", "--model-draft", "/d.gguf"],
        ...["--spec-type", "draft-simple"],
        ...["--host", "127.0.0.1", "--port", "8081"],
        ...["--parallel", "3", "--ctx-size", "393216", "--no-kv-unified"],
        ...["--cache-type-k", "q8_0", "--cache-type-v", "q4_0", "--flash-attn", "on"],
        ...["--threads", "16", "--n-gpu-layers", "all", "--batch-size", "1024", "--ubatch-size", "256"],
        ...["--chat-template-kwargs", '{"enable_thinking":true}', "--embedding"],
        ...["--slots", "--metrics", "--no-webui", "--mlock"],
      ],
      env: { GGML_CUDA_NO_PINNED: "1" },
      url: "http://127.0.0.1:8081",
      healthPath: "/health",
    });
  });

  test("leaves to the program what the preset does not say", () => {
    expect(launch(LLAMA)).toMatchObject({
      args: [
        ...["--model", "/m.gguf", "--host", "127.0.0.1", "--port", "8081", "--parallel", "1"],
        ...["--slots", "--metrics", "--no-webui"],
      ],
    });
  });

  test.each([
    ["mtp", ["--model-draft", "/d.gguf", "--spec-type", "draft-mtp"]],
    ["inferred", ["--model-draft", "/d.gguf"]],
  ])("is told of a draft model that is %s", (draftKind, args) => {
    const described = launch({ ...LLAMA, draftModel: "/d.gguf", draftKind });
    const written = described.kind === "process" ? described.args : [];
    expect(written.slice(2, written.indexOf("--host"))).toEqual(args);
  });

  test("may be told to pin memory after all", () => {
    expect(launch({ ...LLAMA, env: { GGML_CUDA_NO_PINNED: "0" } })).toMatchObject({
      env: { GGML_CUDA_NO_PINNED: "0" },
    });
  });

  test.each([
    ["0.0.0.0", "http://127.0.0.1:8081"],
    ["::", "http://[::1]:8081"],
    ["::1", "http://[::1]:8081"],
    ["192.168.1.5", "http://192.168.1.5:8081"],
  ])("that listens at %s is reached at %s", (host, url) => {
    expect(launch({ ...LLAMA, host })).toMatchObject({ url, args: expect.arrayContaining(["--host", host]) });
  });
});

describe("vLLM", () => {
  test("with every field", () => {
    expect(launch(EVERY_VLLM_FIELD)).toEqual({
      kind: "process",
      command: "vllm",
      args: [
        ...["serve", "Qwen/Qwen3-Embedding-0.6B", "--host", "127.0.0.1", "--port", "8081"],
        ...["--max-num-seqs", "8", "--max-model-len", "4096", "--kv-cache-dtype", "fp8"],
        ...["--gpu-memory-utilization", "0.1", "--tensor-parallel-size", "2", "--runner", "pooling"],
        ...["--enable-sleep-mode", "--enforce-eager"],
      ],
      env: { VLLM_SERVER_DEV_MODE: "1" },
      url: "http://127.0.0.1:8081",
      healthPath: "/health",
    });
  });

  test("that does not sleep has no development endpoints", () => {
    expect(launch({ name: "a", engine: "vllm", model: "m" })).toMatchObject({
      args: ["serve", "m", "--host", "127.0.0.1", "--port", "8081"],
      env: {},
    });
  });
});

describe("Ollama", () => {
  test("that somebody else keeps is only named", () => {
    expect(launch({ name: "a", engine: "ollama", model: "m:1b" }, 11_434)).toEqual({
      kind: "resident",
      url: "http://127.0.0.1:11434",
      model: "m:1b",
    });
  });

  test("of the preset's own is set by variables, and keeps its one model", () => {
    const preset = {
      name: "a",
      engine: "ollama",
      model: "m:1b",
      serve: "own",
      slots: 4,
      contextTokensPerSlot: 8192,
    };
    expect(
      launch({ ...preset, kvType: "q8_0", env: { OLLAMA_MODELS: "/o", OLLAMA_KEEP_ALIVE: "1h" } }),
    ).toEqual({
      kind: "resident",
      url: "http://127.0.0.1:8081",
      model: "m:1b",
      server: {
        kind: "process",
        command: "ollama",
        args: ["serve"],
        env: {
          OLLAMA_HOST: "127.0.0.1:8081",
          OLLAMA_KEEP_ALIVE: "1h",
          OLLAMA_MAX_LOADED_MODELS: "1",
          OLLAMA_NUM_PARALLEL: "4",
          OLLAMA_CONTEXT_LENGTH: "8192",
          OLLAMA_KV_CACHE_TYPE: "q8_0",
          OLLAMA_FLASH_ATTENTION: "1",
          OLLAMA_MODELS: "/o",
        },
        url: "http://127.0.0.1:8081",
        healthPath: "/api/version",
      },
    });
  });
});

describe("any command", () => {
  test("has its port and host filled in, wherever they stand", () => {
    expect(
      launch({
        name: "a",
        engine: "command",
        command: ["/opt/serve", "--listen={host}:{port}"],
        extraArgs: ["{port}"],
        env: { PORT: "{port}" },
        healthPath: "/ready",
      }),
    ).toEqual({
      kind: "process",
      command: "/opt/serve",
      args: ["--listen=127.0.0.1:8081", "8081"],
      env: { PORT: "8081" },
      url: "http://127.0.0.1:8081",
      healthPath: "/ready",
    });
  });
});

describe("every flag and variable that a driver writes", () => {
  /** Always on, whatever the preset says; given again they do no harm. */
  const FIXED = ["--slots", "--metrics", "--no-webui", "--mlock", "--enforce-eager"];
  /** Also for speculation without a draft model, so refused only beside one. */
  const SOMETIMES = ["--spec-type"];

  test.each([EVERY_LLAMA_FIELD, EVERY_VLLM_FIELD])(
    "of $engine is refused among the extra arguments",
    (preset) => {
      const owned = OWNED_SETTINGS[preset.engine as "llama-server" | "vllm"].flatMap(
        ({ flags = [] }) => flags,
      );
      const described = launch(preset);
      const args = described.kind === "process" ? described.args : [];
      const written = args.filter(
        (argument) => argument.startsWith("--") && ![...FIXED, ...SOMETIMES].includes(argument),
      );
      expect(written.filter((flag) => !owned.includes(flag))).toEqual([]);
      expect(written.length).toBeGreaterThan(5);
    },
  );
});
