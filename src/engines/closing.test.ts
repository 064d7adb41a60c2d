/** An answer is whole with its protocol's closing event, whatever becomes of the connection then. */
import { afterEach, expect, test } from "vitest";
import {
  type Script,
  type ScriptedServer,
  type Step,
  gate,
  startScriptedServer,
} from "../../test/fakes/scripted-server.ts";
import { whileAdvancing } from "../../test/fakes/virtual-time.ts";
import { type Clock, VirtualClock, realClock } from "../core/clock.ts";
import { sToNs } from "../core/units.ts";
import type { Engine, EngineKind } from "./engine.ts";
import { createEngine } from "./registry.ts";

const LIMITS = { gapMs: 20_000, totalMs: 60_000, loadingMs: 0 };
const REQUEST = {
  model: "m",
  messages: [{ role: "user", content: "hi" }],
  options: {},
  stream: true,
} as const;

const write = (text: string): Step => ({ do: "write", bytes: text });
const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const SAID = event({ choices: [{ delta: { content: "Hello" } }] });
const FINISH = event({ choices: [{ delta: {}, finish_reason: "stop" }] });
const USAGE = event({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 1 } });
const DONE = "data: [DONE]\n\n";
const OLLAMA = `${JSON.stringify({ message: { content: "Hello" }, done: false })}\n`;
const OLLAMA_DONE = `${JSON.stringify({ message: { content: "" }, done: true, eval_count: 1 })}\n`;
const STALL: Step = { do: "stall" };

const running: { server: ScriptedServer; engine: Engine }[] = [];

afterEach(async () => {
  for (const { server, engine } of running.splice(0)) {
    await engine.close();
    await server.stop();
  }
});

async function connected(
  script: Script,
  kind: EngineKind,
  clock: Clock,
): Promise<{ server: ScriptedServer; engine: Engine }> {
  const server = await startScriptedServer(script);
  const engine = await createEngine({ name: "a", url: server.url, engine: kind }, { clock, env: {} });
  running.push({ server, engine });
  return { server, engine };
}

test.each<[string, EngineKind, readonly string[]]>([
  ["[DONE]", "openai", [SAID, FINISH, USAGE, DONE]],
  ["[DONE] alone", "openai", [SAID, DONE]],
  ["a reason and the figures, without [DONE]", "openai", [SAID, FINISH, USAGE]],
  [
    "a reason with the figures beside it",
    "openai",
    [
      SAID,
      event({
        choices: [{ delta: {}, finish_reason: "stop" }],
        usage: { prompt_tokens: 3, completion_tokens: 1 },
      }),
    ],
  ],
  ["done: true", "ollama", [OLLAMA, OLLAMA_DONE]],
])(
  "a server that keeps the connection after %s is left, and the answer is whole (%s)",
  async (_how, kind, pieces) => {
    const clock = new VirtualClock();
    const heard = gate();
    const [first = "", ...rest] = pieces;
    const script: Script = () => ({
      steps: [write(first), { do: "wait", for: heard.opened }, ...rest.map(write), STALL],
    });
    const { engine, server } = await connected(script, kind, clock);
    const startNs = clock.nowNs();
    const asked = engine.generate(REQUEST, { clock, limits: LIMITS, onProgress: heard.open });
    const completion = await whileAdvancing(clock, asked);
    expect(completion.outcome).toEqual({ kind: "ok" });
    expect(completion.decoded.content).toBe("Hello");
    // The clock stood still until only the grace was waited for: no stamp has any of it.
    expect(completion.endNs).toBe(startNs);
    expect(clock.nowNs() - startNs).toBeLessThan(sToNs(1));
    await server.abandoned(1);
  },
);

test("a reason alone is no end: the figures may follow, and a silence is still a stall", async () => {
  const clock = new VirtualClock();
  const { engine } = await connected(() => ({ steps: [write(SAID + FINISH), STALL] }), "openai", clock);
  const completion = await whileAdvancing(clock, engine.generate(REQUEST, { clock, limits: LIMITS }));
  expect(completion.outcome).toMatchObject({ kind: "failed", code: "STREAM_STALLED" });
});

test("figures that come after the reason, in a later read, are in the result", async () => {
  const seen = gate();
  const { engine } = await connected(
    () => ({ steps: [write(SAID + FINISH), { do: "wait", for: seen.opened }, write(USAGE), write(DONE)] }),
    "openai",
    realClock,
  );
  const context = { clock: realClock, limits: LIMITS, onProgress: seen.open };
  const { decoded, outcome } = await engine.generate(REQUEST, context);
  expect(outcome).toEqual({ kind: "ok" });
  expect(decoded).toMatchObject({ inputTokens: 3, outputTokens: 1, finishReason: "stop" });
});

test.each(["reset", "hang-up"] as const)("a %s after the closing event breaks nothing", async (how) => {
  const seen = gate();
  const { engine } = await connected(
    () => ({ steps: [write(SAID + DONE), { do: "wait", for: seen.opened }, { do: how }] }),
    "openai",
    realClock,
  );
  const context = { clock: realClock, limits: LIMITS, onProgress: seen.open };
  const { decoded, outcome } = await engine.generate(REQUEST, context);
  expect(outcome).toEqual({ kind: "ok" });
  expect(decoded.content).toBe("Hello");
});

test("a body that ends by itself after the closing event leaves its connection for the next request", async () => {
  const connections = new Set<unknown>();
  const { engine, server } = await connected(
    (_request, connection) => {
      connections.add(connection);
      return { steps: [write(SAID + DONE)] };
    },
    "openai",
    realClock,
  );
  for (let time = 0; time < 3; time++) {
    const { outcome } = await engine.generate(REQUEST, { clock: realClock, limits: LIMITS });
    expect(outcome).toEqual({ kind: "ok" });
  }
  expect(server.requests).toHaveLength(3);
  expect(connections.size).toBe(1);
});
