/**
 * At most `limit` requests of an endpoint under way at once; the rest wait here, in order of
 * arrival, and the wait is part of their record: it is the client's queue, not the server's.
 */
export class InFlightLimit {
  readonly #limit: number;
  #inFlight = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
  }

  /** A place without waiting, where one is free. The returned function gives it back. */
  tryAcquire(): (() => void) | undefined {
    if (this.#inFlight >= this.#limit) return undefined;
    this.#inFlight++;
    return this.#place();
  }

  /** Resolves when a place is free; rejects with the signal's reason when aborted before. */
  async acquire(signal?: AbortSignal): Promise<() => void> {
    const free = this.tryAcquire();
    if (free !== undefined) return free;
    await this.#turn(signal);
    return this.#place();
  }

  #place(): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = this.#waiting.shift();
      // The place goes straight to the next in line, so that nobody can slip in between.
      if (next === undefined) this.#inFlight--;
      else next();
    };
  }

  #turn(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onTurn = (): void => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      const onAbort = (): void => {
        const index = this.#waiting.indexOf(onTurn);
        if (index >= 0) this.#waiting.splice(index, 1);
        reject(signal?.reason instanceof Error ? signal.reason : new Error("aborted"));
      };
      if (signal?.aborted === true) {
        onAbort();
        return;
      }
      this.#waiting.push(onTurn);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}
