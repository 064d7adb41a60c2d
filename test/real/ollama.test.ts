/** A real Ollama, driven through our adapters. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { realClock } from "../../src/core/clock.ts";
import type { Completion, Engine, GenerateRequest } from "../../src/engines/engine.ts";
import { createEngine, detectEngine } from "../../src/engines/registry.ts";
import { describeEngine } from "../fakes/engine-conformance.ts";
import type { RealServer } from "./servers.ts";
import { describeOn, findOllama, startOllama } from "./servers.ts";

const options = { clock: realClock, env: {} };

const found = findOllama();

describeOn(found, "our adapters on a real Ollama", (program) => {
  for (const kind of ["ollama", "openai"] as const)
    describeEngine(`${kind} on a real Ollama`, async () => {
      const server = await startOllama(program);
      const engine = await createEngine({ name: "real", url: server.url, engine: kind }, options);
      return { engine, model: server.model, stop: () => server.stop() };
    });
});

describeOn(found, "a real Ollama", (program) => {
  let server: RealServer;
  let engine: Engine;

  beforeAll(async () => {
    server = await startOllama(program);
    engine = await createEngine({ name: "real", url: server.url, engine: "ollama" }, options);
  });

  afterAll(async () => {
    await engine?.close();
    await server?.stop();
  });

  const generate = (request: Partial<GenerateRequest>): Promise<Completion> =>
    engine.generate(
      { model: server.model, prompt: "banana", options: { maxTokens: 8 }, stream: true, ...request },
      { clock: realClock, limits: { gapMs: 60_000, totalMs: 120_000, loadingMs: 60_000 } },
    );

  it("is recognised for what it is", async () => {
    expect((await detectEngine({ name: "real", url: server.url }, options)).kind).toBe("ollama");
    expect(await engine.models()).toEqual([server.model]);
  });

  it("loads a model, says so, and lets go of it when told to", async () => {
    await engine.load?.(server.model, { numCtx: 1024 });
    expect(await engine.loaded?.()).toMatchObject([
      { model: server.model, vramBytes: 0, contextTokens: 1024 },
    ]);
    await engine.unload?.(server.model);
    expect(await engine.loaded?.()).toEqual([]);
  });

  it("counts prompt and output, and splits its time", async () => {
    const { decoded, outcome } = await generate({ prompt: "hello banana", options: { maxTokens: 17 } });
    expect(outcome).toEqual({ kind: "ok" });
    // The five tokens of the prompt (test/fakes/tiny-gguf.ts), and the one that begins a text.
    expect(decoded.inputTokens).toBe(6);
    expect(decoded.outputTokens).toBe(17);
    expect(decoded.finishReason).toBe("length");
    expect(decoded.split?.decodeTokens).toBe(17);
    expect(decoded.split?.loadMs).toBeGreaterThan(0);
    expect(decoded.split?.decodeMs).toBeGreaterThan(0);
  });

  it("chats", async () => {
    const messages = [{ role: "user", content: "hello banana" }] as const;
    const { decoded, outcome } = await engine.generate(
      { model: server.model, messages, options: { maxTokens: 9, temperature: 0, seed: 3 }, stream: true },
      { clock: realClock, limits: { gapMs: 60_000, totalMs: 120_000, loadingMs: 60_000 } },
    );
    expect(outcome).toEqual({ kind: "ok" });
    expect(decoded.outputTokens).toBe(9);
    expect(decoded.content).not.toBe("");
  });

  it("clamps a context that the model was not trained for, and reads it back", async () => {
    await engine.load?.(server.model, { numCtx: 100_000 });
    const facts = await engine.facts(server.model, { numCtx: 100_000, numGpu: 99 });
    // Four layers and the output; without a GPU to put them on, none, whatever was asked.
    const inVram = (await engine.loaded?.())?.some((entry) => (entry.vramBytes ?? 0) > 0) ?? false;
    expect(facts).toMatchObject({ modelLayers: 4, gpuLayers: inVram ? 5 : 0, contextTokens: 8192 });
    await engine.unload?.(server.model);
  });

  it("says that it does not have a model", async () => {
    const { outcome } = await generate({ model: "nobody:latest" });
    expect(outcome).toMatchObject({ kind: "failed", code: "MODEL_NOT_FOUND", httpStatus: 404 });
  });
});
