import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import { realClock } from "../core/clock.ts";
import type { Clock } from "../core/clock.ts";
import type { HttpRequest } from "./engine.ts";
import { createHttpTransport } from "./http-transport.ts";
import type { HttpTransportOptions } from "./http-transport.ts";
import type { ResponseSink, Transport } from "./transport.ts";

/** Every reading is one nanosecond later: equal stamps can only come from one reading. */
function countingClock(): Clock {
  let reading = 0;
  return {
    nowNs: () => ++reading,
    wallIso: () => realClock.wallIso(),
    timerAt: (atNs, callback) => realClock.timerAt(atNs, callback),
    sleepUntil: (atNs, signal) => realClock.sleepUntil(atNs, signal),
  };
}

type Call =
  | { kind: "sent" | "end"; atNs: number }
  | { kind: "headers"; status: number; headers: Readonly<Record<string, string>>; atNs: number }
  | { kind: "data"; text: string; atNs: number; sharesStamp: boolean }
  | { kind: "error"; error: Error; atNs: number };

/** Records every call; `seen` resolves when a call passes its test. */
class RecordingSink implements ResponseSink {
  readonly calls: Call[] = [];
  readonly #watchers: { test: (call: Call) => boolean; resolve: (call: Call) => void }[] = [];

  seen(test: (call: Call) => boolean): Promise<Call> {
    const earlier = this.calls.find(test);
    return earlier === undefined
      ? new Promise((resolve) => this.#watchers.push({ test, resolve }))
      : Promise.resolve(earlier);
  }
  get closed(): Promise<Call> {
    return this.seen((call) => call.kind === "end" || call.kind === "error");
  }
  get kinds(): string[] {
    return this.calls.map((call) => call.kind);
  }
  get data(): Extract<Call, { kind: "data" }>[] {
    return this.calls.filter((call) => call.kind === "data");
  }
  #add(call: Call): void {
    this.calls.push(call);
    for (const watcher of this.#watchers) if (watcher.test(call)) watcher.resolve(call);
  }
  onSent(atNs: number): void {
    this.#add({ kind: "sent", atNs });
  }
  onHeaders(status: number, headers: Readonly<Record<string, string>>, atNs: number): void {
    this.#add({ kind: "headers", status, headers, atNs });
  }
  onData(bytes: Uint8Array, atNs: number, sharesStamp: boolean): void {
    this.#add({ kind: "data", text: Buffer.from(bytes).toString(), atNs, sharesStamp });
  }
  onEnd(atNs: number): void {
    this.#add({ kind: "end", atNs });
  }
  onError(error: Error, atNs: number): void {
    this.#add({ kind: "error", error, atNs });
  }
}

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Harness {
  readonly transport: Transport;
  readonly url: string;
  /** Every connection the server has accepted. */
  readonly sockets: Socket[];
  /** Every request head and body, as text. */
  readonly requests: string[];
}

/** A server that is only a socket: `answer` gets the connection once a whole request has arrived. */
async function serve(
  answer: (socket: Socket, requestNumber: number) => void,
  options: Partial<HttpTransportOptions> & { path?: string; secure?: boolean } = {},
): Promise<Harness> {
  const sockets: Socket[] = [];
  const requests: string[] = [];
  const onConnection = (socket: Socket): void => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) => {
      requests.push(bytes.toString());
      answer(socket, requests.length - 1);
    });
  };
  const server: Server =
    options.secure === true
      ? createTlsServer(
          { key: tlsFile("localhost-key.pem"), cert: tlsFile("localhost-cert.pem") },
          onConnection,
        )
      : createServer(onConnection);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const scheme = options.secure === true ? "https" : "http";
  const url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}${options.path ?? ""}`;
  const transport = createHttpTransport(url, { clock: countingClock(), ...options });
  closers.push(() => transport.close());
  return { transport, url, sockets, requests };
}

function tlsFile(name: string): string {
  return readFileSync(new URL(`../../test/fixtures/tls/${name}`, import.meta.url), "utf8");
}

const GET: HttpRequest = { method: "GET", path: "/", headers: {} };
const CHUNKED = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const EMPTY_OK = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

describe("stamps", () => {
  test("a response is told in order: sent, headers, data, end", async () => {
    const { transport } = await serve((socket) => socket.write(`${CHUNKED}${chunk("hello")}0\r\n\r\n`));
    const sink = new RecordingSink();
    transport.send(GET, sink);
    await sink.closed;
    expect(sink.kinds).toEqual(["sent", "headers", "data", "end"]);
    const stamps = sink.calls.map((call) => call.atNs);
    expect([...stamps].sort((a, b) => a - b)).toEqual(stamps);
  });

  test("two HTTP chunks of one read share one stamp, and the second says so", async () => {
    const { transport } = await serve((socket) =>
      socket.write(`${CHUNKED}${chunk("one")}${chunk("two")}${chunk("three")}0\r\n\r\n`),
    );
    const sink = new RecordingSink();
    transport.send(GET, sink);
    await sink.closed;
    expect(sink.data.map(({ text, sharesStamp }) => [text, sharesStamp])).toEqual([
      ["one", false],
      ["two", true],
      ["three", true],
    ]);
    expect(new Set(sink.data.map(({ atNs }) => atNs)).size).toBe(1);
  });

  test("two HTTP chunks of separate reads have stamps of their own", async () => {
    const { transport, sockets } = await serve((socket) => socket.write(`${CHUNKED}${chunk("one")}`));
    const sink = new RecordingSink();
    transport.send(GET, sink);
    await sink.seen((call) => call.kind === "data");
    sockets[0]?.write(`${chunk("two")}0\r\n\r\n`);
    await sink.closed;
    expect(sink.data.map(({ text, sharesStamp }) => [text, sharesStamp])).toEqual([
      ["one", false],
      ["two", false],
    ]);
    expect(sink.data[1]?.atNs).toBeGreaterThan(sink.data[0]?.atNs ?? Infinity);
  });

  test("reads of two connections are told apart even when they alternate", async () => {
    const { transport, sockets } = await serve((socket) => socket.write(`${CHUNKED}${chunk("a")}`));
    const sinks = [new RecordingSink(), new RecordingSink()];
    for (const sink of sinks) {
      transport.send(GET, sink);
      await sink.seen((call) => call.kind === "data");
    }
    for (const socket of sockets) socket.write(`${chunk("b")}${chunk("c")}0\r\n\r\n`);
    for (const sink of sinks) {
      await sink.closed;
      expect(sink.data.map(({ text, sharesStamp }) => [text, sharesStamp])).toEqual([
        ["a", false],
        ["b", false],
        ["c", true],
      ]);
    }
  });

  test("the sent stamp is taken before any byte of the answer, and after waiting for a connection", async () => {
    const { transport, sockets } = await serve(() => undefined, { connections: 1 });
    const first = new RecordingSink();
    const second = new RecordingSink();
    transport.send(GET, first);
    transport.send(GET, second);
    await first.seen((call) => call.kind === "sent");
    expect(second.calls).toEqual([]);
    sockets[0]?.write(EMPTY_OK);
    const end = await first.closed;
    const sent = await second.seen((call) => call.kind === "sent");
    expect(sent.atNs).toBeGreaterThan(end.atNs);
  });
});

describe("requests", () => {
  test("paths are joined to the base URL and headers are merged, the request's own winning", async () => {
    const { transport, requests } = await serve((socket) => socket.write(EMPTY_OK), {
      path: "/api/",
      headers: { authorization: "Bearer x", "x-kind": "default" },
    });
    const sink = new RecordingSink();
    transport.send({ method: "POST", path: "/v1/chat", headers: { "x-kind": "own" }, body: '{"ä":1}' }, sink);
    await sink.closed;
    expect(requests[0]).toMatch(/^POST \/api\/v1\/chat HTTP\/1\.1\r\n/);
    expect(requests[0]).toContain("authorization: Bearer x\r\n");
    expect(requests[0]).toContain("x-kind: own\r\n");
    expect(requests[0]).toContain("content-length: 8\r\n");
    expect(requests[0]?.endsWith('\r\n\r\n{"ä":1}')).toBe(true);
  });

  test("header names come in lower case and repeated ones are joined", async () => {
    const { transport } = await serve((socket) =>
      socket.write("HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nVia: a\r\nvia: b\r\nContent-Length: 0\r\n\r\n"),
    );
    const sink = new RecordingSink();
    transport.send(GET, sink);
    const call = await sink.seen(({ kind }) => kind === "headers");
    expect(call).toMatchObject({ status: 429, headers: { "retry-after": "7", via: "a, b" } });
  });

  test("an interim answer is not the answer", async () => {
    const { transport } = await serve((socket) =>
      socket.write(`HTTP/1.1 103 Early Hints\r\n\r\n${EMPTY_OK}`),
    );
    const sink = new RecordingSink();
    transport.send(GET, sink);
    await sink.closed;
    expect(sink.calls.flatMap((call) => (call.kind === "headers" ? [call.status] : []))).toEqual([200]);
  });

  test("https works, with an authority that was given", async () => {
    const { transport } = await serve((socket) => socket.write(`${CHUNKED}${chunk("safe")}0\r\n\r\n`), {
      secure: true,
      authorityPem: tlsFile("localhost-cert.pem"),
    });
    await transport.preconnect(1);
    const sink = new RecordingSink();
    transport.send(GET, sink);
    await sink.closed;
    expect(sink.data.map(({ text }) => text)).toEqual(["safe"]);
  });

  test.each(["ftp://host/", "localhost:11434", ""])("refuses %j as a base URL", (url) => {
    expect(() => createHttpTransport(url, { clock: realClock })).toThrow(
      expect.objectContaining({ code: "ENDPOINT_URL_INVALID", received: url }),
    );
  });
});

describe("connections", () => {
  test("a request sent from the end of the last one goes out on the same connection", async () => {
    const { transport, sockets, requests } = await serve((socket) => socket.write(EMPTY_OK));
    await new Promise<void>((resolve) => {
      const sendAgain = (left: number): void => {
        const sink = new RecordingSink();
        sink.onEnd = () => (left === 0 ? resolve() : sendAgain(left - 1));
        transport.send(GET, sink);
      };
      sendAgain(4);
    });
    expect([sockets.length, requests.length]).toEqual([1, 5]);
  });

  test("a server that closes after each answer gets a new connection each time", async () => {
    const { transport, sockets } = await serve((socket) =>
      socket.end("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nall of it"),
    );
    for (let round = 0; round < 3; round++) {
      const sink = new RecordingSink();
      transport.send(GET, sink);
      expect((await sink.closed).kind).toBe("end");
      expect(sink.data.map(({ text }) => text).join("")).toBe("all of it");
    }
    expect(sockets.length).toBe(3);
  });

  test("preconnected sockets are the ones that requests use", async () => {
    const { transport, sockets } = await serve((socket) => socket.write(EMPTY_OK));
    await transport.preconnect(3);
    const sinks = Array.from({ length: 3 }, () => new RecordingSink());
    for (const sink of sinks) transport.send(GET, sink);
    await Promise.all(sinks.map((sink) => sink.closed));
    expect(sockets.length).toBe(3);
  });

  test("preconnecting again opens only what is missing", async () => {
    const { transport, sockets } = await serve((socket) => socket.write(EMPTY_OK));
    await transport.preconnect(2);
    const sink = new RecordingSink();
    transport.send(GET, sink);
    await sink.closed;
    await transport.preconnect(3);
    const sinks = Array.from({ length: 3 }, () => new RecordingSink());
    for (const one of sinks) transport.send(GET, one);
    await Promise.all(sinks.map((one) => one.closed));
    expect(sockets.length).toBe(3);
  });

  test("a preconnected socket that the server has closed is not used", async () => {
    const { transport, sockets } = await serve((socket) => socket.write(EMPTY_OK));
    await transport.preconnect(1);
    const gone = new Promise((resolve) => sockets[0]?.once("close", resolve));
    sockets[0]?.end();
    await gone;
    const sink = new RecordingSink();
    transport.send(GET, sink);
    expect((await sink.closed).kind).toBe("end");
    expect(sockets.length).toBe(2);
  });

  test("preconnecting to a closed port fails with the system's reason", async () => {
    const transport = createHttpTransport(await closedPortUrl(), { clock: realClock });
    await expect(transport.preconnect(2)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await transport.close();
  });
});

describe("failures and aborting", () => {
  test("a refused connection is an error of the request, and it was never sent", async () => {
    const transport = createHttpTransport(await closedPortUrl(), { clock: countingClock() });
    const sink = new RecordingSink();
    transport.send(GET, sink);
    expect(await sink.closed).toMatchObject({ kind: "error", error: { code: "ECONNREFUSED" } });
    expect(sink.kinds).toEqual(["error"]);
    await transport.close();
  });

  test("a connection that breaks inside the body is an error after the data, and the next request works", async () => {
    const { transport, sockets } = await serve((socket, number) =>
      socket.write(number === 0 ? `${CHUNKED}${chunk("half")}` : EMPTY_OK),
    );
    const sink = new RecordingSink();
    transport.send(GET, sink);
    await sink.seen((call) => call.kind === "data");
    sockets[0]?.resetAndDestroy();
    await sink.closed;
    expect(sink.kinds).toEqual(["sent", "headers", "data", "error"]);
    const next = new RecordingSink();
    transport.send(GET, next);
    expect((await next.closed).kind).toBe("end");
  });

  test("aborting closes the socket, and nothing is told afterwards", async () => {
    const { transport, sockets } = await serve((socket) => socket.write(`${CHUNKED}${chunk("x")}`));
    const sink = new RecordingSink();
    const inFlight = transport.send(GET, sink);
    await sink.seen((call) => call.kind === "data");
    const serverSawClose = new Promise((resolve) => sockets[0]?.once("close", resolve));
    inFlight.abort();
    inFlight.abort();
    await serverSawClose;
    expect(sink.kinds).toEqual(["sent", "headers", "data"]);
  });

  test("aborting between two chunks of one read drops the second", async () => {
    const { transport } = await serve((socket) =>
      socket.write(`${CHUNKED}${chunk("one")}${chunk("two")}0\r\n\r\n`),
    );
    const sink = new RecordingSink();
    const gone = new Promise<void>((resolve) => {
      const record = sink.onData.bind(sink);
      sink.onData = (...call) => {
        record(...call);
        inFlight.abort();
        setImmediate(resolve);
      };
    });
    const inFlight = transport.send(GET, sink);
    await gone;
    expect(sink.data.map(({ text }) => text)).toEqual(["one"]);
    expect(sink.kinds).toEqual(["sent", "headers", "data"]);
  });

  test("aborting before the connection stands frees its place for the next request", async () => {
    const { transport, requests } = await serve((socket) => socket.write(EMPTY_OK), { connections: 1 });
    const aborted = new RecordingSink();
    const kept = new RecordingSink();
    const inFlight = transport.send({ ...GET, path: "/aborted" }, aborted);
    transport.send({ ...GET, path: "/kept" }, kept);
    inFlight.abort();
    expect((await kept.closed).kind).toBe("end");
    expect(aborted.calls).toEqual([]);
    expect(requests.length).toBe(1);
    expect(requests[0]).toContain("GET /kept");
  });

  test("aborting while waiting for a place leaves the others' order alone", async () => {
    const { transport, requests } = await serve((socket) => socket.write(EMPTY_OK), { connections: 1 });
    const sinks = ["/a", "/b", "/c"].map((path) => {
      const sink = new RecordingSink();
      return { sink, inFlight: transport.send({ ...GET, path }, sink) };
    });
    sinks[1]?.inFlight.abort();
    await sinks[2]?.sink.closed;
    expect(requests.map((text) => text.split(" ")[1])).toEqual(["/a", "/c"]);
    expect(sinks[1]?.sink.calls).toEqual([]);
  });

  test("a head that comes in pieces is whole, also when later reads are larger", async () => {
    const { transport, sockets } = await serve((socket) =>
      socket.write("HTTP/1.1 200 OK\r\nx-first: one\r\nx-sec"),
    );
    const sink = new RecordingSink();
    transport.send(GET, sink);
    await sink.seen((call) => call.kind === "sent");
    while (sockets[0]?.bytesWritten === undefined || sockets[0].bytesWritten === 0) await nextTurn();
    await nextTurn();
    sockets[0]?.write(`ond: two\r\nx-long: ${"z".repeat(3000)}\r\ncontent-length: 0\r\n\r\n`);
    const call = await sink.seen(({ kind }) => kind === "headers");
    expect(call).toMatchObject({
      headers: { "x-first": "one", "x-second": "two", "x-long": "z".repeat(3000) },
    });
  });

  test("closing ends requests on connections that had answered before, and starts nothing again", async () => {
    const { transport, requests } = await serve((socket, number) => {
      if (number === 0) socket.write(EMPTY_OK);
    });
    const first = new RecordingSink();
    transport.send(GET, first);
    await first.closed;
    const second = new RecordingSink();
    transport.send(GET, second);
    while (requests.length < 2) await nextTurn();
    await transport.close();
    expect((await second.closed).kind).toBe("error");
    expect(requests.length).toBe(2);
  });

  test("closing ends requests in flight and those that wait with an error", async () => {
    const { transport } = await serve((socket) => socket.write(`${CHUNKED}${chunk("x")}`), {
      connections: 1,
    });
    const running = new RecordingSink();
    const waiting = new RecordingSink();
    transport.send(GET, running);
    transport.send(GET, waiting);
    await running.seen((call) => call.kind === "data");
    await transport.close();
    expect((await running.closed).kind).toBe("error");
    expect(waiting.kinds).toEqual(["error"]);
    const late = new RecordingSink();
    transport.send(GET, late);
    expect((await late.closed).kind).toBe("error");
  });
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function closedPortUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
