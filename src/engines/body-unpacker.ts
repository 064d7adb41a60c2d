/**
 * Bodies that a server or a proxy compressed although `identity` was asked for. zlib works through
 * its writes in order on another thread, so what comes out carries the stamp of the oldest write
 * that it has not called back about.
 */
import type { Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";

export interface UnpackedSink {
  push(bytes: Buffer, atNs: number, sharesStamp: boolean): void;
  /** Everything that was written has been pushed; an error when the body was no valid archive. */
  end(error: Error | undefined): void;
}

export class BodyUnpacker {
  readonly #transform: Transform;
  readonly #sink: UnpackedSink;
  readonly #unread: number[] = [];
  #atNs = 0;
  #lastPushedNs: number | undefined;
  #done = false;

  /** `undefined` for an encoding that Node cannot undo. */
  static for(encoding: string, sink: UnpackedSink): BodyUnpacker | undefined {
    const transform = transformFor(encoding);
    return transform === undefined ? undefined : new BodyUnpacker(transform, sink);
  }

  private constructor(transform: Transform, sink: UnpackedSink) {
    this.#transform = transform;
    this.#sink = sink;
    transform.on("data", (bytes: Buffer) => {
      sink.push(bytes, this.#atNs, this.#lastPushedNs === this.#atNs);
      this.#lastPushedNs = this.#atNs;
    });
    transform.once("end", () => this.#finish(undefined));
    transform.once("error", (error) => this.#finish(error));
  }

  write(bytes: Uint8Array, atNs: number): void {
    if (this.#done) return;
    this.#unread.push(atNs);
    this.#atNs = this.#unread[0] ?? atNs;
    // A copy: zlib reads the bytes later, when the socket's buffer may have moved on.
    this.#transform.write(Buffer.from(bytes), () => {
      this.#unread.shift();
      this.#atNs = this.#unread[0] ?? this.#atNs;
    });
  }

  /** The body is whole. */
  end(): void {
    if (!this.#done) this.#transform.end();
  }

  /** The body broke or is not wanted any more: the sink hears nothing further. */
  destroy(): void {
    this.#done = true;
    this.#transform.removeAllListeners("data");
    this.#transform.destroy();
  }

  #finish(error: Error | undefined): void {
    if (this.#done) return;
    this.#done = true;
    this.#sink.end(error);
  }
}

function transformFor(encoding: string): Transform | undefined {
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    default:
      return undefined;
  }
}
