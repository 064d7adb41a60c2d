/**
 * What runs at one moment: a heap of ends, so that a trace in which everything overlaps costs n log n.
 * One that runs alone, which is nearly every kernel of nearly every trace, is kept beside the heap.
 */
export class RunningKernels {
  #aloneEndNs = Number.NEGATIVE_INFINITY;
  #aloneStream = 0;
  /** A binary heap by end; the stream of each beside it. */
  readonly #ends: number[] = [];
  readonly #streams: number[] = [];
  readonly #perStream = new Map<number, number>();

  /** Of those in the heap: what runs alone needs no counting. */
  get kernels(): number {
    return this.#ends.length;
  }

  /** Streams with at least one of them. */
  get streams(): number {
    return this.#perStream.size;
  }

  /** Nothing else runs any more. */
  startAlone(endNs: number, stream: number): void {
    if (this.#ends.length > 0) {
      this.#ends.length = 0;
      this.#streams.length = 0;
      this.#perStream.clear();
    }
    this.#aloneEndNs = endNs;
    this.#aloneStream = stream;
  }

  /** What has ended by now is taken out first: an end comes before a start of the same stamp. */
  start(startNs: number, endNs: number, stream: number): void {
    if (this.#aloneEndNs > startNs) this.#add(this.#aloneEndNs, this.#aloneStream);
    this.#aloneEndNs = Number.NEGATIVE_INFINITY;
    while (this.#ends.length > 0 && (this.#ends[0] as number) <= startNs) this.#takeFirst();
    this.#add(endNs, stream);
  }

  #add(endNs: number, stream: number): void {
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
