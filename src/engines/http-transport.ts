/**
 * HTTP/1.1 for the data plane, on undici's raw handlers. One `Client` is one connection, so an
 * agent's next request goes out on the connection its last one came back on.
 *
 * Where the stamps come from: undici parses in its own `readable` listener and then calls `onData`
 * once per HTTP chunk. A listener of ours stands before it on every socket, reads the clock once
 * per socket read, and counts the reads. All chunks of one read thus share one stamp, taken before
 * any byte was looked at, and are recognised as sharing it by the count.
 */
import type { Socket } from "node:net";
import { Client, buildConnector } from "undici";
import type { Dispatcher } from "undici";
import type { Clock } from "../core/clock.ts";
import { OperatorError } from "../core/errors.ts";
import type { HttpRequest } from "./engine.ts";
import type { InFlight, ResponseSink, Transport } from "./transport.ts";

export interface HttpTransportOptions {
  readonly clock: Clock;
  /** Sent with every request, for instance the credential. A request's own headers win. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Most connections at once; requests above it wait in order and are stamped when really sent. */
  readonly connections?: number;
  /** PEM of the authority behind an https endpoint, where it is none that Node already trusts. */
  readonly authorityPem?: string;
}

/** Four times the largest concurrency of the self-test, and below the usual limit of open files (4,096). */
const DEFAULT_CONNECTIONS = 2048;

/** A host that does not answer SYN. undici's timer for this is coarse, up to a second late. */
const CONNECT_LIMIT_MS = 10_000;

/** undici's handler types leave out the one callback that says when a request was written. */
interface RawHandler extends Dispatcher.DispatchHandler {
  onRequestSent(): void;
}

/** The last socket read of a transport: when it was, and its number. */
interface ReadMark {
  atNs: number;
  number: number;
}

/**
 * Connects to one base URL. Throws ENDPOINT_URL_INVALID when it is not http or https; connection
 * failures arrive at the sink of the request that needed the connection.
 */
export function createHttpTransport(baseUrl: string, options: HttpTransportOptions): Transport {
  return new HttpTransport(parseBaseUrl(baseUrl), options);
}

function parseBaseUrl(baseUrl: string): URL {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new OperatorError("ENDPOINT_URL_INVALID", {
      message: "an endpoint must be an http or https URL",
      received: baseUrl,
      nextStep: "write it as http://host:port",
    });
  return url;
}

class HttpTransport implements Transport {
  readonly #url: URL;
  readonly #pathPrefix: string;
  readonly #clock: Clock;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #limit: number;
  readonly #read: ReadMark = { atNs: 0, number: 0 };
  readonly #ahead: ConnectionsAhead;
  /** Last freed, first used: its socket is the least likely to have been closed by the server. */
  readonly #idle: Client[] = [];
  readonly #open = new Set<Client>();
  readonly #waiting: Exchange[] = [];

  constructor(url: URL, options: HttpTransportOptions) {
    this.#url = url;
    this.#pathPrefix = url.pathname.replace(/\/+$/, "");
    this.#clock = options.clock;
    this.#headers = options.headers ?? {};
    this.#limit = options.connections ?? DEFAULT_CONNECTIONS;
    this.#ahead = new ConnectionsAhead(options.authorityPem, (socket) => {
      socket.on("readable", () => {
        this.#read.atNs = this.#clock.nowNs();
        this.#read.number++;
      });
    });
  }

  send(request: HttpRequest, sink: ResponseSink): InFlight {
    const exchange = new Exchange(this.#clock, this.#read, sink, {
      method: request.method,
      path: this.#pathPrefix + request.path,
      headers: { ...this.#headers, ...request.headers },
      body: request.body ?? null,
    });
    exchange.leave = (reusable) => this.#freed(exchange, reusable);
    const client = this.#acquire();
    if (client === undefined) this.#waiting.push(exchange);
    else exchange.start(client);
    return { abort: () => exchange.abort() };
  }

  async preconnect(count: number): Promise<void> {
    const ready = this.#idle.filter((client) => client.stats.connected).length;
    await this.#ahead.open(this.#url, Math.min(count, this.#limit) - ready);
  }

  async close(): Promise<void> {
    this.#ahead.close();
    for (const exchange of this.#waiting.splice(0)) exchange.onError(new Error("the transport was closed"));
    await Promise.all([...this.#open].map((client) => client.destroy()));
    this.#open.clear();
    this.#idle.length = 0;
  }

  #acquire(): Client | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.stats.connected) return idle;
      this.#discard(idle);
    }
    if (this.#open.size >= this.#limit) return undefined;
    const client = new Client(this.#url.origin, {
      connect: this.#ahead.connect,
      pipelining: 1,
      // undici's own timers are coarse and run on another clock; limits are kept by the caller.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.#open.add(client);
    return client;
  }

  #freed(exchange: Exchange, reusable: boolean): void {
    const client = exchange.client;
    if (client === undefined) {
      const place = this.#waiting.indexOf(exchange);
      if (place >= 0) this.#waiting.splice(place, 1);
      return;
    }
    if (reusable) this.#idle.push(client);
    else this.#discard(client);
    const next = this.#waiting[0];
    const free = next === undefined ? undefined : this.#acquire();
    if (free !== undefined) this.#waiting.shift()?.start(free);
  }

  #discard(client: Client): void {
    this.#open.delete(client);
    client.destroy().catch(() => undefined);
  }
}

