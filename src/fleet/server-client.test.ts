import { expect, onTestFinished, test } from "vitest";
import { fakeLlmPreset } from "../../test/fakes/fake-llm.ts";
import {
  type Script,
  type ScriptedServer,
  json,
  ndjson,
  startScriptedServer,
} from "../../test/fakes/scripted-server.ts";
import { VirtualClock, realClock } from "../core/clock.ts";
import { describeLaunch } from "../engines/launch.ts";
import { type Preset, presetSchema } from "../preset/preset.ts";
import { CANARY_LIMIT_MS, connectServer } from "./server-client.ts";
import type { ServerClient } from "./world.ts";

interface Connected {
  readonly client: ServerClient;
  readonly server: ScriptedServer;
  /** Method, path and body of all that was asked. */
  readonly asked: () => readonly string[];
}

async function connected(fields: Readonly<Record<string, unknown>>, script: Script): Promise<Connected> {
  const server = await startScriptedServer(script);
  const preset: Preset = presetSchema.parse({ name: "coder", ...fields });
  const launch = describeLaunch(preset, server.port);
  const client = connectServer(preset, launch, realClock);
  onTestFinished(async () => {
    await client.close();
    await server.stop();
  });
  const asked = (): readonly string[] =>
    server.requests.map(({ method, path, body }) =>
      [method, path, body].filter((part) => part !== "").join(" "),
    );
  return { client, server, asked };
}

const LLAMA = { engine: "llama-server", model: "/models/m.gguf" };
const VLLM = { engine: "vllm", model: "org/model", sleepLevel: 1 };
const OLLAMA = { engine: "ollama", model: "gemma3", gpuLayers: 7, contextTokensPerSlot: 2048 };

const page = (lines: Readonly<Record<string, number>>) => ({
  steps: [
    {
      do: "write" as const,
      bytes: Object.entries(lines)
        .map(([name, value]) => `${name} ${value}\n`)
        .join(""),
    },
  ],
});

test("a server that answers 503 while it loads is loading, and one that nobody hears is down", async () => {
  let status = 503;
  const { client, server } = await connected(LLAMA, () =>
    status === 503
      ? json({ error: { code: 503, message: "Loading model" } }, 503)
      : json({ status: "ok" }, status),
  );
  expect(await client.health()).toEqual({ kind: "loading" });
  status = 200;
  expect(await client.health()).toEqual({ kind: "healthy" });
  status = 500;
  expect(await client.health()).toMatchObject({
    kind: "down",
    reason: expect.stringContaining("500") as string,
  });
  await server.stop();
  expect(await client.health()).toMatchObject({ kind: "down" });
});

test("a server that takes a request and says nothing is down, and silent, after each one's limit", async () => {
  const server = await startScriptedServer(() => ({ steps: [{ do: "stall" }], raw: true }));
  const clock = new VirtualClock();
  const preset = presetSchema.parse({ name: "coder", ...LLAMA });
  const client = connectServer(preset, describeLaunch(preset, server.port), clock);
  onTestFinished(async () => {
    await client.close();
    await server.stop();
  });
  expect(await clock.runUntil(client.health())).toMatchObject({ kind: "down" });
  expect(await clock.runUntil(client.activity())).toEqual({});
  const before = clock.nowNs();
  expect(await clock.runUntil(client.canary())).toMatchObject({ kind: "silent" });
  expect((clock.nowNs() - before) / 1e6).toBe(CANARY_LIMIT_MS);
});

test("vLLM's 503 means that its engine is dead", async () => {
  const { client } = await connected(VLLM, () => json("", 503));
  expect(await client.health()).toMatchObject({ kind: "down" });
});

