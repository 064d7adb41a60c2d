/** What happens when: a binary heap by time, then rank, then order of arrival, so that every run is the same. */

export interface QueuedEvent {
  readonly atNs: number;
  /** At one instant the lower rank comes first. */
  readonly rank: number;
}

interface Entry<E> {
  readonly event: E;
  readonly order: number;
}

export class EventQueue<E extends QueuedEvent> {
  readonly #heap: Entry<E>[] = [];
  #order = 0;

  push(event: E): void {
    const heap = this.#heap;
    const entry = { event, order: this.#order++ };
    let place = heap.length;
    heap.push(entry);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent] as Entry<E>;
      if (!isBefore(entry, above)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = entry;
  }

  pop(): E | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first?.event;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry<E>, heap[child] as Entry<E>)) child++;
      if (!isBefore(heap[child] as Entry<E>, last)) break;
      heap[place] = heap[child] as Entry<E>;
      place = child;
    }
    heap[place] = last;
    return first.event;
  }
}

function isBefore(a: Entry<QueuedEvent>, b: Entry<QueuedEvent>): boolean {
  if (a.event.atNs !== b.event.atNs) return a.event.atNs < b.event.atNs;
  if (a.event.rank !== b.event.rank) return a.event.rank < b.event.rank;
  return a.order < b.order;
}
