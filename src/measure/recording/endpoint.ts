/**
 * A base URL for somebody else's agent. What is sent to it goes on to a real server unchanged and
 * the answer comes back unchanged; on the way each model call is stamped, decoded and recorded in
 * the form of a benchmark's own requests. So a program in any language can be measured without
 * being changed, and two runtimes can be compared by the same rows.
 *
 * It stands on node:http and not on fastify, which serves Slipway's own pages: a proxy must hand on
 * raw header lists and bytes nobody has parsed, and must feel the client's back-pressure, all of
 * which a framework is there to hide.
 */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../core/clock.ts";
import { OperatorError, messageOf, systemCodeOf } from "../../core/errors.ts";
import { DEFAULT_TOTAL_LIMIT_MS } from "../../core/limits.ts";
import { endpointUrl } from "../../engines/credential.ts";
import type { Engine } from "../../engines/engine.ts";
import type { RecordSink } from "../../record/record-sink.ts";
import type { RequestPhase } from "../../record/request-record.ts";
import { BusyTime } from "./busy-time.ts";
import { decoderFor, protocolOf, requestFacts } from "./protocol.ts";
import { Recorder } from "./recorder.ts";
import { Relay, headerOf, readBody, sendFailure, withoutHopByHop } from "./relay.ts";
import type { ExchangeObserver } from "./relay.ts";
import { openUpstream } from "./upstream.ts";
import type { Upstream } from "./upstream.ts";

/** One request's body is held whole, to hash its prompt; pictures in base64 are the largest seen, a few MB each. */
const MAX_REQUEST_BODY_BYTES = 64 * 1024 * 1024;

/** An agent may think for minutes between two calls, and a connection closed meanwhile would look like a failure of the server. */
const CLIENT_KEEP_ALIVE_MS = 600_000;

/** Names from a header become parts of record ids: long enough for any name, too short to fill a file. */
const MAX_LABEL_CHARACTERS = 64;

export interface RecordingLimits {
  readonly maxBodyBytes: number;
  /** Longest whole exchange, the client's reading included. */
  readonly totalMs: number;
}

export const DEFAULT_RECORDING_LIMITS: RecordingLimits = {
  maxBodyBytes: MAX_REQUEST_BODY_BYTES,
  totalMs: DEFAULT_TOTAL_LIMIT_MS,
};

/** What a request says of who sent it. Header names are in lower case. */
export interface ClientRequest {
  readonly path: string;
  readonly header: (name: string) => string | undefined;
}

export interface RecordingEndpointOptions {
  /** Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly upstream: {
    /** Reads the answers' errors and, for its own protocol, their streams. */
    readonly engine: Engine;
    readonly url: string;
    /** Sent instead of the client's own of the same name, for instance a credential; never recorded. */
    readonly headers?: Readonly<Record<string, string>>;
  };
  /** Whose request it is: one name for all, or read from the request. */
  readonly agent: string | ((request: ClientRequest) => string);
  /** A request whose prompt begins with this text is recorded as cold. */
  readonly nonce?: string;
  readonly trialId: string;
  readonly originNs: number;
  readonly phase: RequestPhase;
  readonly endpointName: string;
  readonly sink: RecordSink;
  readonly clock: Clock;
  readonly limits?: RecordingLimits;
  /** Called once, when a record could not be written; from then on requests are refused. */
  readonly onFailure?: (thrown: unknown) => void;
}

export interface RecordingEndpoint {
  /** Without a trailing slash and without `/v1`. */
  readonly url: string;
  /** Exchanges going on now, recorded or not. */
  inFlight(): number;
  /** Model calls received so far. */
  requests(): number;
  /** When the first request of any kind arrived, on the clock given. */
  readonly firstRequestNs: number | undefined;
  /** How long at least one exchange was going on, nanoseconds. */
  busyNs(): number;
  /** Breaks off what is going on, writes its records and closes. Throws what kept a record from being written. */
  stop(): Promise<void>;
}

/**
 * Listens and forwards until stopped. Throws ENDPOINT_URL_INVALID or CREDENTIAL_INLINE for a bad upstream, PORT_IN_USE
 * for a taken port and FLAG_INVALID for an address that this machine cannot listen on.
 */
export async function startRecordingEndpoint(options: RecordingEndpointOptions): Promise<RecordingEndpoint> {
  const endpoint = new Endpoint(options);
  await endpoint.listen();
  return endpoint;
}

class Endpoint implements RecordingEndpoint {
  readonly #options: RecordingEndpointOptions;
  readonly #limits: RecordingLimits;
  readonly #server: Server;
  readonly #upstreamUrl: URL;
  readonly #upstream: Upstream;
  readonly #recorder: Recorder;
  readonly #relays = new Set<Relay>();
  readonly #busy: BusyTime;
  #firstRequestNs: number | undefined;
  #failure: { readonly thrown: unknown } | undefined;

