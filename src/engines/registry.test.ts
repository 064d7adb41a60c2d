import { afterEach, describe, expect, test } from "vitest";
import {
  type Answer,
  type Script,
  type ScriptedServer,
  answer,
  json,
  startScriptedServer,
} from "../../test/fakes/scripted-server.ts";
import { realClock } from "../core/clock.ts";
import { OperatorError, renderOperatorError } from "../core/errors.ts";
import { createEngine, detectEngine, findLocalEngines } from "./registry.ts";

const options = { clock: realClock, env: {} };
const servers: ScriptedServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

/** A server that knows these paths and answers 404 to all others. */
async function serve(
  routes: Readonly<Record<string, Answer>>,
  other: Script = () => answer("Not Found", { status: 404 }),
): Promise<ScriptedServer> {
  const server = await startScriptedServer(
    (request, connection) => routes[request.path] ?? other(request, connection),
  );
  servers.push(server);
  return server;
}

async function told(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (thrown) {
    if (thrown instanceof OperatorError)
      return renderOperatorError(thrown).replace(/127\.0\.0\.1:\d+/g, "HOST:PORT");
    throw thrown;
  }
  return "nothing";
}

describe("detection", () => {
  test.each([
    ["ollama", "0.12.0", { "/api/version": json({ version: "0.12.0" }) }],
    ["llama-server", "b6000", { "/props": json({ total_slots: 4, build_info: "b6000" }) }],
    ["tgi", "3.3.0", { "/info": json({ model_id: "m", version: "3.3.0", max_total_tokens: 4096 }) }],
    ["vllm", "0.11.0", { "/version": json({ version: "0.11.0" }) }],
    ["openai", undefined, { "/v1/models": json({ object: "list", data: [] }) }],
    ["simulated", "1", { "/slipway/engine": json({ version: "1" }) }],
  ] as const)("recognises %s", async (kind, version, routes) => {
    const server = await serve(routes);
    const found = await detectEngine({ name: "a", url: server.url }, options);
    expect(found).toEqual(version === undefined ? { kind } : { kind, version });
    const engine = await createEngine({ name: "a", url: `${server.url}/v1/` }, options);
    expect(engine.kind).toBe(kind);
    await engine.close();
  });

  test("a server that labels itself as simulated is never taken for what it imitates", async () => {
    const labelled = { ...json({ version: "0.12.0" }), headers: { "x-slipway-simulated": "1" } };
    const server = await serve({ "/api/version": labelled });
    expect((await detectEngine({ name: "a", url: server.url }, options)).kind).toBe("simulated");
  });

  test("a server that is loading is llama-server, and control calls can wait for it", async () => {
    let asked = 0;
    const server = await serve({}, () =>
      ++asked < 4
        ? json({ error: { code: 503, message: "Loading model", type: "unavailable_error" } }, 503)
        : json({ data: [{ id: "m" }] }),
    );
    const engine = await createEngine({ name: "a", url: server.url }, { ...options, loadingMs: 60_000 });
    expect(engine.kind).toBe("llama-server");
    expect(await engine.models()).toEqual(["m"]);
    await engine.close();
  });

  test("without a limit for loading the operator is told at once", async () => {
    const loading = json({ error: { code: 503, message: "Loading model", type: "unavailable_error" } }, 503);
    const server = await serve({}, () => loading);
    const engine = await createEngine({ name: "a", url: server.url }, options);
    expect(await told(engine.models())).toMatchInlineSnapshot(`
      "error SERVER_LOADING: HTTP 503: Loading model (unavailable_error)
        received: http://HOST:PORT
        next: wait until the model is loaded, or raise the loading limit"
    `);
    await engine.close();
  });

  test("nothing there, nothing known there, no credentials", async () => {
    const server = await serve({}, () => answer("<html>"));
    expect(await told(detectEngine({ name: "a", url: server.url }, options))).toMatchInlineSnapshot(`
      "error STREAM_MALFORMED: http://HOST:PORT answers, but like no engine that is known here
        received: http://HOST:PORT
        next: check that --engine names what listens there (left out, the server is asked), and look into its log and at proxies on the way"
    `);
    await server.stop();
    expect(await told(createEngine({ name: "a", url: server.url }, options))).toMatchInlineSnapshot(`
      "error ENDPOINT_REFUSED: nothing listens at http://HOST:PORT
        received: http://HOST:PORT
        next: start the server, or give its address with --endpoint name=http://host:port; \`slipway doctor\` shows what it finds here"
    `);
    const closed = await serve({}, () => json({ error: { message: "Invalid API Key" } }, 401));
    expect(await told(createEngine({ name: "a", url: closed.url }, options))).toMatchInlineSnapshot(`
      "error UNAUTHORIZED: HTTP 401: Invalid API Key
        received: http://HOST:PORT
        next: name the credential of this endpoint as a reference: credential: {env: NAME} or {file: path}"
    `);
  });

  test("local engines are found side by side, and what is none is left out", async () => {
    const ollama = await serve({ "/api/version": json({ version: "0.12.0" }) });
    const website = await serve({}, () => answer("<html>"));
    const gone = await serve({});
    await gone.stop();
    const ports = [gone.port, ollama.port, website.port];
    expect(await findLocalEngines(realClock, ports)).toEqual([
      { url: ollama.url, kind: "ollama", version: "0.12.0" },
    ]);
  });
});

