/** What a server can do wrong, and what the operator is told. Each case on a real socket. */
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import {
  type Answer,
  type Script,
  type ScriptedServer,
  type Step,
  answer,
  gate,
  json,
  startScriptedServer,
} from "../../test/fakes/scripted-server.ts";
import { whileAdvancing } from "../../test/fakes/virtual-time.ts";
import { VirtualClock, realClock } from "../core/clock.ts";
import { printable, renderOperatorError } from "../core/errors.ts";
import { sToNs } from "../core/units.ts";
import type { Completion, Engine, EngineKind, GenerateContext, GenerateLimits } from "./engine.ts";
import { generate } from "./generate.ts";
import { endpointError } from "./next-step.ts";
import { openAiDataPlane } from "./openai/data-plane.ts";
import { createEngine } from "./registry.ts";
import type { Transport } from "./transport.ts";

const LIMITS: GenerateLimits = { gapMs: 20_000, totalMs: 60_000, loadingMs: 5_000 };
const REQUEST = {
  model: "m",
  messages: [{ role: "user", content: "hi" }],
  options: {},
  stream: true,
} as const;

const running: { server: ScriptedServer; engine: Engine }[] = [];

async function endpoint(
  script: Script,
  kind: EngineKind = "openai",
  clock = realClock,
): Promise<{ server: ScriptedServer; engine: Engine }> {
  const server = await startScriptedServer(script);
  const engine = await createEngine({ name: "a", url: server.url, engine: kind }, { clock, env: {} });
  running.push({ server, engine });
  return { server, engine };
}

afterEach(async () => {
  for (const { server, engine } of running.splice(0)) {
    await engine.close();
    await server.stop();
  }
});

async function ask(
  script: Script | Answer,
  context: Partial<GenerateContext> = {},
  kind: EngineKind = "openai",
): Promise<Completion> {
  const { engine } = await endpoint(typeof script === "function" ? script : () => script, kind);
  return engine.generate(REQUEST, { clock: realClock, limits: LIMITS, ...context });
}

/** What a person reads of a failure; the port is the system's choice. */
function told({ outcome }: Completion): string {
  if (outcome.kind !== "failed") return outcome.kind;
  const error = endpointError(outcome, { url: "http://127.0.0.1:11434", model: "m" });
  return `${renderOperatorError(error)}${outcome.afterFirstToken ? "\n  (after the first token)" : ""}`.replace(
    /127\.0\.0\.1:\d+/g,
    "127.0.0.1:PORT",
  );
}