test("llama-server's tokens are those of finished requests and of its busy slots, and never go back", async () => {
  let decoded = 40;
  let finished = 100;
  const { client } = await connected(LLAMA, ({ path }) => {
    if (path === "/metrics")
      return page({ "llamacpp:tokens_predicted_total": finished, "llamacpp:n_decode_total": 150 });
    return json([
      { id: 0, is_processing: true, next_token: [{ n_decoded: decoded }] },
      { id: 1, is_processing: true, next_token: { n_decoded: 2 } },
      { id: 2, is_processing: false, next_token: [{ n_decoded: 999 }] },
    ]);
  });
  expect(await client.activity()).toEqual({ slots: 3, busySlots: 2, generatedTokens: 142, progress: 150 });
  decoded = 0;
  expect(await client.activity()).toMatchObject({ generatedTokens: 142 });
  finished = 141;
  expect(await client.activity()).toMatchObject({ generatedTokens: 143 });
});

test("what a server does not tell of its work is absent, not zero", async () => {
  const { client } = await connected(LLAMA, () => json({ error: { code: 501, message: "no" } }, 501));
  expect(await client.activity()).toEqual({});
  const { client: other } = await connected({ ...OLLAMA, port: 1 }, () => json({}));
  expect(await other.activity()).toEqual({});
});

test("vLLM's work is read from its counters, and who waits counts as busy", async () => {
  const { client } = await connected(VLLM, () =>
    page({
      'vllm:num_requests_running{model="m"}': 3,
      'vllm:num_requests_waiting{model="m"}': 2,
      "vllm:generation_tokens_total": 500,
      "vllm:prompt_tokens_total": 80,
    }),
  );
  expect(await client.activity()).toEqual({ busySlots: 5, generatedTokens: 500, progress: 580 });
});

test("vLLM sleeps at the level asked for, and only its own word counts", async () => {
  let sleeping = false;
  let deaf = false;
  const { client, asked } = await connected(VLLM, ({ path }) => {
    if (path === "/is_sleeping") return json({ is_sleeping: sleeping });
    if (!deaf) sleeping = path.startsWith("/sleep");
    return json({});
  });
  expect(await client.sleep(1)).toBeUndefined();
  expect(await client.wake()).toBeUndefined();
  expect(asked()).toEqual(["POST /sleep?level=1", "GET /is_sleeping", "POST /wake_up", "GET /is_sleeping"]);
  deaf = true;
  expect(await client.sleep(1)).toBe("after /sleep it says is_sleeping: false");
});

test("after a sleep of level 2 the weights are read again before the cache takes its memory", async () => {
  const { client, asked } = await connected({ ...VLLM, sleepLevel: 2 }, ({ path }) =>
    json({ is_sleeping: path !== "/is_sleeping" }),
  );
  expect(await client.wake()).toBeUndefined();
  expect(asked()).toEqual([
    "POST /wake_up?tags=weights",
    'POST /collective_rpc {"method":"reload_weights"}',
    "POST /wake_up?tags=kv_cache",
    "GET /is_sleeping",
  ]);
});

test("who cannot sleep or load says so, and asks nobody", async () => {
  const { client, asked } = await connected(LLAMA, () => json({}));
  expect(await client.sleep(1)).toBe("llama-server cannot sleep");
  expect(await client.wake()).toBe("llama-server cannot sleep");
  expect(await client.load()).toBe("llama-server cannot load a model into a running server");
  expect(await client.unload()).toBe("llama-server cannot unload a model from a running server");
  expect(asked()).toEqual([]);
});

test("Ollama's model is loaded for good with the preset's settings, and /api/ps has to list it", async () => {
  let listed: readonly object[] = [{ name: "gemma3:latest" }];
  const { client, asked } = await connected(OLLAMA, ({ path }) =>
    json(path === "/api/ps" ? { models: listed } : { done: true }),
  );
  expect(await client.load()).toBeUndefined();
  expect(asked()[0]).toBe(
    'POST /api/generate {"model":"gemma3","keep_alive":-1,"stream":false,"options":{"num_gpu":7,"num_ctx":2048}}',
  );
  listed = [{ name: "other:1b" }];
  expect(await client.load()).toBe("gemma3 was loaded, and /api/ps lists only other:1b");
  expect(await client.unload()).toBeUndefined();
});

