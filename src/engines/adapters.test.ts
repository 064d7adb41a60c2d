/** The quirks of each adapter: what it asks for and what it makes of its server's own answers. */
import { afterEach, describe, expect, test } from "vitest";
import {
  type Answer,
  type Script,
  type ScriptedServer,
  answer,
  json,
  startScriptedServer,
} from "../../test/fakes/scripted-server.ts";
import { whileAdvancing } from "../../test/fakes/virtual-time.ts";
import { VirtualClock, realClock } from "../core/clock.ts";
import type { Engine, EngineKind, GenerateRequest } from "./engine.ts";
import { createEngine } from "./registry.ts";

const running: { server: ScriptedServer; engine: Engine }[] = [];

afterEach(async () => {
  for (const { server, engine } of running.splice(0)) {
    await engine.close();
    await server.stop();
  }
});

async function endpoint(
  kind: EngineKind,
  routes: Readonly<Record<string, Answer | (() => Answer)>>,
  clock = realClock,
): Promise<{ server: ScriptedServer; engine: Engine }> {
  const script: Script = ({ path }) => {
    const route = routes[path];
    return typeof route === "function" ? route() : (route ?? answer("Not Found", { status: 404 }));
  };
  const server = await startScriptedServer(script);
  const engine = await createEngine({ name: "gpu", url: server.url, engine: kind }, { clock, env: {} });
  running.push({ server, engine });
  return { server, engine };
}

const FULL: GenerateRequest = {
  model: "m",
  messages: [{ role: "user", content: "hi" }],
  options: {
    temperature: 0.5,
    seed: 3,
    maxTokens: 20,
    ignoreEos: true,
    numGpu: 60,
    numCtx: 512,
    slotId: 1,
    cachePrompt: false,
    thinking: false,
  },
  stream: true,
};

/** What an adapter sends for a request that uses every option, and for a bare one. */
async function bodies(kind: EngineKind): Promise<{ path: string; full: unknown; bare: unknown }> {
  const { engine } = await endpoint(kind, {});
  const full = engine.buildRequest(FULL);
  const bare = engine.buildRequest({ model: "m", prompt: "hi", options: {}, stream: false });
  return {
    path: `${full.path} ${bare.path}`,
    full: JSON.parse(full.body ?? ""),
    bare: JSON.parse(bare.body ?? ""),
  };
}

const STANDARD = {
  model: "m",
  messages: FULL.messages,
  stream: true,
  max_tokens: 20,
  temperature: 0.5,
  seed: 3,
};

describe("requests", () => {
  test("openai sends the standard fields and nothing else", async () => {
    expect(await bodies("openai")).toEqual({
      path: "/v1/chat/completions /v1/completions",
      full: { ...STANDARD, stream_options: { include_usage: true } },
      bare: { model: "m", prompt: "hi", stream: false },
    });
  });

  test("vLLM is asked for a forced length and for usage with every chunk", async () => {
    expect((await bodies("vllm")).full).toEqual({
      ...STANDARD,
      stream_options: { include_usage: true, continuous_usage_stats: true },
      ignore_eos: true,
      min_tokens: 20,
      chat_template_kwargs: { enable_thinking: false },
    });
  });

  test("llama-server is asked for timings, a slot and no cache", async () => {
    expect((await bodies("llama-server")).full).toEqual({
      ...STANDARD,
      stream_options: { include_usage: true },
      timings_per_token: true,
      ignore_eos: true,
      id_slot: 1,
      cache_prompt: false,
      chat_template_kwargs: { enable_thinking: false },
    });
  });

  test("Ollama takes options of its own, and a plain prompt raw", async () => {
    expect(await bodies("ollama")).toEqual({
      path: "/api/chat /api/generate",
      full: {
        model: "m",
        messages: FULL.messages,
        stream: true,
        think: false,
        options: { temperature: 0.5, seed: 3, num_predict: 20, num_gpu: 60, num_ctx: 512 },
      },
      bare: { model: "m", prompt: "hi", raw: true, stream: false, options: {} },
    });
  });
});

