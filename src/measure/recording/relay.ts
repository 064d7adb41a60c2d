/**
 * One exchange on its way through: the client's request to the upstream, the upstream's answer to
 * the client, byte for byte and no faster than the client reads. What is observed on the way is
 * handed to an observer after the bytes have gone on.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock, Timer } from "../../core/clock.ts";
import type { ErrorCode } from "../../core/error-codes.ts";
import { msToNs } from "../../core/units.ts";
import { connectionFailure } from "../../engines/connection-failure.ts";
import type { ConnectionFailure } from "../../engines/connection-failure.ts";
import type { RecordedProtocol } from "./protocol.ts";
import type { Upstream, UpstreamCall, UpstreamHead, UpstreamRequest, UpstreamSink } from "./upstream.ts";

/** How an exchange ended, as seen from the middle. */
export type Ending =
  | { readonly kind: "complete" }
  | { readonly kind: "client-left" }
  | { readonly kind: "stopped" }
  /** The upstream broke, could not be reached, or took too long. */
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly message: string };

export interface ExchangeObserver {
  onSent(atNs: number): void;
  onHead(head: UpstreamHead): void;
  onData(bytes: Uint8Array, atNs: number, sharesStamp: boolean): void;
  /** Called once, last. */
  onEnding(ending: Ending, atNs: number): void;
}

export interface RelayOptions {
  readonly upstream: Upstream;
  readonly request: UpstreamRequest;
  readonly response: ServerResponse;
  readonly protocol: RecordedProtocol | undefined;
  readonly observer: ExchangeObserver;
  readonly clock: Clock;
  readonly limitMs: number;
  /** The upstream as messages name it; carries no secret. */
  readonly upstreamUrl: string;
}

export class Relay implements UpstreamSink {
  readonly #options: RelayOptions;
  readonly #call: UpstreamCall;
  readonly #limit: Timer;
  #ended = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    const { response, clock, limitMs } = options;
    response.on("close", () => {
      // A close after the last byte is how every answer ends; before it, the client has gone.
      if (!response.writableFinished) this.#abandon({ kind: "client-left" });
    });
    response.on("drain", () => this.#call.resume());
    this.#limit = clock.timerAt(clock.nowNs() + msToNs(limitMs), () => this.#overrun());
    this.#call = options.upstream.send(options.request, this);
  }

  /** Ends the exchange because the endpoint is being stopped. */
  stop(): void {
    this.#abandon({ kind: "stopped" });
    this.#options.response.destroy();
  }

  onSent(atNs: number): void {
    this.#options.observer.onSent(atNs);
  }

  onHead(head: UpstreamHead): void {
    const { response, observer } = this.#options;
    response.sendDate = false;
    response.writeHead(head.status, head.statusText, [...withoutHopByHop(head.headers)]);
    // Headers go out at once: a client may wait for them, and a first token may be minutes away.
    response.flushHeaders();
    observer.onHead(head);
  }

  onData(bytes: Buffer, atNs: number, sharesStamp: boolean): boolean {
    const goOn = this.#options.response.write(bytes);
    this.#options.observer.onData(bytes, atNs, sharesStamp);
    return goOn;
  }

  onEnd(atNs: number): void {
    this.#options.response.end();
    this.#end({ kind: "complete" }, atNs);
  }

  onError(error: Error, atNs: number): void {
    this.#failUpstream(502, connectionFailure(error, this.#options.upstreamUrl), atNs);
  }

  #overrun(): void {
    const message = `the answer did not end within ${this.#options.limitMs} ms`;
    this.#call.abort();
    this.#failUpstream(504, { code: "REQUEST_TIMEOUT", message }, this.#options.clock.nowNs());
  }

  /** Before the headers an error can still be said; after them, only breaking off is honest. */
  #failUpstream(status: 502 | 504, failure: ConnectionFailure, atNs: number): void {
    const { response, protocol } = this.#options;
    this.#end({ kind: "failed", ...failure }, atNs);
    if (response.headersSent) response.destroy();
    else sendFailure(response, status, "upstream", failure, protocol);
  }

  #abandon(ending: Ending): void {
    if (this.#ended) return;
    this.#call.abort();
    this.#end(ending, this.#options.clock.nowNs());
  }

  #end(ending: Ending, atNs: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#limit.cancel();
    this.#options.observer.onEnding(ending, atNs);
  }
}

/** RFC 9110, section 7.6.1: these speak of one connection and not of the message. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** A raw header list without what belongs to the connection it came on. */
export function withoutHopByHop(
  raw: readonly string[],
  alsoDropped?: ReadonlySet<string>,
): readonly string[] {
  const named = new Set<string>();
  forEachHeader(raw, (name, value) => {
    if (name.toLowerCase() !== "connection") return;
    for (const token of value.split(",")) named.add(token.trim().toLowerCase());
  });
  const kept: string[] = [];
  forEachHeader(raw, (name, value) => {
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || named.has(lower) || alsoDropped?.has(lower) === true) return;
    kept.push(name, value);
  });
  return kept;
}

function forEachHeader(raw: readonly string[], visit: (name: string, value: string) => void): void {
  for (let index = 0; index + 1 < raw.length; index += 2)
    visit(raw[index] as string, raw[index + 1] as string);
}

/** The first value of a header in a raw list. `name` is in lower case. */
export function headerOf(raw: readonly string[], name: string): string | undefined {
  for (let index = 0; index + 1 < raw.length; index += 2)
    if ((raw[index] as string).toLowerCase() === name) return raw[index + 1];
  return undefined;
}

/**
 * Reads a request's body whole. `too-large` leaves the rest unread, so that the refusal can still be
 * sent; `broken-off` is a client that went away before it had said what it wants.
 */
export function readBody(
  request: IncomingMessage,
  limitBytes: number,
): Promise<Buffer | "too-large" | "broken-off"> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    request.on("data", (part: Buffer) => {
      bytes += part.length;
      if (bytes <= limitBytes) {
        parts.push(part);
        return;
      }
      request.pause();
      resolve("too-large");
    });
    request.once("end", () => resolve(Buffer.concat(parts)));
    request.once("error", () => resolve("broken-off"));
    request.once("close", () => resolve("broken-off"));
  });
}

/**
 * An error of the road, in the shape that the client's protocol knows: OpenAI's object, or the bare
 * text that Ollama's clients expect. `source` says who failed.
 */
export function sendFailure(
  response: ServerResponse,
  status: number,
  source: "upstream" | "slipway",
  failure: { readonly code: string; readonly message: string },
  protocol: RecordedProtocol | undefined,
): void {
  const who =
    source === "upstream" ? "the upstream server failed, not Slipway" : "Slipway's recording endpoint";
  const message = `${who}: ${failure.message}`;
  const error =
    protocol === "ollama"
      ? message
      : { message, type: `${source}_error`, param: null, code: failure.code, source };
  const body = JSON.stringify({ error });
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}
