import { request as httpRequest } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  CHAT,
  CHAT_BODY,
  MESSAGES,
  SSE,
  call,
  record,
  upstream,
} from "../../../test/fakes/recording-fixture.ts";
import type { Answer } from "../../../test/fakes/recording-fixture.ts";
import { stubEngine } from "../../../test/fakes/stub-engine.ts";
import { specHash } from "../../core/ids.ts";
import type { RequestRecord } from "../../record/request-record.ts";

/** Writes the pieces one after the other, each when the one before has left this process. */
function writePieces(response: ServerResponse, pieces: readonly Buffer[]): void {
  const [first, ...rest] = pieces;
  if (first === undefined) response.end();
  else response.write(first, () => setImmediate(() => writePieces(response, rest)));
}

function everyNBytes(text: string, size: number): readonly Buffer[] {
  const bytes = Buffer.from(text);
  const pieces: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += size) pieces.push(bytes.subarray(start, start + size));
  return pieces;
}

describe("what passes through the recording endpoint", () => {
  it("hands a stream on byte for byte, however oddly it is split, and reads the same text from it", async () => {
    const url = await upstream((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      writePieces(response, everyNBytes(SSE, 7));
    });
    const { endpoint, records } = await record(url);
    const answer = await call(endpoint.url + CHAT, { body: CHAT_BODY });
    expect(answer.status).toBe(200);
    expect(answer.body.toString()).toBe(SSE);
    const [one] = await records();
    expect(one).toMatchObject({
      requestId: "t0/alone/0",
      agent: "alone",
      step: CHAT,
      endpoint: "a",
      engine: "openai",
      model: "tiny",
      outcome: { kind: "ok" },
      tokens: { input: 7, output: 3, outputSource: "engine" },
      events: { text: 2, role: 1, finish: 1, usage: 1 },
      finishReason: "stop",
      promptHash: specHash(MESSAGES),
    });
  });

  it("stamps in the order of the measurement page", async () => {
    const url = await upstream((_request, response) => writePieces(response, everyNBytes(SSE, 40)));
    const { endpoint, records, sink } = await record(url);
    await call(endpoint.url + CHAT, { body: CHAT_BODY });
    const [one] = await records();
    const stamps = one?.stamps;
    const inOrder = [
      0,
      stamps?.scheduledNs,
      stamps?.sentNs,
      stamps?.firstByteNs,
      stamps?.firstTokenNs,
      stamps?.lastTokenNs,
      stamps?.endNs,
    ];
    expect(inOrder).toEqual([...inOrder].sort((a, b) => Number(a) - Number(b)));
    expect(sink.chunks[0]?.firstNs).toBe(stamps?.firstTokenNs);
    expect(endpoint.firstRequestNs).toBeGreaterThan(0);
    expect(endpoint.requests()).toBe(1);
    expect(endpoint.inFlight()).toBe(0);
  });

  it("hands on method, path, headers and body as they came, and drops what belongs to one connection", async () => {
    let seen: { method?: string; url?: string; headers: readonly string[]; body: Buffer } | undefined;
    const url = await upstream((request, response, body) => {
      seen = { method: request.method ?? "", url: request.url ?? "", headers: request.rawHeaders, body };
      response.writeHead(201, "Made", ["X-Odd-Case", "a", "Set-Cookie", "b=1", "Set-Cookie", "c=2"]);
      response.end("done");
    });
    const { endpoint, records } = await record(`${url}/base/`);
    const bytes = Buffer.from([0, 255, 128, 10, 13]);
    const answer = await call(`${endpoint.url}/v1/files?name=%C3%A4`, {
      method: "PUT",
      headers: {
        Authorization: "Bearer secret-1",
        "X-Custom": "kept",
        Connection: "close, X-Private",
        "X-Private": "gone",
        TE: "trailers",
      },
      body: bytes,
    });
    expect(seen?.method).toBe("PUT");
    expect(seen?.url).toBe("/base/v1/files?name=%C3%A4");
    expect(seen?.body).toEqual(bytes);
    expect(seen?.headers).toContain("Bearer secret-1");
    expect(seen?.headers).toContain("X-Custom");
    expect(seen?.headers.join("\n")).not.toMatch(/X-Private|trailers/);
    expect(answer.status).toBe(201);
    expect(answer.rawHeaders).toContain("X-Odd-Case");
    expect(answer.headers["set-cookie"]).toEqual(["b=1", "c=2"]);
    expect(await records()).toEqual([]);
  });

  it("forwards a credential and never records it", async () => {
    const url = await upstream((_request, response) => response.end(SSE));
    const { endpoint, sink, records } = await record(url);
    await call(endpoint.url + CHAT, { headers: { authorization: "Bearer secret-2" }, body: CHAT_BODY });
    await records();
    expect(JSON.stringify(sink)).not.toContain("secret-2");
  });

  it("masks a credential that the upstream repeats, the client's or its own", async () => {
    const url = await upstream((request, response) => {
      const said = `bad key authorization: ${request.headers.authorization ?? ""}, ${String(request.headers["x-api-key"])}`;
      response.writeHead(401).end(JSON.stringify({ error: { message: said } }));
    });
    const client = await record(url);
    const headers = { authorization: "Bearer sk-client-1", "x-api-key": "sk-client-2" };
    const answer = await call(client.endpoint.url + CHAT, { headers, body: CHAT_BODY });
    // The client is told what its server says: it knows its own key.
    expect(answer.body.toString()).toContain("Bearer sk-client-1, sk-client-2");
    const [one] = await client.records();
    expect(one?.outcome).toMatchObject({
      code: "UNAUTHORIZED",
      message: "HTTP 401: bad key authorization: Bearer [credential], [credential]",
    });
    expect(JSON.stringify(client.sink)).not.toContain("sk-client");
    const own = await record(url, {
      upstream: { engine: stubEngine("openai"), url, headers: { authorization: "Bearer sk-own" } },
    });
    await call(own.endpoint.url + CHAT, { body: CHAT_BODY });
    expect(await own.records()).toMatchObject([{ outcome: { code: "UNAUTHORIZED" } }]);
    expect(JSON.stringify(own.sink)).not.toContain("sk-own");
  });

  it("puts the upstream's own headers in place of the client's", async () => {
    let authorization: string | undefined;
    const url = await upstream((request, response) => {
      authorization = request.headers.authorization;
      response.end(SSE);
    });
    const { endpoint } = await record(url, {
      upstream: { engine: stubEngine("openai"), url, headers: { authorization: "Bearer real" } },
    });
    await call(endpoint.url + CHAT, { headers: { Authorization: "Bearer slipway" }, body: CHAT_BODY });
    expect(authorization).toBe("Bearer real");
  });

  it("leaves a compressed answer compressed and still reads it", async () => {
    const packed = gzipSync(SSE);
    const url = await upstream((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip", "content-length": packed.length });
      response.end(packed);
    });
    const { endpoint, records } = await record(url);
    const answer = await call(endpoint.url + CHAT, {
      headers: { "accept-encoding": "gzip" },
      body: CHAT_BODY,
    });
    expect(answer.headers["content-encoding"]).toBe("gzip");
    expect(answer.body.equals(packed)).toBe(true);
    expect(gunzipSync(answer.body).toString()).toBe(SSE);
    const [one] = await records();
    expect(one).toMatchObject({ outcome: { kind: "ok" }, tokens: { output: 3 }, events: { text: 2 } });
  });

  it("reads each answer by the protocol of its path, whatever kind of server it was told of", async () => {
    const ndjson = [
      '{"model":"tiny","message":{"role":"assistant","content":"Zwölf"},"done":false}\n',
      '{"model":"tiny","message":{"role":"assistant","content":" Boote"},"done":false}\n',
      '{"model":"tiny","done":true,"done_reason":"stop","prompt_eval_count":7,"eval_count":3,"eval_duration":20000000}\n',
    ].join("");
    const url = await upstream((request, response) =>
      response.end(request.url === "/api/chat" ? ndjson : SSE),
    );
    for (const kind of ["openai", "ollama"] as const) {
      const { endpoint, records } = await record(url, { upstream: { engine: stubEngine(kind), url } });
      await call(`${endpoint.url}/api/chat`, { body: JSON.stringify({ model: "tiny", messages: MESSAGES }) });
      await call(endpoint.url + CHAT, { body: CHAT_BODY });
      const all = await records();
      expect(all.map((one) => [one.step, one.outcome.kind, one.tokens.output, one.promptHash])).toEqual([
        ["/api/chat", "ok", 3, specHash(MESSAGES)],
        [CHAT, "ok", 3, specHash(MESSAGES)],
      ]);
      expect(all[0]?.split?.decodeMs).toBe(20);
    }
  });

  it("calls a prompt cold only when it begins with the nonce", async () => {
    const url = await upstream((_request, response) => response.end(SSE));
    const { endpoint, records } = await record(url, { nonce: "[7f3a] " });
    const ask = (fields: object): Promise<Answer> =>
      call(endpoint.url + CHAT, { body: JSON.stringify({ model: "tiny", stream: true, ...fields }) });
    await ask({ messages: [{ role: "user", content: "[7f3a] How many?" }] });
    await ask({ messages: [{ role: "user", content: "How many? [7f3a] " }] });
    await ask({
      messages: [
        { role: "system", content: "Count." },
        { role: "user", content: "[7f3a] How many?" },
      ],
    });
    await ask({ prompt: "[7f3a] How many?" });
    expect((await records()).map((one) => one.promptCold)).toEqual([true, false, false, true]);
  });

  it("reads an answer that is not streamed", async () => {
    const whole = {
      choices: [{ message: { role: "assistant", content: "Zwölf" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 7, completion_tokens: 2 },
    };
    const url = await upstream((_request, response) => response.end(JSON.stringify(whole)));
    const { endpoint, records } = await record(url);
    await call(endpoint.url + CHAT, { body: JSON.stringify({ model: "tiny", messages: MESSAGES }) });
    const [one] = await records();
    expect(one).toMatchObject({ outcome: { kind: "ok" }, tokens: { input: 7, output: 2 }, simulated: false });
  });

  it("never lets an answer of the simulated engine pass for a real one", async () => {
    const url = await upstream((_request, response) => {
      response.setHeader("x-slipway-simulated", "1");
      response.end(SSE);
    });
    const { endpoint, records } = await record(url);
    await call(endpoint.url + CHAT, { body: CHAT_BODY });
    expect((await records())[0]?.simulated).toBe(true);
  });

  it("passes a body that is not JSON to the server, which says what is wrong with it", async () => {
    const url = await upstream((_request, response, body) => {
      response.writeHead(400);
      response.end(`bad: ${body.toString()}`);
    });
    const { endpoint, records } = await record(url);
    const answer = await call(endpoint.url + CHAT, { body: "{not json" });
    expect([answer.status, answer.body.toString()]).toEqual([400, "bad: {not json"]);
    expect(await records()).toEqual([]);
  });

  it("slows the server down when the client reads slowly, and still hands on every byte", async () => {
    const total = 24 * 1024 * 1024;
    let written = 0;
    let full = (): void => undefined;
    const stalled = new Promise<void>((resolve) => {
      full = resolve;
    });
    const url = await upstream((_request, response) => {
      const piece = Buffer.alloc(64 * 1024, "x");
      const more = (): void => {
        while (written < total) {
          written += piece.length;
          if (!response.write(piece)) {
            response.once("drain", more);
            full();
            return;
          }
        }
        response.end();
      };
      more();
    });
    const { endpoint } = await record(url);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      httpRequest(`${endpoint.url}/blob`, resolve).once("error", reject).end();
    });
    await stalled;
    // Were the road to take everything in, these turns would be more than it needs.
    for (let turn = 0; turn < 500; turn++) await new Promise((next) => setImmediate(next));
    expect(written).toBeLessThan(total);
    let received = 0;
    for await (const part of response) received += (part as Buffer).length;
    expect(received).toBe(total);
  });
});

