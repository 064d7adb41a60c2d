/**
 * Text of a stream, kept as the bytes inside a JSON string: an ordinary event is then one copy of
 * bytes, and escapes and UTF-8 are decoded once, at the end.
 */
const FIRST_BYTES = 1024;

export class JsonText {
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  /** The raw inside of a JSON string that was checked to be valid; see stream/line-template. */
  appendRaw(bytes: Buffer, start: number, end: number): void {
    this.#reserve(end - start);
    bytes.copy(this.#bytes, this.#length, start, end);
    this.#length += end - start;
  }

  append(text: string): void {
    // stringify escapes a lone half of a surrogate pair, which may be completed by the next event.
    const quoted = JSON.stringify(text);
    this.#reserve(3 * quoted.length);
    this.#length += this.#bytes.write(quoted.slice(1, -1), this.#length, "utf8");
  }

  /** As JSON, escapes included. */
  get bytes(): number {
    return this.#length;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  toString(): string {
    return JSON.parse(`"${this.#bytes.toString("utf8", 0, this.#length)}"`) as string;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(FIRST_BYTES, 2 * needed));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
