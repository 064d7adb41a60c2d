/**
 * The recording endpoint's way to the server behind it. The engines' transport speaks for Slipway
 * and may shape what it sends; this one speaks for somebody else and must not: header lists stay
 * in their order and spelling, bodies are bytes in both directions, nothing is decompressed, and a
 * client that reads slowly slows the server down instead of filling our memory.
 *
 * Stamps are taken as the transport takes them: a listener of ours stands before undici's own on
 * every socket and reads the clock once per socket read, before any byte was looked at.
 */
import { Pool, buildConnector } from "undici";
import type { Dispatcher } from "undici";
import type { Clock } from "../../core/clock.ts";

export interface UpstreamRequest {
  readonly method: string;
  /** With its query string; joined to the upstream's base path. */
  readonly path: string;
  /** Name, value, name, value, … as they came. */
  readonly headers: readonly string[];
  readonly body?: Buffer;
}

export interface UpstreamHead {
  readonly status: number;
  readonly statusText: string;
  /** Name, value, name, value, … as they came. */
  readonly headers: readonly string[];
}

export interface UpstreamSink {
  /** The request's last byte was handed to the socket. */
  onSent(atNs: number): void;
  onHead(head: UpstreamHead): void;
  /** Returns false when it can take no more for now; `resume` goes on. */
  onData(bytes: Buffer, atNs: number, sharesStamp: boolean): boolean;
  /** Exactly one of `onEnd` and `onError` is called, once, last; neither after `abort`. */
  onEnd(atNs: number): void;
  onError(error: Error, atNs: number): void;
}

export interface UpstreamCall {
  resume(): void;
  /** Closes the socket at once: the server sees the client gone. */
  abort(): void;
}

export interface Upstream {
  send(request: UpstreamRequest, sink: UpstreamSink): UpstreamCall;
  close(): Promise<void>;
}

/** A host that does not answer SYN. A client of ours would rather be told than wait for minutes. */
const CONNECT_LIMIT_MS = 10_000;

/** The last socket read of all upstream connections: when it was, and its number. */
interface ReadMark {
  atNs: number;
  number: number;
}

/** undici's handler types leave out the one callback that says when a request was written. */
interface RawHandler extends Dispatcher.DispatchHandler {
  onRequestSent(): void;
}

/** Connections are opened as clients ask and kept alive; the server sees as many as there are clients at once. */
export function openUpstream(baseUrl: URL, clock: Clock): Upstream {
  const read: ReadMark = { atNs: 0, number: 0 };
  const connect = buildConnector({ timeout: CONNECT_LIMIT_MS });
  const pool = new Pool(baseUrl.origin, {
    connections: null,
    pipelining: 1,
    // undici's own timers are coarse; the recording endpoint keeps the limits, on the clock it was given.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (target, callback) =>
      connect(target, (...outcome) => {
        // On failure undici hands over the error alone: only it tells the two cases apart.
        if (outcome[0] === null) outcome[1].on("readable", () => markRead(read, clock));
        callback(...outcome);
      }),
  });
  const basePath = baseUrl.pathname.replace(/\/+$/, "");
  return {
    send: (request, sink) => {
      const call = new Call(clock, read, sink);
      pool.dispatch(
        {
          method: request.method as Dispatcher.HttpMethod,
          path: basePath + request.path,
          headers: [...request.headers],
          body: request.body ?? null,
        },
        call,
      );
      return call;
    },
    close: () => pool.destroy(),
  };
}

function markRead(read: ReadMark, clock: Clock): void {
  read.atNs = clock.nowNs();
  read.number++;
}

class Call implements RawHandler, UpstreamCall {
  readonly #clock: Clock;
  readonly #read: ReadMark;
  readonly #sink: UpstreamSink;
  #abortSocket: (() => void) | undefined;
  #resumeSocket: (() => void) | undefined;
  #lastRead = 0;
  #done = false;

  constructor(clock: Clock, read: ReadMark, sink: UpstreamSink) {
    this.#clock = clock;
    this.#read = read;
    this.#sink = sink;
  }

  resume(): void {
    if (this.#done) return;
    // undici reads on from here and not from a socket event: what it finds was taken in just now.
    markRead(this.#read, this.#clock);
    this.#resumeSocket?.();
  }

  abort(): void {
    if (this.#done) return;
    this.#done = true;
    this.#abortSocket?.();
  }

  onConnect(abort: () => void): void {
    // An abort before the connection stood could close nothing; it closes here.
    if (this.#done) abort();
    else this.#abortSocket = abort;
  }

  onRequestSent(): void {
    if (!this.#done) this.#sink.onSent(this.#clock.nowNs());
  }

  onHeaders(status: number, rawHeaders: Buffer[], resume: () => void, statusText: string): boolean {
    const informational = status < 200;
    if (this.#done || informational) return true;
    this.#resumeSocket = resume;
    this.#sink.onHead({ status, statusText, headers: rawHeaders.map((bytes) => bytes.toString("latin1")) });
    return true;
  }

  onData(bytes: Buffer): boolean {
    if (this.#done) return true;
    const { atNs, number } = this.#read;
    const sharesStamp = number === this.#lastRead;
    this.#lastRead = number;
    return this.#sink.onData(bytes, atNs, sharesStamp);
  }

  onComplete(): void {
    if (this.#done) return;
    this.#done = true;
    this.#sink.onEnd(this.#clock.nowNs());
  }

  onError(error: Error): void {
    if (this.#done) return;
    this.#done = true;
    this.#sink.onError(error, this.#clock.nowNs());
  }
}