describe("the engine's own split of the time", () => {
  /** Decodes one event and its end without a socket. */
  async function split(kind: EngineKind, event: object): Promise<unknown> {
    const { engine } = await endpoint(kind, {});
    const decoder = engine.createDecoder({ stream: true });
    decoder.push(Buffer.from(`data: ${JSON.stringify(event)}\n\ndata: [DONE]\n\n`), 1, false);
    const { inputTokens, cachedTokens, outputTokens, split: parts } = decoder.finish(false);
    return { inputTokens, cachedTokens, outputTokens, ...parts };
  }

  test("llama-server: prompt, cache and decode apart", async () => {
    const timings = { cache_n: 17, prompt_n: 3, prompt_ms: 12.5, predicted_n: 8, predicted_ms: 100 };
    expect(await split("llama-server", { choices: [], timings })).toEqual({
      inputTokens: 20,
      cachedTokens: 17,
      outputTokens: 8,
      prefillMs: 12.5,
      prefillTokens: 3,
      decodeMs: 100,
      decodeTokens: 8,
    });
  });

  test("vLLM: the first token comes after queue and prefill", async () => {
    const metrics = {
      queue_time_ms: 30,
      time_to_first_token_ms: 50,
      generation_time_ms: 400,
      mean_itl_ms: 4,
    };
    const usage = { prompt_tokens: 9, completion_tokens: 101 };
    expect(await split("vllm", { choices: [], usage, metrics })).toEqual({
      inputTokens: 9,
      outputTokens: 101,
      cachedTokens: undefined,
      queueMs: 30,
      prefillMs: 20,
      decodeMs: 400,
    });
  });
});

describe("facts", () => {
  test("llama-server: slots and their context from /props", async () => {
    const { engine, server } = await endpoint("llama-server", {
      "/props": json({
        total_slots: 4,
        build_info: "b6000-abc",
        model_path: "/models/tiny.gguf",
        default_generation_settings: { n_ctx: 2048 },
      }),
      "/v1/models": json({ data: [{ id: "tiny", meta: { n_params: 3e6, size: 7e6, n_ctx_train: 8192 } }] }),
    });
    expect(await engine.facts("tiny")).toEqual({
      name: "gpu",
      url: server.url,
      engine: "llama-server",
      simulated: false,
      model: "tiny",
      version: "b6000-abc",
      slots: 4,
      contextTokens: 2048,
      settings: { modelParameters: 3e6, modelBytes: 7e6, trainedContextTokens: 8192, modelFile: "tiny.gguf" },
    });
  });

  test("llama-server: a server without the slots endpoint says so", async () => {
    const message = "This server does not support slots endpoint. Start it with `--slots`";
    const { engine } = await endpoint("llama-server", {
      "/slots": json({ error: { code: 501, message } }, 501),
    });
    await expect(engine.slots?.()).rejects.toMatchObject({
      code: "SERVER_ERROR",
      message: `HTTP 501: ${message}`,
    });
  });

  test("llama-server: counters from /metrics, an error where it was started without", async () => {
    const { engine } = await endpoint("llama-server", {
      "/metrics": answer("llamacpp:requests_deferred 3\n"),
    });
    expect((await engine.counters?.())?.get("llamacpp:requests_deferred")).toBe(3);
    const { engine: without } = await endpoint("llama-server", { "/metrics": answer("", { status: 501 }) });
    await expect(without.counters?.()).rejects.toMatchObject({ code: "SERVER_ERROR" });
  });

  test("vLLM: the context of the model, the version of the server", async () => {
    const { engine } = await endpoint("vllm", {
      "/version": json({ version: "0.11.0" }),
      "/v1/models": json({
        data: [
          { id: "other", max_model_len: 1 },
          { id: "m", max_model_len: 4096 },
        ],
      }),
    });
    expect(await engine.facts("m")).toMatchObject({ version: "0.11.0", contextTokens: 4096 });
  });

  test("TGI: what /info says", async () => {
    const info = {
      model_id: "m",
      version: "3.3.0",
      max_total_tokens: 4096,
      max_concurrent_requests: 128,
      max_input_tokens: null,
    };
    const { engine } = await endpoint("tgi", { "/info": json(info) });
    expect(await engine.facts("m")).toMatchObject({
      contextTokens: 4096,
      settings: { max_concurrent_requests: 128 },
    });
  });

  const GEMMA = {
    "/api/version": json({ version: "0.12.0" }),
    "/api/show": json({
      details: { quantization_level: "Q4_K_M", parameter_size: "4.3B" },
      model_info: {
        "general.architecture": "gemma3",
        "gemma3.block_count": 34,
        "gemma3.context_length": 8192,
      },
    }),
  };

  test("Ollama: what is asked above the model is clamped to it, so that repeats are seen", async () => {
    const { engine } = await endpoint("ollama", { ...GEMMA, "/api/ps": json({ models: [] }) });
    const asked = async (numGpu: number, numCtx: number): Promise<unknown> => {
      const { gpuLayers, contextTokens, modelLayers } = await engine.facts("gemma3", { numGpu, numCtx });
      return { gpuLayers, contextTokens, modelLayers };
    };
    // 34 blocks and the output layer.
    expect(await asked(60, 512)).toEqual({ gpuLayers: 35, contextTokens: 512, modelLayers: 34 });
    expect(await asked(120, 512)).toEqual(await asked(60, 512));
    expect(await asked(20, 100_000)).toEqual({ gpuLayers: 20, contextTokens: 8192, modelLayers: 34 });
    expect((await engine.facts("gemma3")).gpuLayers).toBeUndefined();
  });

  test("Ollama: the context of the loaded model is the fact, under its full name", async () => {
    const loaded = { name: "gemma3:latest", size: 5e9, size_vram: 4e9, context_length: 1024 };
    const { engine } = await endpoint("ollama", { ...GEMMA, "/api/ps": json({ models: [loaded] }) });
    expect(await engine.facts("gemma3", { numCtx: 512 })).toMatchObject({
      version: "0.12.0",
      contextTokens: 1024,
      settings: { architecture: "gemma3", quantization: "Q4_K_M", modelVramBytes: 4e9 },
    });
  });

  test("Ollama: a loaded model that has nothing in VRAM has no layer on a GPU", async () => {
    const loaded = { name: "gemma3:latest", size: 5e9, size_vram: 0 };
    const { engine } = await endpoint("ollama", { ...GEMMA, "/api/ps": json({ models: [loaded] }) });
    expect((await engine.facts("gemma3", { numGpu: 60 })).gpuLayers).toBe(0);
  });

  test("facts of a labelled server are simulated", async () => {
    const models = { ...json({ data: [{ id: "m" }] }), headers: { "x-slipway-simulated": "1" } };
    const { engine } = await endpoint("openai", { "/v1/models": models });
    expect((await engine.facts("m")).simulated).toBe(true);
  });
});