const said = (content: string): string =>
  `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;
const SAID: Step = { do: "write", bytes: said("Hello") };
const DONE: Step = { do: "write", bytes: "data: [DONE]\n\n" };

describe("no connection", () => {
  test("nothing listens", async () => {
    const server = await startScriptedServer(() => answer(""));
    await server.stop();
    const engine = await createEngine(
      { name: "a", url: server.url, engine: "openai" },
      { clock: realClock, env: {} },
    );
    expect(told(await engine.generate(REQUEST, { clock: realClock, limits: LIMITS }))).toMatchInlineSnapshot(`
      "error ENDPOINT_REFUSED: nothing listens at http://127.0.0.1:PORT
        received: http://127.0.0.1:PORT
        next: start the server, or give its address with --endpoint name=http://host:port; \`slipway doctor\` shows what it finds here"
    `);
    await engine.close();
  });

  test("a host name that does not resolve", async () => {
    const unresolved = Object.assign(new Error("getaddrinfo ENOTFOUND gpu.example"), { code: "ENOTFOUND" });
    const transport: Transport = {
      send: (_request, sink) => {
        sink.onError(unresolved, 1);
        return { abort: () => undefined };
      },
      preconnect: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    const target = { plane: openAiDataPlane(), transport, url: "http://gpu.example", shown: printable };
    const { outcome } = await generate(target, REQUEST, { clock: realClock, limits: LIMITS });
    expect(outcome).toEqual({
      kind: "failed",
      code: "ENDPOINT_DNS",
      message: "the host name of http://gpu.example does not resolve",
      afterFirstToken: false,
    });
  });

  test("reset before an answer, and before its first token", async () => {
    const noAnswer = await ask({ raw: true, steps: [{ do: "reset" }] });
    expect(noAnswer.httpStatus).toBeUndefined();
    expect(told(noAnswer)).toMatchInlineSnapshot(`
      "error CONNECTION_RESET: the server closed the connection before its answer was complete
        received: http://127.0.0.1:PORT
        next: look into the server's log: the process may have crashed"
    `);
    const noToken = await ask({ steps: [{ do: "write", bytes: ": wait\n\n" }, { do: "reset" }] });
    expect(noToken.httpStatus).toBe(200);
    expect(told(noToken)).toBe(told(noAnswer));
  });

  test("reset after the first token keeps what came before", async () => {
    const heard = gate();
    const completion = await ask(
      { steps: [SAID, { do: "wait", for: heard.opened }, { do: "reset" }] },
      { onProgress: heard.open },
    );
    expect(completion.decoded).toMatchObject({ content: "Hello", events: { text: 1 } });
    expect(told(completion)).toMatchInlineSnapshot(`
      "error CONNECTION_RESET: the server closed the connection before its answer was complete
        received: http://127.0.0.1:PORT
        next: look into the server's log: the process may have crashed
        (after the first token)"
    `);
  });

  test("hung up inside a chunked body", async () => {
    const heard = gate();
    const completion = await ask(
      { steps: [SAID, { do: "wait", for: heard.opened }, { do: "hang-up" }] },
      { onProgress: heard.open },
    );
    expect(told(completion)).toMatchInlineSnapshot(`
      "error CONNECTION_RESET: the server closed the connection before its answer was complete
        received: http://127.0.0.1:PORT
        next: look into the server's log: the process may have crashed
        (after the first token)"
    `);
  });

  test("an answer that is not HTTP", async () => {
    expect(told(await ask(answer("SSH-2.0-OpenSSH_9.6\r\n", { raw: true })))).toMatchInlineSnapshot(`
      "error STREAM_MALFORMED: the answer is not HTTP: Response does not match the HTTP/1.1 protocol (Expected HTTP/, RTSP/ or ICE/)
        received: http://127.0.0.1:PORT
        next: check that --engine names what listens there (left out, the server is asked), and look into its log and at proxies on the way"
    `);
  });
});

describe("refused by the server", () => {
  test.each([
    ["ollama", { error: "model 'm' not found" }, "HTTP 404: model 'm' not found"],
    [
      "openai",
      { error: { message: "The model `m` does not exist.", type: "NotFoundError", code: 404 } },
      "HTTP 404: The model `m` does not exist. (NotFoundError)",
    ],
  ] as const)("404 model (%s)", async (kind, body, message) => {
    expect(told(await ask(json(body, 404), {}, kind))).toBe(
      [
        `error MODEL_NOT_FOUND: ${message}`,
        "  received: m",
        "  next: choose a model that the server lists (`slipway doctor` shows them), or pull it there first",
      ].join("\n"),
    );
  });

  test("404 of the path alone is not a missing model", async () => {
    const completion = await ask(answer("404 page not found", { status: 404 }));
    expect(completion.outcome).toMatchObject({
      code: "SERVER_ERROR",
      message: "HTTP 404: 404 page not found",
    });
  });

  test("401", async () => {
    const body = { error: { message: "Invalid API Key", type: "authentication_error", code: 401 } };
    expect(told(await ask(json(body, 401)))).toMatchInlineSnapshot(`
      "error UNAUTHORIZED: HTTP 401: Invalid API Key (authentication_error)
        received: http://127.0.0.1:PORT
        next: name the credential of this endpoint as a reference: credential: {env: NAME} or {file: path}"
    `);
  });

  test("429 with Retry-After", async () => {
    const completion = await ask(
      answer('{"error":"slow down"}', { status: 429, headers: { "retry-after": "7" } }),
    );
    expect(completion.outcome).toMatchObject({ code: "RATE_LIMITED", httpStatus: 429, retryAfterMs: 7000 });
    expect(told(completion)).toMatchInlineSnapshot(`
      "error RATE_LIMITED: HTTP 429: slow down
        received: http://127.0.0.1:PORT
        next: wait 7 s and try again, or lower the number of requests in flight at this endpoint"
    `);
  });

  test("500 with a page of HTML", async () => {
    const completion = await ask(
      answer(
        `<html>
