/** A binary heap by due time: which stream writes next, whatever their rates. */
export interface Due {
  dueNs: number;
}

export class DueQueue<T extends Due> {
  readonly #heap: T[] = [];

  get first(): T | undefined {
    return this.#heap[0];
  }

  push(item: T): void {
    this.#heap.push(item);
    let at = this.#heap.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#at(parent).dueNs <= item.dueNs) break;
      this.#heap[at] = this.#at(parent);
      at = parent;
    }
    this.#heap[at] = item;
  }

  /** Call after the first item's `dueNs` has grown. */
  firstMoved(): void {
    const item = this.#at(0);
    const length = this.#heap.length;
    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      if (child + 1 < length && this.#at(child + 1).dueNs < this.#at(child).dueNs) child++;
      if (this.#at(child).dueNs >= item.dueNs) break;
      this.#heap[at] = this.#at(child);
      at = child;
    }
    this.#heap[at] = item;
  }

  removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.firstMoved();
  }

  #at(index: number): T {
    return this.#heap[index] as T;
  }
}