test("an embedding model is loaded by an empty input, as it refuses to generate", async () => {
  const { client, asked } = await connected({ ...OLLAMA, embedding: true }, ({ path }) =>
    json(path === "/api/ps" ? { models: [{ name: "gemma3" }] } : { embeddings: [] }),
  );
  expect(await client.load()).toBeUndefined();
  expect(asked()[0]).toMatch(/^POST \/api\/embed .*"input":""/);
});

test("a load that the server refuses gives its reason", async () => {
  const { client } = await connected(OLLAMA, () => json({ error: "model 'gemma3' not found" }, 404));
  expect(await client.load()).toContain("model 'gemma3' not found");
});

test("Ollama's token is asked for with the settings the model was loaded with, or it would load anew", async () => {
  const { client, server } = await connected(OLLAMA, () =>
    ndjson([
      { model: "gemma3", message: { role: "assistant", content: "a" }, done: false },
      {
        model: "gemma3",
        message: { role: "assistant", content: "" },
        done: true,
        done_reason: "length",
        eval_count: 1,
      },
    ]),
  );
  expect(await client.canary()).toMatchObject({ kind: "token" });
  expect(JSON.parse(server.requests[0]?.body ?? "")).toMatchObject({
    model: "gemma3",
    options: { num_predict: 1, num_gpu: 7, num_ctx: 2048 },
  });
});

test("a server of embeddings is asked for one, and an answer without numbers is silence", async () => {
  let embedding: readonly unknown[] = [[0.5, 0.25]];
  const llama = await connected({ ...LLAMA, embedding: true }, () => json([{ index: 0, embedding }]));
  expect(await llama.client.canary()).toMatchObject({ kind: "token" });
  expect(llama.asked()[0]).toMatch(/^POST \/embeddings /);
  embedding = [];
  expect(await llama.client.canary()).toEqual({ kind: "silent", reason: "the answer held no embedding" });
  const vllm = await connected({ ...VLLM, embedding: true }, ({ path }) =>
    json({ data: path === "/v1/models" ? [{ id: "org/model" }] : [{ embedding: [0.5] }] }),
  );
  expect(await vllm.client.canary()).toMatchObject({ kind: "token" });
  expect(vllm.asked()[1]).toBe('POST /v1/embeddings {"model":"org/model","input":"one word"}');
});

test("vLLM is asked by the name it serves, whatever its preset calls the model", async () => {
  const { client, server } = await connected({ ...VLLM, extraArgs: [] }, ({ path }) =>
    path === "/v1/models" ? json({ data: [{ id: "served" }] }) : json({ error: { message: "broken" } }, 500),
  );
  expect(await client.canary()).toMatchObject({
    kind: "silent",
    reason: expect.stringContaining("broken") as string,
  });
  expect(JSON.parse(server.requests[1]?.body ?? "")).toMatchObject({ model: "served", max_tokens: 1 });
});

test("of a command without an API nothing is asked but its health", async () => {
  const { api: _, ...plain } = fakeLlmPreset("any") as Preset & { api: string };
  const { client, asked } = await connected({ ...plain, api: "none" }, () => json({}));
  expect(await client.canary()).toEqual({ kind: "not-askable" });
  expect(await client.activity()).toEqual({});
  expect(await client.health()).toEqual({ kind: "healthy" });
  expect(asked()).toEqual(["GET /health"]);
});

test("nothing that a server sends makes any call throw", async () => {
  for (const bytes of [
    "",
    "not json",
    "[1,2",
    '{"data":[{"embedding":"x"}]}',
    "null",
    "[null,3]",
    "\u0000\u001b[31m",
  ]) {
    const script: Script = () => ({ steps: [{ do: "write", bytes }] });
    for (const fields of [LLAMA, { ...LLAMA, embedding: true }, VLLM, { ...VLLM, sleepLevel: 2 }, OLLAMA]) {
      const { client } = await connected(fields, script);
      expect(await client.health()).toEqual({ kind: "healthy" });
      expect(await client.activity()).toBeTypeOf("object");
      expect(await client.canary()).toMatchObject({ kind: "silent" });
      expect(await client.sleep(1)).toBeTypeOf("string");
      expect(await client.load()).toBeTypeOf("string");
    }
  }
});
