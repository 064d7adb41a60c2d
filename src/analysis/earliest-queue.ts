/**
 * A binary heap that gives the entry with the smallest time first, and of equal times the one with
 * the smaller rank, so that a simulation on it is the same on every run.
 */
export class EarliestQueue<T> {
  readonly #entries: { readonly time: number; readonly rank: number; readonly item: T }[] = [];

  get earliest(): number | undefined {
    return this.#entries[0]?.time;
  }

  get size(): number {
    return this.#entries.length;
  }

  add(time: number, rank: number, item: T): void {
    const entries = this.#entries;
    let place = entries.push({ time, rank, item }) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#precedes(place, parent)) return;
      this.#swap(place, parent);
      place = parent;
    }
  }

  take(): T | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (first === undefined || last === undefined) return undefined;
    if (entries.length === 0) return first.item;
    entries[0] = last;
    for (let place = 0; ; ) {
      const left = 2 * place + 1;
      let least = place;
      if (left < entries.length && this.#precedes(left, least)) least = left;
      if (left + 1 < entries.length && this.#precedes(left + 1, least)) least = left + 1;
      if (least === place) return first.item;
      this.#swap(place, least);
      place = least;
    }
  }

  #precedes(one: number, other: number): boolean {
    const a = this.#entries[one];
    const b = this.#entries[other];
    if (a === undefined || b === undefined) return false;
    return a.time < b.time || (a.time === b.time && a.rank < b.rank);
  }

  #swap(one: number, other: number): void {
    const kept = this.#entries[one];
    const moved = this.#entries[other];
    if (kept === undefined || moved === undefined) return;
    this.#entries[one] = moved;
    this.#entries[other] = kept;
  }
}
