/** A server that repeats our credential wherever it can: nothing that leaves an engine has it. */
import { afterEach, expect, test } from "vitest";
import {
  type Answer,
  type Script,
  type ScriptedServer,
  answer,
  json,
  sse,
  startScriptedServer,
} from "../../test/fakes/scripted-server.ts";
import { realClock } from "../core/clock.ts";
import { OperatorError, renderOperatorError } from "../core/errors.ts";
import type { Completion, Engine, EngineKind } from "./engine.ts";
import { createEngine } from "./registry.ts";

const SECRET = "sk-supersecret/12345";
const LIMITS = { gapMs: 20_000, totalMs: 60_000, loadingMs: 0 };

const running: { server: ScriptedServer; engine: Engine }[] = [];

afterEach(async () => {
  for (const { server, engine } of running.splice(0)) {
    await engine.close();
    await server.stop();
  }
});

async function connected(script: Script | Answer, kind: EngineKind): Promise<Engine> {
  const server = await startScriptedServer(typeof script === "function" ? script : () => script);
  const engine = await createEngine(
    { name: "a", url: server.url, engine: kind, credential: { env: "KEY" } },
    { clock: realClock, env: { KEY: SECRET } },
  );
  running.push({ server, engine });
  return engine;
}

/** All of a completion but the text that the model wrote, which is never recorded. */
async function recorded(
  script: Script | Answer,
  kind: EngineKind = "openai",
  stream = true,
): Promise<string> {
  const engine = await connected(script, kind);
  const completion: Completion = await engine.generate(
    { model: "m", messages: [{ role: "user", content: "hi" }], options: {}, stream },
    { clock: realClock, limits: LIMITS },
  );
  return JSON.stringify(completion);
}

/** The beginning of the secret too: a message may have been cut inside it. */
function expectMasked(text: string): void {
  expect(text).toContain("[credential]");
  expect(text).not.toContain("sk-super");
}

const ECHO = `bad key authorization: Bearer ${SECRET}`;

test.each([
  ["OpenAI's error", json({ error: { message: ECHO } }, 401)],
  ["a page of prose", answer(ECHO, { status: 403 })],
  ["an error of unknown form", json({ headers: { authorization: `Bearer ${SECRET}` } }, 500)],
  ["a long error that is cut inside the secret", answer(`${"x".repeat(290)}${SECRET}`, { status: 500 })],
  ["escaped slashes", answer(`{"error":{"note":"${SECRET.replace("/", "\\/")}"}}`, { status: 400 })],
  ["a redirect", answer("", { status: 307, headers: { location: `/login/${encodeURIComponent(SECRET)}` } })],
  ["a content-encoding", answer("?", { headers: { "content-encoding": SECRET } })],
  ["an error inside the stream", sse([{ error: { message: ECHO, code: 500 } }])],
  ["an event that is not JSON", answer(`data: {"key": ${ECHO}\n\n`)],
  ["an event that is cut inside the secret", answer(`data: ${"x".repeat(110)}${SECRET}\n\n`)],
  ["a body that is no stream", answer(`${ECHO}\n`)],
  ["a finish reason", sse([{ choices: [{ delta: { content: "a" }, finish_reason: SECRET }] }])],
  ["a model's name", sse([{ model: SECRET, choices: [{ delta: {}, finish_reason: "stop" }] }])],
])("a request's record does not show it: %s", async (_where, script) => {
  expectMasked(await recorded(script));
});

test("nor does that of a request without a stream, or of Ollama", async () => {
  expectMasked(await recorded(answer(ECHO), "openai", false));
  expectMasked(await recorded(json({ error: ECHO }), "ollama"));
});

test.each([
  ["an error", json({ error: { message: ECHO } }, 401)],
  ["an answer that is no JSON", answer(ECHO)],
])("what an operator is told does not show it: %s", async (_where, script) => {
  const engine = await connected(script, "llama-server");
  const thrown: unknown = await engine.facts("m").catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(OperatorError);
  expectMasked(renderOperatorError(thrown as OperatorError));
});

test("nor do the facts that are read back", async () => {
  const server: Script = ({ path }) =>
    json(
      path === "/props"
        ? { build_info: `b1 ${SECRET}`, total_slots: 2, model_path: `/models/${encodeURIComponent(SECRET)}` }
        : { data: [{ id: SECRET }] },
    );
  const engine = await connected(server, "llama-server");
  const told = JSON.stringify([await engine.health(), await engine.models(), await engine.facts("m")]);
  expectMasked(told);
  expect(told).toContain('"version":"b1 [credential]"');
  const ollama = await connected(json({ models: [{ name: SECRET }] }), "ollama");
  expectMasked(JSON.stringify(await ollama.loaded?.()));
});

test("a terminal is not steered by what a server says", async () => {
  const hostile = "\u001b[31mred\u001b]0;owned\u0007";
  const visible = "\ufffd[31mred\ufffd]0;owned\ufffd";
  expect(await recorded(json({ error: { message: hostile } }, 500))).toContain(visible);
  expect(await recorded(sse([{ choices: [{ delta: {}, finish_reason: hostile }] }]))).toContain(visible);
  const engine = await connected(json({ build_info: hostile, data: [{ id: hostile }] }), "llama-server");
  expect(await engine.health()).toEqual({ version: visible });
  expect(await engine.models()).toEqual([visible]);
});
