/**
 * Reads a file from its beginning through one window of fixed size, so that a header of any length
 * takes the memory of the window. What is skipped beyond the window is not read at all.
 */
import { readSync } from "node:fs";
import { malformedGguf } from "./gguf-error.ts";

/** Large enough that a header of 70 MB takes about a hundred reads; small beside everything else in memory. */
const WINDOW_BYTES = 512 * 1024;

export class ByteCursor {
  readonly #descriptor: number;
  readonly #path: string;
  readonly fileBytes: number;
  readonly #window = Buffer.allocUnsafe(WINDOW_BYTES);
  /** Offset in the file of the window's first byte, and how many bytes of it are filled. */
  #windowStart = 0;
  #filled = 0;
  /** Inside the window; may lie beyond what is filled after a skip. */
  #at = 0;

  constructor(descriptor: number, path: string, fileBytes: number) {
    this.#descriptor = descriptor;
    this.#path = path;
    this.fileBytes = fileBytes;
  }

  get position(): number {
    return this.#windowStart + this.#at;
  }

  get remainingBytes(): number {
    return this.fileBytes - this.position;
  }

  u8(): number {
    return this.#window.readUInt8(this.#take(1));
  }

  u32(): number {
    return this.#window.readUInt32LE(this.#take(4));
  }

  /** An unsigned 64-bit integer; beyond 2^53 the nearest double, which every count here refuses anyway. */
  u64(): number {
    const at = this.#take(8);
    return this.#window.readUInt32LE(at) + this.#window.readUInt32LE(at + 4) * 2 ** 32;
  }

  i64(): number {
    return Number(this.#window.readBigInt64LE(this.#take(8)));
  }

  i8(): number {
    return this.#window.readInt8(this.#take(1));
  }

  u16(): number {
    return this.#window.readUInt16LE(this.#take(2));
  }

  i16(): number {
    return this.#window.readInt16LE(this.#take(2));
  }

  i32(): number {
    return this.#window.readInt32LE(this.#take(4));
  }

  f32(): number {
    return this.#window.readFloatLE(this.#take(4));
  }

  f64(): number {
    return this.#window.readDoubleLE(this.#take(8));
  }

  /** At most a window's worth; the caller holds the length against its own limit first. */
  text(bytes: number): string {
    const at = this.#take(bytes);
    return this.#window.toString("utf8", at, at + bytes);
  }

  skip(bytes: number): void {
    if (bytes > this.remainingBytes) throw this.#truncated(bytes);
    this.#at += bytes;
  }

  /** Skips strings, each behind its length; the loop of a header's time is here. */
  skipStrings(count: number): void {
    for (let index = 0; index < count; index++) this.skip(this.u64());
  }

  /** Makes so many bytes available and steps over them; where they begin in the window. */
  #take(bytes: number): number {
    if (this.#at + bytes > this.#filled) this.#refill(bytes);
    const at = this.#at;
    this.#at += bytes;
    return at;
  }

  #refill(bytes: number): void {
    if (bytes > this.remainingBytes) throw this.#truncated(bytes);
    this.#windowStart += this.#at;
    this.#at = 0;
    this.#filled = 0;
    while (this.#filled < bytes) {
      const read = readSync(
        this.#descriptor,
        this.#window,
        this.#filled,
        WINDOW_BYTES - this.#filled,
        this.#windowStart + this.#filled,
      );
      // The file was longer when it was opened: somebody cuts or rewrites it now.
      if (read === 0) throw this.#truncated(bytes);
      this.#filled += read;
    }
  }

  #truncated(bytes: number): Error {
    return malformedGguf(
      this.#path,
      `it ends at byte ${this.fileBytes} within its header, where ${bytes} bytes more are needed at ${this.position}`,
      this.fileBytes,
    );
  }
}