/** One request and its response: undici's callbacks, turned into the sink's. */
class Exchange implements RawHandler {
  readonly #clock: Clock;
  readonly #read: ReadMark;
  readonly #sink: ResponseSink;
  readonly #options: Dispatcher.DispatchOptions;
  #abortSocket: (() => void) | undefined;
  #done = false;
  #lastRead = 0;
  client: Client | undefined;
  /** Called once when the connection is no longer needed; set by the transport before the start. */
  leave: (reusable: boolean) => void = () => undefined;

  constructor(clock: Clock, read: ReadMark, sink: ResponseSink, options: Dispatcher.DispatchOptions) {
    this.#clock = clock;
    this.#read = read;
    this.#sink = sink;
    this.#options = options;
  }

  start(client: Client): void {
    this.client = client;
    client.dispatch(this.#options, this);
  }

  abort(): void {
    if (this.#done) return;
    this.#done = true;
    // Before the request is on a socket there is nothing to abort: dropping the client ends it.
    this.#abortSocket?.();
    this.leave(false);
  }

  onConnect(abort: () => void): void {
    if (this.#done) abort();
    else this.#abortSocket = abort;
  }

  onRequestSent(): void {
    if (!this.#done) this.#sink.onSent(this.#clock.nowNs());
  }

  onHeaders(status: number, rawHeaders: Buffer[]): boolean {
    const informational = status < 200;
    if (!this.#done && !informational)
      this.#sink.onHeaders(status, headersByName(rawHeaders), this.#read.atNs);
    return true;
  }

  onData(bytes: Buffer): boolean {
    if (this.#done) return true;
    const { atNs, number } = this.#read;
    const sharesStamp = number === this.#lastRead;
    this.#lastRead = number;
    this.#sink.onData(bytes, atNs, sharesStamp);
    return true;
  }

  onComplete(): void {
    if (this.#done) return;
    this.#done = true;
    const atNs = this.#clock.nowNs();
    this.leave(true);
    this.#sink.onEnd(atNs);
  }

  onError(error: Error): void {
    if (this.#done) return;
    this.#done = true;
    const atNs = this.#clock.nowNs();
    this.leave(false);
    this.#sink.onError(error, atNs);
  }
}

/** Repeated names are joined by a comma (RFC 9110, section 5.3). */
function headersByName(raw: readonly Buffer[]): Record<string, string> {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] as Buffer).toString("latin1").toLowerCase();
    const value = (raw[index + 1] as Buffer).toString("latin1");
    const earlier = headers[name];
    headers[name] = earlier === undefined ? value : `${earlier}, ${value}`;
  }
  return headers;
}

/**
 * undici opens a connection when a request needs one. To have them open before a barrier, sockets
 * are made here ahead of time and handed over when undici asks for a connection.
 */
class ConnectionsAhead {
  readonly #onSocket: (socket: Socket) => void;
  readonly #connect: buildConnector.connector;
  readonly #ready: Socket[] = [];

  constructor(authorityPem: string | undefined, onSocket: (socket: Socket) => void) {
    this.#connect = buildConnector({
      timeout: CONNECT_LIMIT_MS,
      ...(authorityPem === undefined ? {} : { ca: authorityPem }),
    });
    this.#onSocket = onSocket;
  }

  readonly connect: buildConnector.connector = (target, callback) => {
    const socket = this.#ready.pop();
    if (socket === undefined) {
      this.#connect(target, (...outcome) => {
        // On failure undici hands over the error alone: only it tells the two cases apart.
        if (outcome[0] === null) this.#onSocket(outcome[1]);
        callback(...outcome);
      });
      return;
    }
    socket.off("readable", destroyThis);
    socket.off("error", destroyThis);
    this.#onSocket(socket);
    // undici ignores a connection that it is given before its call for one has returned.
    queueMicrotask(() => callback(null, socket));
  };

  async open(url: URL, count: number): Promise<void> {
    const missing = Math.max(0, count - this.#ready.length);
    await Promise.all(Array.from({ length: missing }, () => this.#openOne(url)));
  }

  #openOne(url: URL): Promise<void> {
    const target = { hostname: hostOf(url), host: url.host, protocol: url.protocol, port: url.port };
    return new Promise((resolve, reject) => {
      this.#connect(target, (...[error, socket]) => {
        if (error !== null) {
          reject(error);
          return;
        }
        // Nothing may arrive before a request was sent: bytes or an end mean that it is of no use.
        socket.on("readable", destroyThis);
        socket.on("error", destroyThis);
        socket.once("close", () => {
          const place = this.#ready.indexOf(socket);
          if (place >= 0) this.#ready.splice(place, 1);
        });
        this.#ready.push(socket);
        resolve();
      });
    });
  }

  close(): void {
    for (const socket of this.#ready.splice(0)) socket.destroy();
  }
}

function destroyThis(this: Socket): void {
  this.destroy();
}

/** The host without the brackets of an IPv6 literal, which sockets do not take. */
function hostOf(url: URL): string {
  return url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;
}