describe("Ollama's memory", () => {
  test("loading sends the options that decide the load, and an empty prompt", async () => {
    const { engine, server } = await endpoint("ollama", {
      "/api/generate": json({ done: true, done_reason: "load" }),
    });
    expect(await engine.load?.("m", { numGpu: 20, numCtx: 512, temperature: 1 })).toBeGreaterThanOrEqual(0);
    expect(JSON.parse(server.requests[0]?.body ?? "")).toEqual({
      model: "m",
      stream: false,
      options: { num_gpu: 20, num_ctx: 512 },
    });
  });

  test("unloading waits until /api/ps no longer has the model", async () => {
    let looks = 0;
    const { engine, server } = await endpoint("ollama", {
      "/api/generate": json({ done: true, done_reason: "unload" }),
      "/api/ps": () => json({ models: ++looks < 3 ? [{ name: "m:latest" }] : [] }),
    });
    await engine.unload?.("m");
    expect(looks).toBe(3);
    expect(JSON.parse(server.requests[0]?.body ?? "")).toEqual({ model: "m", keep_alive: 0, stream: false });
  });

  test("a model that does not leave is an error, not a wait for ever", async () => {
    const clock = new VirtualClock();
    const { engine } = await endpoint(
      "ollama",
      { "/api/generate": json({ done: true }), "/api/ps": json({ models: [{ name: "m:latest" }] }) },
      clock,
    );
    await expect(whileAdvancing(clock, Promise.resolve(engine.unload?.("m")))).rejects.toMatchObject({
      code: "REQUEST_TIMEOUT",
      message: "m is still loaded 30000 ms after its unload",
    });
  });

  test("a busy model is waited for as long as the caller says", async () => {
    const clock = new VirtualClock();
    const { engine } = await endpoint(
      "ollama",
      {
        "/api/generate": json({ done: true }),
        "/api/ps": () => json({ models: clock.nowNs() < 60e9 ? [{ name: "m:latest" }] : [] }),
      },
      clock,
    );
    await whileAdvancing(clock, Promise.resolve(engine.unload?.("m", 70_000)));
    expect(clock.nowNs()).toBeGreaterThanOrEqual(60e9);
  });

  test("out of memory at load is said so", async () => {
    const error = "model requires more system memory (9.1 GiB) than is available (4.0 GiB)";
    const { engine } = await endpoint("ollama", { "/api/generate": json({ error }, 500) });
    await expect(engine.load?.("m", {})).rejects.toMatchObject({
      code: "SERVER_OUT_OF_MEMORY",
      message: `HTTP 500: ${error}`,
    });
  });
});
