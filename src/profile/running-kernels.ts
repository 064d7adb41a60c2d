/** What runs at one moment: a heap of ends, so that a trace in which everything overlaps costs n log n. */
export class RunningKernels {
  /** A binary heap by end; the stream of each beside it. */
  readonly #ends: number[] = [];
  readonly #streams: number[] = [];
  readonly #perStream = new Map<number, number>();

  get kernels(): number {
    return this.#ends.length;
  }

  /** Streams with at least one of them. */
  get streams(): number {
    return this.#perStream.size;
  }

  add(endNs: number, stream: number): void {
    this.#perStream.set(stream, (this.#perStream.get(stream) ?? 0) + 1);
    let place = this.#ends.length;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if ((this.#ends[above] as number) <= endNs) break;
      this.#put(place, above);
      place = above;
    }
    this.#ends[place] = endNs;
    this.#streams[place] = stream;
  }

  /** Takes out what has ended at this time: an end comes before a start of the same stamp. */
  endUntil(timeNs: number): void {
    while (this.#ends.length > 0 && (this.#ends[0] as number) <= timeNs) this.#takeFirst();
  }

  #takeFirst(): void {
    const stream = this.#streams[0] as number;
    const left = (this.#perStream.get(stream) as number) - 1;
    if (left === 0) this.#perStream.delete(stream);
    else this.#perStream.set(stream, left);
    const end = this.#ends.pop() as number;
    const lastStream = this.#streams.pop() as number;
    const size = this.#ends.length;
    if (size === 0) return;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= size) break;
      if (below + 1 < size && (this.#ends[below + 1] as number) < (this.#ends[below] as number)) below++;
      if ((this.#ends[below] as number) >= end) break;
      this.#put(place, below);
      place = below;
    }
    this.#ends[place] = end;
    this.#streams[place] = lastStream;
  }

  #put(to: number, from: number): void {
    this.#ends[to] = this.#ends[from] as number;
    this.#streams[to] = this.#streams[from] as number;
  }
}