${"x".repeat(100_000)}`,
        { status: 500 },
      ),
    );
    expect(completion.outcome).toMatchObject({
      code: "SERVER_ERROR",
      message: `HTTP 500: <html> ${"x".repeat(293)}…`,
    });
  });

  test("500 without a body", async () => {
    expect(told(await ask(answer("", { status: 500 })))).toMatchInlineSnapshot(`
      "error SERVER_ERROR: HTTP 500, without a message
        received: http://127.0.0.1:PORT
        next: look into the server's log"
    `);
  });

  test("a redirect is not followed, and no secret in its target is shown", async () => {
    const { engine, server } = await endpoint(() =>
      answer("", { status: 307, headers: { location: "https://user:secret@example.org/v1?key=secret" } }),
    );
    const completion = await engine.generate(REQUEST, { clock: realClock, limits: LIMITS });
    expect(server.requests).toHaveLength(1);
    expect(told(completion)).toMatchInlineSnapshot(`
      "error REDIRECT_REFUSED: HTTP 307: the server redirects to https://example.org/v1
        received: http://127.0.0.1:PORT
        next: give the address that the server redirects to: a followed redirect would fall into every TTFT"
    `);
  });

  test.each([
    ["ollama", "model requires more system memory (9.1 GiB) than is available (4.0 GiB)"],
    ["ollama", "llama runner process has terminated: cudaMalloc failed: out of memory"],
    ["llama-server", "failed to allocate compute buffers"],
    ["llama-server", "CUDA error: out of memory"],
  ] as const)("out of memory (%s: %s)", async (kind, message) => {
    const body = kind === "ollama" ? { error: message } : { error: { code: 500, message } };
    expect(told(await ask(json(body, 500), {}, kind))).toBe(
      [
        `error SERVER_OUT_OF_MEMORY: HTTP 500: ${message}`,
        "  received: http://127.0.0.1:PORT",
        "  next: use a smaller model, fewer GPU layers, a smaller context or fewer slots, or end what else uses the memory",
      ].join("\n"),
    );
  });

  test("the context is exceeded", async () => {
    const error = {
      code: 400,
      message:
        "the request exceeds the available context size. try increasing the context size or enable context shift",
      type: "exceed_context_size_error",
      n_prompt_tokens: 5000,
      n_ctx: 4096,
    };
    expect(told(await ask(json({ error }, 400), {}, "llama-server"))).toMatchInlineSnapshot(`
      "error CONTEXT_EXCEEDED: HTTP 400: the request exceeds the available context size. try increasing the context size or enable context shift (exceed_context_size_error)
        received: http://127.0.0.1:PORT
        next: shorten prompt or output, or start the server with a larger context per slot"
    `);
  });
});

describe("loading", () => {
  const LOADING = json({ error: { code: 503, message: "Loading model", type: "unavailable_error" } }, 503);

  test("is waited out, and the stamps are those of the answer", async () => {
    const clock = new VirtualClock();
    let asked = 0;
    const { engine } = await endpoint(
      () => (++asked < 4 ? LOADING : { steps: [SAID, DONE] }),
      "llama-server",
      clock,
    );
    const completion = await whileAdvancing(clock, engine.generate(REQUEST, { clock, limits: LIMITS }));
    expect(asked).toBe(4);
    expect(completion.outcome).toEqual({ kind: "ok" });
    // Three waits of half a second.
    expect(completion.sentNs).toBeGreaterThanOrEqual(sToNs(1.5));
  });

  test("has a limit", async () => {
    const clock = new VirtualClock();
    const { engine } = await endpoint(() => LOADING, "llama-server", clock);
    const completion = await whileAdvancing(clock, engine.generate(REQUEST, { clock, limits: LIMITS }));
    expect(told(completion)).toMatchInlineSnapshot(`
      "error SERVER_LOADING: still loading after 5000 ms; HTTP 503: Loading model (unavailable_error)
        received: http://127.0.0.1:PORT
        next: wait until the model is loaded, or raise the loading limit"
    `);
  });

  test("503 for another reason is not waited for", async () => {
    const busy = { error: "server busy, please try again. maximum pending requests exceeded" };
    expect(told(await ask(json(busy, 503), {}, "ollama"))).toMatchInlineSnapshot(`
      "error SERVER_ERROR: HTTP 503: server busy, please try again. maximum pending requests exceeded
        received: http://127.0.0.1:PORT
        next: look into the server's log"
    `);
  });
});

describe("silence", () => {
  test("no byte of an answer within the gap limit", async () => {
    const clock = new VirtualClock();
    const { engine, server } = await endpoint(() => ({ steps: [{ do: "stall" }] }), "openai", clock);
    const completion = await whileAdvancing(clock, engine.generate(REQUEST, { clock, limits: LIMITS }));
    expect(told(completion)).toMatchInlineSnapshot(`
      "error STREAM_STALLED: no byte of an answer arrived within 20000 ms
        received: http://127.0.0.1:PORT
        next: look into the server's log; if it is only slow, raise the gap limit"
    `);
    await server.abandoned(1);
  });

  test("a stream that falls silent is left, and its socket closed", async () => {
    const clock = new VirtualClock();
    const { engine, server } = await endpoint(() => ({ steps: [SAID, { do: "stall" }] }), "openai", clock);
    const heard = gate();
    const result = engine.generate(REQUEST, { clock, limits: LIMITS, onProgress: heard.open });
    await heard.opened;
    const completion = await whileAdvancing(clock, result);
    expect(completion.decoded.content).toBe("Hello");
    expect(told(completion)).toMatchInlineSnapshot(`
      "error STREAM_STALLED: the stream fell silent for 20000 ms
        received: http://127.0.0.1:PORT
        next: look into the server's log; if it is only slow, raise the gap limit
        (after the first token)"
    `);
    await server.abandoned(1);
  });

  test("a stream that never stops ends at the total limit", async () => {
    const clock = new VirtualClock();
    const { engine } = await endpoint(() => ({ steps: [SAID, { do: "stall" }] }), "openai", clock);
    const heard = gate();
    const limits = { ...LIMITS, gapMs: 90_000 };
    const result = engine.generate(REQUEST, { clock, limits, onProgress: heard.open });
    await heard.opened;
    expect(told(await whileAdvancing(clock, result))).toMatchInlineSnapshot(`
      "error REQUEST_TIMEOUT: the request did not end within 60000 ms
        received: http://127.0.0.1:PORT
        next: ask for fewer tokens, or raise the total limit
        (after the first token)"
    `);
  });
});

describe("a body that is not what it should be", () => {
  test("malformed events", async () => {
    const completion = await ask({
      steps: [SAID, { do: "write", bytes: 'data: {"choices":[{"delta"\n\n' }, { do: "stall" }],
    });
    expect(completion.decoded.content).toBe("Hello");
    expect(told(completion)).toMatchInlineSnapshot(`
      "error STREAM_MALFORMED: an event is not JSON: {"choices":[{"delta"
        received: http://127.0.0.1:PORT
        next: check that --engine names what listens there (left out, the server is asked), and look into its log and at proxies on the way
        (after the first token)"
    `);
  });

  test("a page of HTML with status 200", async () => {
    expect(told(await ask(answer("<html>\n<body>Welcome</body>\n</html>\n")))).toMatchInlineSnapshot(`
      "error STREAM_MALFORMED: expected server-sent events, got: <html>
        received: http://127.0.0.1:PORT
        next: check that --engine names what listens there (left out, the server is asked), and look into its log and at proxies on the way"
    `);
  });

  test("malformed JSON", async () => {
    const { engine } = await endpoint(() => answer('{"choices":[{"mess'));
    const completion = await engine.generate(
      { ...REQUEST, stream: false },
      { clock: realClock, limits: LIMITS },
    );
    expect(told(completion)).toMatchInlineSnapshot(`
      "error STREAM_MALFORMED: the response is not JSON: {"choices":[{"mess
        received: http://127.0.0.1:PORT
        next: check that --engine names what listens there (left out, the server is asked), and look into its log and at proxies on the way"
    `);
  });

  test("a stream without its closing event", async () => {
    expect(told(await ask({ steps: [SAID] }))).toMatchInlineSnapshot(`
      "error STREAM_TRUNCATED: the stream ended without its closing event (events so far: 1)
        received: http://127.0.0.1:PORT
        next: check that --engine names what listens there (left out, the server is asked), and look into its log and at proxies on the way
        (after the first token)"
    `);
  });

  test("an error inside the stream", async () => {
    const error = `data: ${JSON.stringify({ error: { message: "slot unavailable", code: 500 } })}\n\n`;
    expect(
      told(await ask({ steps: [SAID, { do: "write", bytes: error }, { do: "stall" }] })),
    ).toMatchInlineSnapshot(`
      "error SERVER_ERROR: the server reported an error in the stream: slot unavailable
        received: http://127.0.0.1:PORT
        next: look into the server's log
        (after the first token)"
    `);
  });

  test("invalid UTF-8, split across chunks, is replaced and does not end the stream", async () => {
    const bytes = Buffer.from(said("aé\u{1f6a2}b"));
    const damaged = Buffer.concat([bytes.subarray(0, -8), Buffer.from([0xe2, 0x82]), bytes.subarray(-8)]);
    const steps = Array.from(
      damaged,
      (_, index): Step => ({ do: "write", bytes: damaged.subarray(index, index + 1) }),
    );
    const completion = await ask({ steps: [...steps, DONE] });
    expect(completion.outcome).toEqual({ kind: "ok" });
    expect(completion.decoded.content).toBe("aé\u{1f6a2}\u{fffd}b");
    expect(completion.decoded.invalidUtf8Events).toBe(1);
  });

  test("a single line of 10 MB", async () => {
    const piece = Buffer.alloc(64 * 1024, "x");
    const steps = Array.from({ length: 160 }, (): Step => ({ do: "write", bytes: piece }));
    const completion = await ask({
      steps: [SAID, { do: "write", bytes: "data: " }, ...steps, { do: "stall" }],
    });
    expect(completion.decoded.content).toBe("Hello");
    expect(told(completion)).toMatchInlineSnapshot(`
      "error LINE_TOO_LONG: a line of the stream is longer than 8388608 bytes
        received: http://127.0.0.1:PORT
        next: check that --engine names what listens there (left out, the server is asked), and look into its log and at proxies on the way
        (after the first token)"
    `);
  });

  test.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
  ] as const)("a body packed with %s although identity was asked for", async (encoding, pack) => {
    const packed = pack(said("Hello") + said(" there") + "data: [DONE]\n\n");
    const half = packed.length >> 1;
    const { engine, server } = await endpoint(() => ({
      headers: { "content-encoding": encoding },
      steps: [
        { do: "write", bytes: packed.subarray(0, half) },
        { do: "write", bytes: packed.subarray(half) },
      ],
    }));
    const completion = await engine.generate(REQUEST, { clock: realClock, limits: LIMITS });
    expect(server.requests[0]?.headers["accept-encoding"]).toBe("identity");
    expect(completion.outcome).toEqual({ kind: "ok" });
    expect(completion.decoded.content).toBe("Hello there");
    expect(completion.decoded.firstTokenNs).toBeGreaterThanOrEqual(completion.firstByteNs ?? Infinity);
  });

  test("a packed body that is damaged", async () => {
    const packed = answer("this is no archive", { headers: { "content-encoding": "gzip" } });
    expect(told(await ask(packed))).toMatchInlineSnapshot(`
      "error STREAM_MALFORMED: the compressed body cannot be unpacked: incorrect header check
        received: http://127.0.0.1:PORT
        next: check that --engine names what listens there (left out, the server is asked), and look into its log and at proxies on the way"
    `);
  });

  test("a packing that is unknown", async () => {
    const packed = answer("?", { headers: { "content-encoding": "zstd" } });
    expect(told(await ask(packed))).toMatchInlineSnapshot(`
      "error STREAM_MALFORMED: the body has an unknown content-encoding "zstd"
        received: http://127.0.0.1:PORT
        next: check that --engine names what listens there (left out, the server is asked), and look into its log and at proxies on the way"
    `);
  });

  test("an error body that is packed is read all the same", async () => {
    const packed = gzipSync('{"error":"model \'m\' not found"}');
    const completion = await ask(answer(packed, { status: 404, headers: { "content-encoding": "gzip" } }));
    expect(completion.outcome).toMatchObject({ code: "MODEL_NOT_FOUND", httpStatus: 404 });
  });
});