describe("several clients of one recording endpoint", () => {
  it("keeps two agents apart that talk at the same time", async () => {
    const open: ServerResponse[] = [];
    const url = await upstream((_request, response, body) => {
      const { model } = JSON.parse(body.toString()) as { model: string };
      response.write(`data: {"choices":[{"delta":{"content":"${model}-1"}}]}\n\n`);
      open.push(response);
      if (open.length < 4) return;
      // All four are open: finish them in the other order, so that a mix-up would show.
      for (const each of open.reverse())
        each.end('data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
    });
    const { endpoint, records } = await record(url, {
      agent: (request) => request.header("x-slipway-agent") ?? "nobody",
    });
    const ask = (agent: string, model: string): Promise<Answer> =>
      call(endpoint.url + CHAT, {
        headers: { "x-slipway-agent": agent },
        body: JSON.stringify({ model, messages: [{ role: "user", content: model }], stream: true }),
      });
    const answers = await Promise.all([
      ask("red", "m1"),
      ask("blue", "m2"),
      ask("red", "m3"),
      ask("blue", "m4"),
    ]);
    expect(answers.map((answer) => /m\d-1/.exec(answer.body.toString())?.[0])).toEqual([
      "m1-1",
      "m2-1",
      "m3-1",
      "m4-1",
    ]);
    const byAgent = (agent: string, all: readonly RequestRecord[]): readonly string[] =>
      all
        .filter((one) => one.agent === agent)
        .map((one) => one.model)
        .sort();
    const all = await records();
    expect(byAgent("red", all)).toEqual(["m1", "m3"]);
    expect(byAgent("blue", all)).toEqual(["m2", "m4"]);
    expect(all.map((one) => one.requestId).sort()).toEqual([
      "t0/blue/0",
      "t0/blue/1",
      "t0/red/0",
      "t0/red/1",
    ]);
    for (const one of all) expect(one.promptHash).toBe(specHash([{ role: "user", content: one.model }]));
  });

  it("records what is going on as cancelled when it is stopped", async () => {
    let arrived = (): void => undefined;
    const waiting = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const url = await upstream(() => arrived());
    const { endpoint, records } = await record(url);
    const answering = call(endpoint.url + CHAT, { body: CHAT_BODY });
    answering.catch(() => undefined);
    await waiting;
    expect(endpoint.inFlight()).toBe(1);
    const [one] = await records();
    expect(one?.outcome).toEqual({ kind: "cancelled", reason: "the recording endpoint was stopped" });
    await expect(answering).rejects.toThrow();
  });
});