  constructor(options: RecordingEndpointOptions) {
    this.#options = options;
    this.#limits = options.limits ?? DEFAULT_RECORDING_LIMITS;
    this.#upstreamUrl = new URL(endpointUrl(options.upstream.url));
    this.#upstream = openUpstream(this.#upstreamUrl, options.clock);
    this.#busy = new BusyTime(options.clock);
    this.#recorder = new Recorder({
      ...options,
      engine: options.upstream.engine,
      decoderFor: (protocol, stream) => decoderFor(protocol, stream, options.upstream.engine),
      onFailure: (thrown) => this.#fail(thrown),
    });
    this.#server = createServer({ keepAliveTimeout: CLIENT_KEEP_ALIVE_MS }, (request, response) => {
      this.#firstRequestNs ??= options.clock.nowNs();
      this.#serve(request, response).catch((thrown: unknown) => {
        this.#fail(thrown);
        response.destroy();
      });
    });
  }

  get url(): string {
    const { address, family, port } = this.#server.address() as AddressInfo;
    return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
  }

  inFlight(): number {
    return this.#relays.size;
  }

  requests(): number {
    return this.#recorder.requests;
  }

  get firstRequestNs(): number | undefined {
    return this.#firstRequestNs;
  }

  busyNs(): number {
    return this.#busy.totalNs();
  }

  listen(): Promise<void> {
    const { host, port } = this.#options.listen;
    return new Promise((resolve, reject) => {
      this.#server.once("error", (thrown) => reject(listenError(thrown, `${host}:${port}`)));
      this.#server.listen(port, host, () => resolve());
    });
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const relay of this.#relays) relay.stop();
    this.#server.closeAllConnections();
    await closed;
    await this.#recorder.settled();
    await this.#upstream.close();
    if (this.#failure !== undefined) throw this.#failure.thrown;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "/";
    const body = await readBody(request, this.#limits.maxBodyBytes);
    const scheduledNs = this.#options.clock.nowNs();
    if (body === "broken-off" || response.destroyed) return;
    if (body === "too-large" || this.#failure !== undefined) {
      this.#refuse(response, path, body === "too-large");
      return;
    }
    this.#busy.begin();
    const headers = this.#forwardedHeaders(request.rawHeaders);
    const relay = new Relay({
      upstream: this.#upstream,
      request: {
        method: request.method ?? "GET",
        path,
        headers,
        ...(body.length === 0 ? {} : { body }),
      },
      response,
      protocol: protocolOf(path),
      observer: this.#observer(request, headers, body, scheduledNs),
      clock: this.#options.clock,
      limitMs: this.#limits.totalMs,
      upstreamUrl: this.#upstreamUrl.href.replace(/\/$/, ""),
    });
    this.#relays.add(relay);
    response.once("close", () => {
      this.#relays.delete(relay);
      this.#busy.end();
    });
  }

  #observer(
    request: IncomingMessage,
    sentHeaders: readonly string[],
    body: Buffer,
    scheduledNs: number,
  ): ExchangeObserver {
    const path = request.url ?? "/";
    const facts = requestFacts(request.method ?? "GET", path, body, this.#options.nonce);
    if (facts === undefined) return UNRECORDED;
    const header = (name: string): string | undefined => headerOf(request.rawHeaders, name);
    const { agent } = this.#options;
    return this.#recorder.observe({
      facts,
      sentHeaders,
      agent: agentLabel(typeof agent === "string" ? agent : agent({ path, header })),
      step: (header("x-slipway-step") ?? path.split("?", 1)[0] ?? path).slice(0, MAX_LABEL_CHARACTERS),
      scheduledNs,
    });
  }

  /** The host is the upstream's and the length is counted again; the client's `expect` was answered here. */
  #forwardedHeaders(raw: readonly string[]): readonly string[] {
    const own = Object.entries(this.#options.upstream.headers ?? {});
    const replaced = new Set([
      "host",
      "content-length",
      "expect",
      ...own.map(([name]) => name.toLowerCase()),
    ]);
    return [...withoutHopByHop(raw, replaced), ...own.flat()];
  }

  #refuse(response: ServerResponse, path: string, tooLarge: boolean): void {
    const limit = this.#limits.maxBodyBytes;
    response.shouldKeepAlive = false;
    if (tooLarge) {
      const message = `the request body exceeds the recording endpoint's limit of ${limit} bytes`;
      sendFailure(response, 413, "slipway", { code: "BODY_TOO_LARGE", message }, protocolOf(path));
      return;
    }
    const message = "the recording has ended because a record could not be written";
    sendFailure(response, 503, "slipway", { code: "RECORDING_FAILED", message }, protocolOf(path));
  }

  #fail(thrown: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { thrown };
    this.#options.onFailure?.(thrown);
  }
}

const UNRECORDED: ExchangeObserver = {
  onSent: () => undefined,
  onHead: () => undefined,
  onData: () => undefined,
  onEnding: () => undefined,
};

/** A record's id is `<trial>/<agent>/<position>`, so a name holds no slash. */
function agentLabel(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9_.:-]+/g, "_").slice(0, MAX_LABEL_CHARACTERS);
  return safe === "" ? "unnamed" : safe;
}

function listenError(thrown: unknown, address: string): OperatorError {
  if (systemCodeOf(thrown) === "EADDRINUSE")
    return new OperatorError("PORT_IN_USE", {
      message: `something already listens on ${address}`,
      received: address,
      nextStep: "choose another port, or 0 for a free one",
      cause: thrown,
    });
  return new OperatorError("FLAG_INVALID", {
    message: `cannot listen on ${address}: ${messageOf(thrown)}`,
    received: address,
    nextStep: "give an address of this machine and a port above 1023",
    cause: thrown,
  });
}
