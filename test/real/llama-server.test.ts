/** A real llama-server, driven through our adapters: what it does, not what its documentation says. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { realClock } from "../../src/core/clock.ts";
import { NS_PER_MS } from "../../src/core/units.ts";
import type { Completion, Engine, EngineKind, GenerateRequest } from "../../src/engines/engine.ts";
import { createEngine, detectEngine } from "../../src/engines/registry.ts";
import { describeEngine } from "../fakes/engine-conformance.ts";
import type { RealServer } from "./servers.ts";
import { SLOT_CONTEXT_TOKENS, describeOn, findLlamaServer, startLlamaServer } from "./servers.ts";

const found = findLlamaServer();
const options = { clock: realClock, env: {} };

function engineFor(server: RealServer, engine: EngineKind = "llama-server"): Promise<Engine> {
  return createEngine({ name: "real", url: server.url, engine }, options);
}

const LIMITS = { gapMs: 60_000, totalMs: 120_000, loadingMs: 60_000 };

function generate(
  engine: Engine,
  request: Partial<GenerateRequest>,
  signal?: AbortSignal,
  onProgress?: (textEvents: number) => void,
): Promise<Completion> {
  return engine.generate(
    { model: "tiny.gguf", prompt: "banana", options: { maxTokens: 8 }, stream: true, ...request },
    {
      clock: realClock,
      limits: LIMITS,
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
    },
  );
}

describeOn(found, "a real llama-server", (program) => {
  let server: RealServer;
  let engine: Engine;

  beforeAll(async () => {
    server = await startLlamaServer(program);
    engine = await engineFor(server);
  });

  afterAll(async () => {
    await engine?.close();
    await server?.stop();
  });

  it("is recognised for what it is, and its settings are read back", async () => {
    expect((await detectEngine({ name: "real", url: server.url }, options)).kind).toBe("llama-server");
    expect(await engine.facts("tiny.gguf", {})).toMatchObject({
      slots: 4,
      contextTokens: SLOT_CONTEXT_TOKENS,
      simulated: false,
    });
  });

  it("counts tokens exactly: its tokenizer and its usage differ by the one token that begins a text", async () => {
    // By the vocabulary of test/fakes/tiny-gguf.ts: hel·lo· ba·na·na, and each of 1!? is a byte of its own.
    expect(await engine.tokenize?.("tiny.gguf", "hello banana")).toBe(5);
    expect(await engine.tokenize?.("tiny.gguf", "1!?")).toBe(3);
    for (const prompt of ["hello banana", "1!?", "a longer text, with é and 漢字"]) {
      const counted = await engine.tokenize?.("tiny.gguf", prompt);
      const { decoded } = await generate(engine, { prompt });
      expect(decoded.inputTokens).toBe((counted ?? Number.NaN) + 1);
    }
  });

  it("produces exactly the tokens asked for, and times its own work", async () => {
    const { decoded, outcome } = await generate(engine, { options: { maxTokens: 33, ignoreEos: true } });
    expect(outcome).toEqual({ kind: "ok" });
    expect(decoded.outputTokens).toBe(33);
    expect(decoded.finishReason).toBe("length");
    expect(decoded.split?.decodeTokens).toBe(33);
    expect(decoded.split?.decodeMs).toBeGreaterThan(0);
  });

  it("reuses a cached prompt unless it is told not to", async () => {
    const prompt = "banana ".repeat(50);
    const cached = async (cachePrompt: boolean): Promise<number | undefined> =>
      (await generate(engine, { prompt, options: { maxTokens: 1, cachePrompt, slotId: 0 } })).decoded
        .cachedTokens;
    await cached(true);
    expect(await cached(true)).toBeGreaterThan(100);
    expect(await cached(false)).toBe(0);
  });

  it("says that a prompt exceeds the context of its slot", async () => {
    const { outcome } = await generate(engine, { prompt: "banana ".repeat(SLOT_CONTEXT_TOKENS) });
    expect(outcome).toMatchObject({ kind: "failed", code: "CONTEXT_EXCEEDED", afterFirstToken: false });
  });

  it("serves more requests than it has slots, each of them whole", async () => {
    const completions = await Promise.all(
      Array.from({ length: 12 }, () => generate(engine, { options: { maxTokens: 40, ignoreEos: true } })),
    );
    expect(completions.map(({ decoded }) => decoded.outputTokens)).toEqual(Array<number>(12).fill(40));
  });

  it("works beside a second one with other settings", async () => {
    const second = await startLlamaServer(program, { slots: 2 });
    const other = await engineFor(second);
    try {
      expect((await other.facts("tiny.gguf", {})).slots).toBe(2);
      const both = await Promise.all([generate(engine, {}), generate(other, {})]);
      expect(both.map(({ outcome }) => outcome.kind)).toEqual(["ok", "ok"]);
    } finally {
      await other.close();
      await second.stop();
    }
  });
});

describeOn(found, "our adapters on a real llama-server", (program) => {
  const skips = {
    "says that a model does not exist": "a llama-server with one model answers under any name",
  } as const;
  for (const kind of ["llama-server", "openai"] as const)
    describeEngine(
      `${kind} on a real llama-server`,
      async () => {
        const server = await startLlamaServer(program);
        return { engine: await engineFor(server, kind), model: server.model, stop: () => server.stop() };
      },
      { skips },
    );
});

describeOn(found, "a real llama-server that takes its time", (program) => {
  it.each<EngineKind>(["llama-server", "openai"])(
    "frees the slot at once when a request is cancelled through %s",
    async (kind) => {
      const server = await startLlamaServer(program, { size: "slow" });
      const engine = await engineFor(server, kind);
      const watcher = await engineFor(server);
      try {
        const cancel = new AbortController();
        const asked = SLOT_CONTEXT_TOKENS - 100;
        const request = { model: server.model, options: { maxTokens: asked } };
        let onText = (): void => undefined;
        const streaming = new Promise<void>((resolve) => {
          onText = resolve;
        });
        const running = generate(engine, request, cancel.signal, () => onText());
        await Promise.race([streaming, running]);
        expect(await busySlots(watcher)).toBe(1);
        cancel.abort(new Error("the test cancels"));
        const { outcome, decoded } = await running;
        expect(outcome.kind).toBe("cancelled");
        expect(decoded.events.text).toBeLessThan(asked / 2);
        expect(await becomesIdle(watcher)).toBe(true);
      } finally {
        await Promise.all([engine.close(), watcher.close()]);
        await server.stop();
      }
    },
  );

  it("is waited for while it loads its model, within the limit", async () => {
    // Loading takes from a fifth of a second up: what was over too soon to be seen is started again.
    for (let attempt = 0; attempt < 3; attempt++) {
      const server = await startLlamaServer(program, { size: "slow", whileLoading: true });
      const engine = await engineFor(server);
      const ask = (loadingMs: number): Promise<Completion> =>
        engine.generate(
          { model: server.model, prompt: "banana", options: { maxTokens: 4 }, stream: true },
          { clock: realClock, limits: { ...LIMITS, loadingMs } },
        );
      try {
        const impatient = await ask(0);
        if (impatient.outcome.kind === "ok") continue;
        expect(impatient.outcome).toMatchObject({ code: "SERVER_LOADING", httpStatus: 503 });
        expect((await ask(60_000)).outcome).toEqual({ kind: "ok" });
        return;
      } finally {
        await engine.close();
        await server.stop();
      }
    }
    expect.fail("three servers had loaded their models before the first request reached them");
  });
});

async function busySlots(engine: Engine): Promise<number> {
  return ((await engine.slots?.()) ?? []).filter((slot) => slot.busy).length;
}

/** Far less than the seconds that the rest of a cancelled request would take on this model. */
const IDLE_WITHIN_MS = 2_000;

async function becomesIdle(engine: Engine): Promise<boolean> {
  const deadlineNs = realClock.nowNs() + IDLE_WITHIN_MS * NS_PER_MS;
  while (realClock.nowNs() < deadlineNs) {
    if ((await busySlots(engine)) === 0) return true;
    await realClock.sleepUntil(realClock.nowNs() + 5 * NS_PER_MS);
  }
  return false;
}