describe("a server of another kind than was named", () => {
  const LLAMA_SERVER = {
    "/props": json({ total_slots: 4, build_info: "b6000" }),
    "/v1/models": json({ data: [{ id: "m" }] }),
  };
  // In its words, as read from llama.cpp's server.
  const unknownPath = (): Answer =>
    json({ error: { code: 404, message: "File Not Found", type: "not_found_error" } }, 404);

  test("is asked what it is, and the operator is told", async () => {
    const server = await serve(LLAMA_SERVER, unknownPath);
    const engine = await createEngine({ name: "a", url: server.url, engine: "ollama" }, options);
    expect(await told(engine.facts("m"))).toMatchInlineSnapshot(`
      "error SERVER_ERROR: HTTP 404: File Not Found (not_found_error)
        received: http://HOST:PORT
        next: the server looks like llama-server when it is asked: give --engine llama-server, or leave --engine out"
    `);
    expect(await told(engine.load?.("m", {}) ?? Promise.resolve())).toContain("give --engine llama-server");
    expect(server.requests.filter(({ path }) => path === "/props")).toHaveLength(1);
    await engine.close();
  });

  test("is told from one that answers in another form", async () => {
    const ollama = await serve({ "/api/version": json({ version: "0.12.0" }) }, () =>
      answer("Ollama is running"),
    );
    const engine = await createEngine({ name: "a", url: ollama.url, engine: "vllm" }, options);
    expect(await told(engine.health())).toContain(
      "next: the server looks like ollama when it is asked: give --engine ollama, or leave --engine out",
    );
    await engine.close();
  });

  test("is not suspected where the server is what was named, or nobody knows what it is", async () => {
    const old = await serve(LLAMA_SERVER, unknownPath);
    const named = await createEngine({ name: "a", url: old.url, engine: "llama-server" }, options);
    const without = await told(named.counters?.() ?? Promise.resolve());
    await named.close();
    const website = await serve({});
    const engine = await createEngine({ name: "a", url: website.url, engine: "ollama" }, options);
    const unknown = await told(engine.health());
    await engine.close();
    for (const message of [without, unknown])
      expect(message).toContain(
        "next: check that --engine names what listens there (left out, the server is asked)",
      );
  });

  test("is not asked when a request was refused for its own sake", async () => {
    const server = await serve({}, () => json({ error: "model 'm' not found" }, 404));
    const engine = await createEngine({ name: "a", url: server.url, engine: "ollama" }, options);
    expect(await told(engine.health())).toContain("MODEL_NOT_FOUND");
    expect(server.requests).toHaveLength(1);
    await engine.close();
  });
});

describe("credentials", () => {
  test("go into the header of every call of both planes and into nothing else", async () => {
    const server = await serve({}, () => json({ error: { message: "no" } }, 401));
    const engine = await createEngine(
      { name: "a", url: server.url, engine: "openai", credential: { env: "KEY" } },
      { clock: realClock, env: { KEY: "hunter2" } },
    );
    const message = await told(engine.models());
    const completion = await engine.generate(
      { model: "m", prompt: "hi", options: {}, stream: true },
      { clock: realClock, limits: { gapMs: 20_000, totalMs: 20_000, loadingMs: 0 } },
    );
    await engine.close();
    expect(server.requests.map(({ headers }) => headers["authorization"])).toEqual([
      "Bearer hunter2",
      "Bearer hunter2",
    ]);
    expect(message + JSON.stringify(completion) + JSON.stringify(engine)).not.toContain("hunter2");
  });

  test("inside a URL are refused before anything is asked", async () => {
    const message = await told(createEngine({ name: "a", url: "http://me:hunter2@127.0.0.1:1" }, options));
    expect(message).toContain("CREDENTIAL_INLINE");
    expect(message).not.toContain("hunter2");
  });
});

describe("control calls", () => {
  const models = async (reply: Answer): Promise<string> => {
    const server = await serve({ "/v1/models": reply });
    const engine = await createEngine({ name: "a", url: server.url, engine: "openai" }, options);
    try {
      return await told(engine.models());
    } finally {
      await engine.close();
    }
  };

  test("say what is wrong with an answer", async () => {
    expect(await models(answer("[1]"))).toContain(
      "STREAM_MALFORMED: the answer to /v1/models is not a JSON object: [1]",
    );
    expect(await models(answer("", { status: 302, headers: { location: "/login" } }))).toContain(
      "REDIRECT_REFUSED: HTTP 302: the server redirects to /login",
    );
    expect(await models(answer("", { status: 429, headers: { "retry-after": "3" } }))).toContain(
      "next: wait 3 s",
    );
    expect(await models({ steps: [{ do: "reset" }] })).toContain("CONNECTION_RESET");
  });

  test("read no more than their limit", async () => {
    const piece = Buffer.alloc(1024 * 1024, " ");
    const steps = Array.from({ length: 33 }, () => ({ do: "write", bytes: piece }) as const);
    expect(await models({ steps: [...steps, { do: "stall" }] })).toContain(
      "the answer to /v1/models is longer than 33554432 bytes",
    );
  });
});
