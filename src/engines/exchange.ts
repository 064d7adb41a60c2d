/**
 * One HTTP request and its response, with every way it can end said in a value. The data plane and
 * the control plane both go through here, so limits, redirects and compression are handled once.
 */
import type { Clock, Timer } from "../core/clock.ts";
import type { ErrorCode } from "../core/error-codes.ts";
import { messageOf } from "../core/errors.ts";
import { MAX_ERROR_BODY_BYTES } from "../core/limits.ts";
import { msToNs } from "../core/units.ts";
import { BodyUnpacker } from "./body-unpacker.ts";
import { connectionFailure } from "./connection-failure.ts";
import type { HttpRequest } from "./engine.ts";
import type { InFlight, ResponseSink, Transport } from "./transport.ts";

export type Ending =
  | { readonly kind: "complete" }
  /** The consumer had enough. */
  | { readonly kind: "stopped" }
  /** A status of 300 or more other than a redirect; its body is `errorBody`. */
  | { readonly kind: "rejected"; readonly status: number; readonly errorBody: string }
  | { readonly kind: "cancelled"; readonly reason: string }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly message: string };

export interface ExchangeResult {
  readonly sentNs?: number;
  readonly firstByteNs?: number;
  readonly endNs: number;
  readonly status?: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly ending: Ending;
}

/**
 * After the closing event of a stream the body ends by itself, mostly in the same read: that is
 * waited for this long, so that the connection can be used again. A server that keeps the
 * connection open without a word is then left; its answer is whole.
 */
const CLOSING_GRACE_MS = 250;

/** What a consumer says to each piece of a body: `last` when the protocol's closing event was in it. */
export type Appetite = "more" | "last" | "none";

export interface ExchangeOptions {
  readonly clock: Clock;
  readonly transport: Transport;
  /** For messages; carries no secret. */
  readonly url: string;
  readonly gapMs: number;
  readonly totalMs: number;
  readonly signal?: AbortSignal;
  /** The body of a response below 300. Answers `none` when it wants no more: the socket is then closed. */
  readonly consume: (bytes: Uint8Array, atNs: number, sharesStamp: boolean) => Appetite;
}

/** Never rejects. */
export function exchange(request: HttpRequest, options: ExchangeOptions): Promise<ExchangeResult> {
  return new Promise((resolve) => {
    new Exchange(options, resolve).start(request);
  });
}

const NO_HEADERS: Readonly<Record<string, string>> = {};

class Exchange implements ResponseSink {
  readonly #options: ExchangeOptions;
  readonly #resolve: (result: ExchangeResult) => void;
  readonly #errorPieces: Buffer[] = [];
  #errorBytes = 0;
  #inFlight: InFlight | undefined;
  #watchdog: Timer | undefined;
  #unpacker: BodyUnpacker | undefined;
  #startedNs = 0;
  #lastActivityNs = 0;
  #sentNs: number | undefined;
  #firstByteNs: number | undefined;
  #bodyEndedNs: number | undefined;
  /** The read that brought the closing event. */
  #closedNs: number | undefined;
  #status: number | undefined;
  #headers = NO_HEADERS;
  #done = false;

  constructor(options: ExchangeOptions, resolve: (result: ExchangeResult) => void) {
    this.#options = options;
    this.#resolve = resolve;
  }

