/**
 * A file that only grows, one whole line at a time. The bytes of a line are handed to the kernel
 * in one write when the thing happens, so killing the process loses nothing that was written.
 */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync } from "node:fs";
import { assert } from "../core/assert.ts";
import { fileError, writeFully } from "../core/file.ts";
import { MAX_RECORD_LINE_BYTES } from "../core/limits.ts";

const NEWLINE = 0x0a;

export class LineFile {
  readonly path: string;
  /** What was cut off at the end when the file was opened: a line whose writer died in the middle. */
  readonly tornBytes: number;
  readonly #descriptor: number;
  readonly #durable: boolean;
  #sizeBytes: number;
  #torn = false;

  /** Opens or creates. `durable` waits for the disk after every line. Throws as {@link fileError}. */
  constructor(path: string, durable: boolean) {
    this.path = path;
    this.#durable = durable;
    try {
      this.#descriptor = openSync(path, "a+");
    } catch (thrown) {
      throw fileError(thrown, path);
    }
    try {
      const foundBytes = fstatSync(this.#descriptor).size;
      this.#sizeBytes = this.#mendEnd(foundBytes);
      this.tornBytes = Math.max(0, foundBytes - this.#sizeBytes);
    } catch (thrown) {
      closeSync(this.#descriptor);
      throw fileError(thrown, path);
    }
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** On disk, or at least in the kernel, when it returns. Throws DISK_FULL and the like. */
  append(record: unknown): void {
    const bytes = Buffer.from(`${JSON.stringify(record)}\n`);
    assert(bytes.length <= MAX_RECORD_LINE_BYTES, `a line of ${bytes.length} bytes for ${this.path}`);
    try {
      if (this.#torn) this.#takeBack();
      this.#torn = true;
      writeFully(this.#descriptor, bytes);
      this.#torn = false;
      this.#sizeBytes += bytes.length;
      if (this.#durable) fsyncSync(this.#descriptor);
    } catch (thrown) {
      if (this.#torn) this.#tryTakeBack();
      throw fileError(thrown, this.path);
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** A full disk stops a write half-way. Shrinking needs no space, so the half line can go. */
  #takeBack(): void {
    ftruncateSync(this.#descriptor, this.#sizeBytes);
    this.#torn = false;
  }

  #tryTakeBack(): void {
    try {
      this.#takeBack();
    } catch {
      // The half line stays for now; the next append tries again before it writes, and readers tolerate it.
    }
  }

  /**
   * Returns the size after mending. A last line without its newline is completed when it is whole
   * JSON (only the newline was cut off) and removed when it is not: a later line must not be glued to it.
   */
  #mendEnd(foundBytes: number): number {
    const tail = this.#tailAfterLastNewline(foundBytes);
    if (tail.length === 0) return foundBytes;
    if (isWholeJson(tail)) {
      writeFully(this.#descriptor, Buffer.from("\n"));
      return foundBytes + 1;
    }
    ftruncateSync(this.#descriptor, foundBytes - tail.length);
    return foundBytes - tail.length;
  }

  #tailAfterLastNewline(sizeBytes: number): Buffer {
    const from = Math.max(0, sizeBytes - MAX_RECORD_LINE_BYTES);
    const tail = Buffer.alloc(sizeBytes - from);
    let filled = 0;
    while (filled < tail.length) {
      const count = readSync(this.#descriptor, tail, filled, tail.length - filled, from + filled);
      if (count === 0) break;
      filled += count;
    }
    return tail.subarray(tail.lastIndexOf(NEWLINE) + 1);
  }
}

function isWholeJson(bytes: Buffer): boolean {
  try {
    return typeof JSON.parse(bytes.toString("utf8")) === "object";
  } catch {
    return false;
  }
}
