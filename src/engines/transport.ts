/**
 * What the data plane needs of HTTP, and nothing of any protocol above it. Stamps are taken in
 * the socket's data callback, before anything looks at the bytes.
 */
import type { HttpRequest } from "./engine.ts";

export interface ResponseSink {
  /** The request's last byte was handed to the socket. */
  onSent(atNs: number): void;
  /** `headers` has lower-case names. */
  onHeaders(status: number, headers: Readonly<Record<string, string>>, atNs: number): void;
  /**
   * Body bytes (after content-decoding). They may be reused by the caller's next read: copy what must last.
   * `sharesStamp`: these bytes came out of the same socket read as the call before.
   */
  onData(bytes: Uint8Array, atNs: number, sharesStamp: boolean): void;
  /** Exactly one of `onEnd` and `onError` is called, once, last; neither after `abort`. */
  onEnd(atNs: number): void;
  onError(error: Error, atNs: number): void;
}

export interface InFlight {
  /** Closes the socket at once: the server sees the client gone. */
  abort(): void;
}

export interface Transport {
  send(request: HttpRequest, sink: ResponseSink): InFlight;
  /** Opens this many connections ahead of a barrier, so that no TCP handshake falls into a TTFT. */
  preconnect(count: number): Promise<void>;
  close(): Promise<void>;
}
