/**
 * HTTP/1.1 for the data plane, on undici's raw handlers. One `Client` is one connection, so an
 * agent's next request goes out on the connection its last one came back on.
 *
 * undici calls `onData` once per HTTP chunk, after parsing. The stamp is older: it was taken once
 * per socket read by {@link StampedConnections}, before any byte was looked at. All chunks of one
 * read share it, and are recognised as sharing it by the read's number.
 */
import type { Dispatcher } from "undici";
import { onNextTurn } from "../core/clock.ts";
import type { Clock } from "../core/clock.ts";
import { OperatorError } from "../core/errors.ts";
import type { HttpRequest } from "./engine.ts";
import { StampedConnections } from "./stamped-connections.ts";
import type { InFlight, ResponseSink, Transport } from "./transport.ts";
import { Client } from "./undici-parts.ts";

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

/**
 * Requests started in one turn of the event loop. Starting one costs some 30 µs; when hundreds
 * start together at a barrier, the answers to the first would wait unread, with late stamps,
 * until the last is sent. A quarter of a millisecond of starts, then the sockets are read again.
 */
const STARTS_PER_TURN = 8;

/** undici's handler types leave out the one callback that says when a request was written. */
interface RawHandler extends Dispatcher.DispatchHandler {
  onRequestSent(): void;
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
  readonly #connections: StampedConnections;
  /** Last freed, first used: its socket is the least likely to have been closed by the server. */
  readonly #idle: Client[] = [];
  readonly #open = new Set<Client>();
  /** For a connection, or for the next turn. First come, first served. */
  readonly #waiting: Exchange[] = [];
  #startsLeft = STARTS_PER_TURN;
  #closed = false;

  constructor(url: URL, options: HttpTransportOptions) {
    this.#url = url;
    this.#pathPrefix = url.pathname.replace(/\/+$/, "");
    this.#clock = options.clock;
    this.#headers = options.headers ?? {};
    this.#limit = options.connections ?? DEFAULT_CONNECTIONS;
    this.#connections = new StampedConnections(options.clock, options.authorityPem);
  }

  send(request: HttpRequest, sink: ResponseSink): InFlight {
    const exchange = new Exchange(this.#clock, this.#connections, sink, {
      method: request.method,
      path: this.#pathPrefix + request.path,
      headers: { ...this.#headers, ...request.headers },
      body: request.body ?? null,
    });
    exchange.leave = (reusable) => this.#freed(exchange, reusable);
    exchange.startAgain = () => {
      this.#freed(exchange, false);
      exchange.client = undefined;
      this.#waiting.unshift(exchange);
      this.#startWaiting();
    };
    this.#waiting.push(exchange);
    if (this.#closed) queueMicrotask(() => this.#failWaiting());
    this.#startWaiting();
    return { abort: () => exchange.abort() };
  }

  async preconnect(count: number): Promise<void> {
    const ready = this.#idle.filter((client) => client.stats.connected).length;
    await this.#connections.openAhead(this.#url, Math.min(count, this.#limit) - ready);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#connections.close();
    await Promise.all([...this.#open].map((client) => client.destroy()));
    this.#open.clear();
    this.#idle.length = 0;
    this.#failWaiting();
  }

  #failWaiting(): void {
    for (const exchange of this.#waiting.splice(0)) exchange.onError(new Error("the transport was closed"));
  }

  #startWaiting(): void {
    while (!this.#closed && this.#startsLeft > 0 && this.#waiting.length > 0) {
      const client = this.#acquire();
      if (client === undefined) return;
      if (this.#startsLeft === STARTS_PER_TURN) onNextTurn(this.#nextTurn);
      this.#startsLeft--;
      this.#waiting.shift()?.start(client);
    }
  }

  readonly #nextTurn = (): void => {
    this.#startsLeft = STARTS_PER_TURN;
    this.#startWaiting();
  };

  #acquire(): Client | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.stats.connected) return idle;
      this.#discard(idle);
    }
    if (this.#open.size >= this.#limit) return undefined;
    const client = new Client(this.#url.origin, {
      connect: this.#connections.connect,
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
    this.#startWaiting();
  }

  #discard(client: Client): void {
    this.#open.delete(client);
    client.destroy().catch(() => undefined);
  }
}

/** How many answers each connection has brought: on one with none, a closing is a failure of the server. */
const answersOf = new WeakMap<Client, number>();

/** One request and its response: undici's callbacks, turned into the sink's. */
class Exchange implements RawHandler {
  readonly #clock: Clock;
  readonly #connections: StampedConnections;
  readonly #sink: ResponseSink;
  readonly #options: Dispatcher.DispatchOptions;
  #abortSocket: (() => void) | undefined;
  #done = false;
  #lastRead = 0;
  #answered = false;
  #answersBefore = 0;
  client: Client | undefined;
  /** Called once when the connection is no longer needed; set by the transport before the start. */
  leave: (reusable: boolean) => void = () => undefined;
  /** Sends the same request on another connection; set by the transport before the start. */
  startAgain: () => void = () => undefined;

  constructor(
    clock: Clock,
    connections: StampedConnections,
    sink: ResponseSink,
    options: Dispatcher.DispatchOptions,
  ) {
    this.#clock = clock;
    this.#connections = connections;
    this.#sink = sink;
    this.#options = options;
  }

  start(client: Client): void {
    this.client = client;
    this.#answersBefore = answersOf.get(client) ?? 0;
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
    // 102 and 103 come through here; at 100 undici breaks off, which connection-failure puts into words.
    const informational = status < 200;
    this.#answered = true;
    if (informational) return true;
    this.#connections.bodyBegins();
    if (!this.#done) this.#sink.onHeaders(status, headersByName(rawHeaders), this.#connections.readAtNs);
    return true;
  }

  onData(bytes: Buffer): boolean {
    if (this.#done) return true;
    const { readAtNs, readNumber } = this.#connections;
    const sharesStamp = readNumber === this.#lastRead;
    this.#lastRead = readNumber;
    this.#sink.onData(bytes, readAtNs, sharesStamp);
    return true;
  }

  onComplete(): void {
    this.#connections.bodyEnds();
    if (this.#done) return;
    this.#done = true;
    const atNs = this.#clock.nowNs();
    if (this.client !== undefined) answersOf.set(this.client, this.#answersBefore + 1);
    this.leave(true);
    this.#sink.onEnd(atNs);
  }

  onError(error: Error): void {
    if (this.#done) return;
    if (this.#answersBefore > 0 && !this.#answered && this.client !== undefined) {
      // The server closed a connection that it had promised to keep (llama-server does after every
      // stream), and our request crossed the closing on its way: RFC 9112, section 9.3.1. A fresh
      // connection has no answers before, so this cannot go round.
      this.startAgain();
      return;
    }
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
