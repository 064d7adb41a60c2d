/**
 * What happens when: a binary heap by time, then rank, then place, so that the order of one instant
 * follows from what happens there and not from who was noted first.
 */

export interface QueuedEvent {
  readonly atNs: number;
  /** At one instant the lower rank comes first. */
  readonly rank: number;
  /** Whom it happens to; the lower number first. */
  readonly place: number;
}

export class EventQueue<E extends QueuedEvent> {
  readonly #heap: E[] = [];

  push(event: E): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push(event);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent] as E;
      if (!isBefore(event, above)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = event;
  }

  pop(): E | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as E, heap[child] as E)) child++;
      if (!isBefore(heap[child] as E, last)) break;
      heap[place] = heap[child] as E;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}

function isBefore(a: QueuedEvent, b: QueuedEvent): boolean {
  if (a.atNs !== b.atNs) return a.atNs < b.atNs;
  if (a.rank !== b.rank) return a.rank < b.rank;
  return a.place < b.place;
}