  start(request: HttpRequest): void {
    const { signal, clock, transport } = this.#options;
    this.#startedNs = clock.nowNs();
    this.#lastActivityNs = this.#startedNs;
    if (signal?.aborted === true) {
      this.#cancel();
      return;
    }
    signal?.addEventListener("abort", this.#cancel, { once: true });
    this.#inFlight = transport.send(request, this);
    this.#watch();
  }

  onSent(atNs: number): void {
    this.#sentNs = atNs;
    this.#lastActivityNs = atNs;
  }

  onHeaders(status: number, headers: Readonly<Record<string, string>>, atNs: number): void {
    if (this.#done) return;
    this.#status = status;
    this.#headers = headers;
    this.#lastActivityNs = atNs;
    if (status >= 300 && status < 400) {
      const target = withoutUserInfo(headers["location"]);
      this.#fail("REDIRECT_REFUSED", `HTTP ${status}: the server redirects to ${target}`);
      return;
    }
    const encoding = headers["content-encoding"]?.trim().toLowerCase() ?? "identity";
    if (encoding === "identity" || encoding === "") return;
    this.#unpacker = BodyUnpacker.for(encoding, {
      push: (bytes, readNs, sharesStamp) => this.#accept(bytes, readNs, sharesStamp),
      end: (error) => this.#unpacked(error),
    });
    if (this.#unpacker === undefined)
      this.#fail("STREAM_MALFORMED", `the body has an unknown content-encoding "${encoding}"`);
  }

  onData(bytes: Uint8Array, atNs: number, sharesStamp: boolean): void {
    if (this.#done) return;
    this.#firstByteNs ??= atNs;
    this.#lastActivityNs = atNs;
    if (this.#unpacker === undefined) this.#accept(bytes, atNs, sharesStamp);
    else this.#unpacker.write(bytes, atNs);
  }

  onEnd(atNs: number): void {
    if (this.#done) return;
    this.#bodyEndedNs = atNs;
    if (this.#unpacker === undefined) this.#complete();
    else this.#unpacker.end();
  }

  onError(error: Error, atNs: number): void {
    const failure = connectionFailure(error, this.#options.url);
    this.#finish({ kind: "failed", ...failure }, atNs);
  }

  readonly #cancel = (): void => {
    const reason: unknown = this.#options.signal?.reason;
    this.#finish({ kind: "cancelled", reason: messageOf(reason) });
  };

  #accept(bytes: Uint8Array, atNs: number, sharesStamp: boolean): void {
    if (this.#done) return;
    if (this.#status === undefined || this.#status < 300) {
      const appetite = this.#options.consume(bytes, atNs, sharesStamp);
      if (appetite === "none") this.#finish({ kind: "stopped" }, atNs);
      else if (appetite === "last") this.#expectEnd(atNs);
      return;
    }
    const room = MAX_ERROR_BODY_BYTES - this.#errorBytes;
    this.#errorPieces.push(Buffer.from(bytes.subarray(0, room)));
    this.#errorBytes += bytes.length;
    if (this.#errorBytes >= MAX_ERROR_BODY_BYTES) this.#complete();
  }

  #expectEnd(atNs: number): void {
    if (this.#closedNs !== undefined) return;
    this.#closedNs = atNs;
    this.#watchdog?.cancel();
    const { clock } = this.#options;
    this.#watchdog = clock.timerAt(clock.nowNs() + msToNs(CLOSING_GRACE_MS), () =>
      this.#finish({ kind: "complete" }, atNs),
    );
  }

  #unpacked(error: Error | undefined): void {
    if (error === undefined) this.#complete();
    else this.#fail("STREAM_MALFORMED", `the compressed body cannot be unpacked: ${error.message}`);
  }

  #complete(): void {
    const status = this.#status;
    const errorBody = Buffer.concat(this.#errorPieces).toString("utf8");
    const rejected = status !== undefined && status >= 300;
    this.#finish(
      rejected ? { kind: "rejected", status, errorBody } : { kind: "complete" },
      this.#bodyEndedNs,
    );
  }

  #fail(code: ErrorCode, message: string): void {
    this.#finish({ kind: "failed", code, message });
  }

  /** One timer for both limits, set again only when it fires: a chunk costs no timer. */
  #watch(): void {
    if (this.#done) return;
    const { clock, gapMs, totalMs } = this.#options;
    const gapEndNs = this.#lastActivityNs + msToNs(gapMs);
    const totalEndNs = this.#startedNs + msToNs(totalMs);
    const nowNs = clock.nowNs();
    if (nowNs >= totalEndNs) this.#fail("REQUEST_TIMEOUT", `the request did not end within ${totalMs} ms`);
    else if (nowNs >= gapEndNs)
      this.#fail(
        "STREAM_STALLED",
        this.#firstByteNs === undefined
          ? `no byte of an answer arrived within ${gapMs} ms`
          : `the stream fell silent for ${gapMs} ms`,
      );
    else this.#watchdog = clock.timerAt(Math.min(gapEndNs, totalEndNs), () => this.#watch());
  }

  #finish(ending: Ending, endNs: number = this.#options.clock.nowNs()): void {
    if (this.#done) return;
    if (this.#closedNs !== undefined && (ending.kind === "failed" || ending.kind === "cancelled")) {
      // However the connection goes after the closing event, the answer was whole by then.
      this.#finish({ kind: "complete" }, this.#closedNs);
      return;
    }
    this.#done = true;
    this.#watchdog?.cancel();
    this.#options.signal?.removeEventListener("abort", this.#cancel);
    this.#unpacker?.destroy();
    if (this.#bodyEndedNs === undefined) this.#inFlight?.abort();
    this.#resolve({
      ...(this.#sentNs !== undefined && { sentNs: this.#sentNs }),
      ...(this.#firstByteNs !== undefined && { firstByteNs: this.#firstByteNs }),
      endNs,
      ...(this.#status !== undefined && { status: this.#status }),
      headers: this.#headers,
      ending,
    });
  }
}

/** A redirect's target may carry a secret in its user information or query. */
function withoutUserInfo(location: string | undefined): string {
  if (location === undefined) return "nowhere";
  if (!URL.canParse(location)) return location.split("?")[0] ?? location;
  const url = new URL(location);
  return `${url.protocol}//${url.host}${url.pathname}`;
}
