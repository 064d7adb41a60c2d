import { afterEach, describe, expect, test } from "vitest";
import {
  type Script,
  type ScriptedServer,
  type Step,
  json,
  sse,
  startScriptedServer,
} from "../../test/fakes/scripted-server.ts";
import { realClock } from "../core/clock.ts";
import type { Engine, EngineKind, GenerateLimits, GenerateRequest } from "./engine.ts";
import { createEngine } from "./registry.ts";

const LIMITS: GenerateLimits = { gapMs: 20_000, totalMs: 60_000, loadingMs: 20_000 };
const CHAT: GenerateRequest = {
  model: "m",
  messages: [{ role: "user", content: "hi" }],
  options: { maxTokens: 8, temperature: 0, seed: 7 },
  stream: true,
};

const running: { server: ScriptedServer; engine: Engine }[] = [];

async function endpoint(
  script: Script,
  kind: EngineKind = "openai",
): Promise<{ server: ScriptedServer; engine: Engine }> {
  const server = await startScriptedServer(script);
  const engine = await createEngine(
    { name: "a", url: server.url, engine: kind },
    { clock: realClock, env: {} },
  );
  running.push({ server, engine });
  return { server, engine };
}

afterEach(async () => {
  for (const { server, engine } of running.splice(0)) {
    await engine.close();
    await server.stop();
  }
});

test("a streamed chat gives its text, its usage and stamps in order", async () => {
  const { engine, server } = await endpoint(() =>
    sse([
      { model: "m", choices: [{ index: 0, delta: { role: "assistant", content: "" } }] },
      { model: "m", choices: [{ index: 0, delta: { content: "Hel" } }] },
      { model: "m", choices: [{ index: 0, delta: { content: "lo" } }] },
      { model: "m", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
      { model: "m", choices: [], usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 } },
    ]),
  );
  const completion = await engine.generate(CHAT, { clock: realClock, limits: LIMITS });
  expect(completion.outcome).toEqual({ kind: "ok" });
  expect(completion.decoded).toMatchObject({
    content: "Hello",
    inputTokens: 9,
    outputTokens: 2,
    finishReason: "stop",
    events: { text: 2, role: 1, empty: 0, keepAlive: 0, usage: 1, finish: 1, other: 1 },
  });
  const { sentNs = 0, firstByteNs = 0, endNs, decoded } = completion;
  expect(sentNs).toBeGreaterThan(0);
  expect(firstByteNs).toBeGreaterThanOrEqual(sentNs);
  expect(decoded.firstTokenNs).toBeGreaterThanOrEqual(firstByteNs);
  expect(decoded.lastTokenNs).toBeGreaterThanOrEqual(decoded.firstTokenNs ?? 0);
  expect(endNs).toBeGreaterThanOrEqual(decoded.lastTokenNs ?? 0);
  expect(JSON.parse(server.requests[0]?.body ?? "")).toEqual({
    model: "m",
    messages: [{ role: "user", content: "hi" }],
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: 8,
    temperature: 0,
    seed: 7,
  });
});

const HELLO: Step = {
  do: "write",
  bytes: `data: ${JSON.stringify({ choices: [{ delta: { content: "Hello" } }] })}\n\n`,
};

describe("cancelling", () => {
  test("closes the socket at once and keeps what had arrived", async () => {
    const { engine, server } = await endpoint(() => ({ steps: [HELLO, { do: "stall" }] }));
    const abort = new AbortController();
    const completion = await engine.generate(CHAT, {
      clock: realClock,
      limits: LIMITS,
      signal: abort.signal,
      onProgress: () => abort.abort(new Error("the trial is over")),
    });
    expect(completion.outcome).toEqual({ kind: "cancelled", reason: "the trial is over" });
    expect(completion.decoded.content).toBe("Hello");
    await server.abandoned(1);
  });

  test("before the start sends nothing", async () => {
    const { engine, server } = await endpoint(() => sse([]));
    const signal = AbortSignal.abort(new Error("too late"));
    const completion = await engine.generate(CHAT, { clock: realClock, limits: LIMITS, signal });
    expect(completion.outcome).toEqual({ kind: "cancelled", reason: "too late" });
    expect(server.requests).toHaveLength(0);
  });

  test("while a server is loading ends the wait", async () => {
    const abort = new AbortController();
    const { engine } = await endpoint(() => {
      setImmediate(() => abort.abort(new Error("interrupted")));
      return json({ error: { code: 503, message: "Loading model" } }, 503);
    }, "llama-server");
    const limits = { ...LIMITS, loadingMs: 600_000 };
    const completion = await engine.generate(CHAT, { clock: realClock, limits, signal: abort.signal });
    expect(completion.outcome).toEqual({ kind: "cancelled", reason: "interrupted" });
  });
});
