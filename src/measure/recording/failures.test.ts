import { request as httpRequest } from "node:http";
import { describe, expect, it } from "vitest";
import { CHAT, CHAT_BODY, SSE, call, record, upstream } from "../../../test/fakes/recording-fixture.ts";
import { VirtualClock } from "../../core/clock.ts";
import { OperatorError } from "../../core/errors.ts";
import { MemorySink } from "../../record/record-sink.ts";

describe("what the recording endpoint says of failures", () => {
  it("frees the server at once when the client leaves, and records a cancelled request", async () => {
    let freed = (): void => undefined;
    const upstreamFreed = new Promise<void>((resolve) => {
      freed = resolve;
    });
    const url = await upstream((_request, response) => {
      response.once("close", freed);
      response.write(SSE.slice(0, SSE.indexOf("Boote")));
    });
    const { endpoint, records } = await record(url);
    await new Promise<void>((resolve) => {
      const request = httpRequest(endpoint.url + CHAT, { method: "POST" }, (response) => {
        response.once("data", () => {
          request.destroy();
          resolve();
        });
      });
      request.end(CHAT_BODY);
    });
    await upstreamFreed;
    const [one] = await records();
    expect(one?.outcome).toEqual({ kind: "cancelled", reason: "the client closed the connection" });
    expect(one?.tokens).toEqual({ output: 1, outputSource: "estimated" });
  });

  it("counts an answer as whole when the client leaves after its closing event", async () => {
    let freed = (): void => undefined;
    const upstreamFreed = new Promise<void>((resolve) => {
      freed = resolve;
    });
    const url = await upstream((_request, response) => {
      response.once("close", freed);
      response.write(SSE);
    });
    const { endpoint, records } = await record(url);
    const request = httpRequest(endpoint.url + CHAT, { method: "POST" }, (response) => {
      let text = "";
      response.on("data", (part: Buffer) => {
        text += part.toString();
        if (text.endsWith("[DONE]\n\n")) request.destroy();
      });
    });
    request.end(CHAT_BODY);
    await upstreamFreed;
    const [one] = await records();
    expect(one).toMatchObject({ outcome: { kind: "ok" }, finishReason: "stop", tokens: { output: 3 } });
  });

  it("says with 502 that the upstream failed, in OpenAI's shape, and records the failure", async () => {
    const { endpoint, records } = await record("http://127.0.0.1:1");
    const answer = await call(endpoint.url + CHAT, { body: CHAT_BODY });
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.body.toString())).toEqual({
      error: {
        message: "the upstream server failed, not Slipway: nothing listens at http://127.0.0.1:1",
        type: "upstream_error",
        param: null,
        code: "ENDPOINT_REFUSED",
        source: "upstream",
      },
    });
    const [one] = await records();
    expect(one?.outcome).toMatchObject({ kind: "failed", code: "ENDPOINT_REFUSED", afterFirstToken: false });
    expect(Object.keys(one?.stamps ?? {})).toEqual(["scheduledNs", "endNs"]);
    expect(one?.tokens).toEqual({});
  });

  it("says it in Ollama's shape to a client of Ollama's protocol", async () => {
    const { endpoint } = await record("http://127.0.0.1:1");
    const answer = await call(`${endpoint.url}/api/chat`, { body: CHAT_BODY });
    expect(JSON.parse(answer.body.toString())).toEqual({
      error: "the upstream server failed, not Slipway: nothing listens at http://127.0.0.1:1",
    });
  });

  it("records the wait that a busy server asks for", async () => {
    const url = await upstream((_request, response) => {
      response.writeHead(429, { "retry-after": "3" });
      response.end('{"error":{"message":"slow down"}}');
    });
    const { endpoint, records } = await record(url);
    expect((await call(endpoint.url + CHAT, { body: CHAT_BODY })).status).toBe(429);
    const [one] = await records();
    expect(one?.outcome).toMatchObject({ kind: "failed", code: "RATE_LIMITED", retryAfterMs: 3_000 });
  });

  it("records a redirect as such, since what follows goes past it", async () => {
    const url = await upstream((_request, response) => {
      response.writeHead(307, { location: "http://127.0.0.1:2/elsewhere" });
      response.end();
    });
    const { endpoint, records } = await record(url);
    const answer = await call(endpoint.url + CHAT, { body: CHAT_BODY });
    expect([answer.status, answer.headers.location]).toEqual([307, "http://127.0.0.1:2/elsewhere"]);
    const [one] = await records();
    expect(one?.outcome).toMatchObject({ kind: "failed", code: "REDIRECT_REFUSED", httpStatus: 307 });
  });

  it("hands an error answer on and records what it means", async () => {
    const said = JSON.stringify({ error: { message: "model 'tiny' not found", type: "not_found_error" } });
    const url = await upstream((_request, response) => {
      response.writeHead(404, { "content-type": "application/json" });
      response.end(said);
    });
    const { endpoint, records } = await record(url);
    const answer = await call(endpoint.url + CHAT, { body: CHAT_BODY });
    expect([answer.status, answer.body.toString()]).toEqual([404, said]);
    const [one] = await records();
    expect(one?.outcome).toMatchObject({ kind: "failed", code: "MODEL_NOT_FOUND", httpStatus: 404 });
  });

  it("breaks off towards the client when the server breaks off, and records it", async () => {
    const url = await upstream((_request, response) => {
      response.write(SSE.slice(0, SSE.indexOf("Boote")), () => setImmediate(() => response.destroy()));
    });
    const { endpoint, records } = await record(url);
    await expect(call(endpoint.url + CHAT, { body: CHAT_BODY })).rejects.toThrow(/aborted|hang up|reset/);
    const [one] = await records();
    expect(one?.outcome).toMatchObject({ kind: "failed", code: "CONNECTION_RESET", afterFirstToken: true });
  });

  it("records a stream that ends without its closing event as cut short", async () => {
    const url = await upstream((_request, response) =>
      response.end(SSE.slice(0, SSE.indexOf('data: {"choices":[{"delta":{},'))),
    );
    const { endpoint, records } = await record(url);
    await call(endpoint.url + CHAT, { body: CHAT_BODY });
    const [one] = await records();
    expect(one?.outcome).toMatchObject({ kind: "failed", code: "STREAM_TRUNCATED" });
  });

  it("refuses a body above the limit and says that this is Slipway's limit", async () => {
    const url = await upstream((_request, response) => response.end(SSE));
    const { endpoint } = await record(url, { limits: { maxBodyBytes: 10, totalMs: 60_000 } });
    const answer = await call(endpoint.url + CHAT, { body: CHAT_BODY });
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      error: { source: "slipway", code: "BODY_TOO_LARGE" },
    });
  });

  it("gives up a silent server at the time limit", async () => {
    const clock = new VirtualClock(1_000);
    let arrived = (): void => undefined;
    const waiting = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const url = await upstream(() => arrived());
    const { endpoint, records } = await record(url, {
      clock,
      limits: { maxBodyBytes: 1_000, totalMs: 5_000 },
    });
    const answering = call(endpoint.url + CHAT, { body: CHAT_BODY });
    await waiting;
    await clock.advanceTo(6_000_000_000);
    expect((await answering).status).toBe(504);
    const [one] = await records();
    expect(one?.outcome).toMatchObject({ kind: "failed", code: "REQUEST_TIMEOUT" });
  });

  it("keeps the first error of the sink, refuses further work and throws it at the stop", async () => {
    const url = await upstream((_request, response) => response.end(SSE));
    const full = new OperatorError("DISK_FULL", { message: "no space", nextStep: "free some" });
    const sink = new MemorySink();
    sink.request = () => {
      throw full;
    };
    let failed = (_thrown: unknown): void => undefined;
    const failure = new Promise<unknown>((resolve) => {
      failed = resolve;
    });
    const { endpoint } = await record(url, { sink, onFailure: (thrown) => failed(thrown) });
    await call(endpoint.url + CHAT, { body: CHAT_BODY });
    expect(await failure).toBe(full);
    expect((await call(endpoint.url + CHAT, { body: CHAT_BODY })).status).toBe(503);
    await expect(endpoint.stop()).rejects.toBe(full);
  });

  it("names a taken port", async () => {
    const { endpoint } = await record("http://127.0.0.1:1");
    const port = Number(new URL(endpoint.url).port);
    await expect(record("http://127.0.0.1:1", { listen: { host: "127.0.0.1", port } })).rejects.toMatchObject(
      {
        code: "PORT_IN_USE",
        received: `127.0.0.1:${port}`,
      },
    );
  });

  it("refuses an upstream that is no URL", async () => {
    await expect(record("localhost:11434")).rejects.toMatchObject({ code: "ENDPOINT_URL_INVALID" });
  });
});
