/**
 * Time is a parameter. Nothing outside this file reads a clock or sets a timer, so a whole
 * benchmark can run under the virtual clock, and real stamps all come from one monotonic source.
 */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /**
   * CLOCK_MONOTONIC in integer nanoseconds. Comparable between processes of one host.
   * A double holds integers up to 2^53 ns, which is 104 days of uptime; see {@link realClock}.
   */
  nowNs(): number;
  /** Wall time as ISO 8601, for labels only: it never enters a duration. */
  wallIso(): string;
  /** Calls back once, not before `atNs`. A time in the past fires on the next turn of the loop. */
  timerAt(atNs: number, callback: () => void): Timer;
  /** Resolves not before `atNs`; rejects with the signal's reason when aborted. */
  sleepUntil(atNs: number, signal?: AbortSignal): Promise<void>;
}

/** Longest single `setTimeout`: above 2^31 − 1 ms Node fires at once, so longer waits are chained. */
const LONGEST_TIMEOUT_MS = 2_000_000_000;
const NS_PER_MS = 1_000_000;
const NS_PER_S = 1_000_000_000;

function sleepWith(clock: Pick<Clock, "timerAt">, atNs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(asError(signal.reason));
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(asError(signal?.reason));
    };
    const timer = clock.timerAt(atNs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(typeof reason === "string" ? reason : "aborted");
}

class RealClock implements Clock {
  nowNs(): number {
    // The pair is cheaper than the BigInt (35 against 46 ns) and as exact: the sum stays below 2^53.
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * NS_PER_S + nanoseconds;
  }

  wallIso(): string {
    return new Date().toISOString();
  }

  timerAt(atNs: number, callback: () => void): Timer {
    let handle: NodeJS.Timeout | undefined;
    const arm = (): void => {
      const waitMs = (atNs - this.nowNs()) / NS_PER_MS;
      // Node may fire up to 1 ms early, and timers promise "not before": re-arm for the rest.
      handle = setTimeout(
        () => (this.nowNs() >= atNs ? callback() : arm()),
        Math.min(Math.max(waitMs, 0), LONGEST_TIMEOUT_MS),
      );
    };
    arm();
    return { cancel: () => clearTimeout(handle) };
  }

  sleepUntil(atNs: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(this, atNs, signal);
  }
}

export const realClock: Clock = new RealClock();

interface Waiting {
  readonly atNs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that moves only when told to. Timers fire in order of time, then of creation. */
export class VirtualClock implements Clock {
  #nowNs: number;
  #order = 0;
  readonly #waiting: Waiting[] = [];

  constructor(startNs = 0) {
    this.#nowNs = startNs;
  }

  nowNs(): number {
    return this.#nowNs;
  }

  wallIso(): string {
    return new Date(Math.floor(this.#nowNs / NS_PER_MS)).toISOString();
  }

  timerAt(atNs: number, callback: () => void): Timer {
    const entry: Waiting = { atNs, order: this.#order++, callback };
    this.#waiting.push(entry);
    return {
      cancel: () => {
        const index = this.#waiting.indexOf(entry);
        if (index >= 0) this.#waiting.splice(index, 1);
      },
    };
  }

  sleepUntil(atNs: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(this, atNs, signal);
  }

  /** Fires the earliest timer, moving the clock to it. Returns false when none waits. */
  fireNext(): boolean {
    let first: Waiting | undefined;
    for (const entry of this.#waiting) {
      if (
        first === undefined ||
        entry.atNs < first.atNs ||
        (entry.atNs === first.atNs && entry.order < first.order)
      )
        first = entry;
    }
    if (first === undefined) return false;
    this.#waiting.splice(this.#waiting.indexOf(first), 1);
    this.#nowNs = Math.max(this.#nowNs, first.atNs);
    first.callback();
    return true;
  }

  /** Moves to `atNs`, firing everything due on the way and letting promises settle in between. */
  async advanceTo(atNs: number): Promise<void> {
    await settle();
    for (;;) {
      const due = this.#waiting.some((entry) => entry.atNs <= atNs);
      if (!due) break;
      this.fireNext();
      await settle();
    }
    this.#nowNs = Math.max(this.#nowNs, atNs);
  }

  /**
   * Fires timer after timer until `done` settles; the usual way to run a whole trial virtually.
   * Where `done` waits for something real, such as a file, time stands still meanwhile.
   */
  async runUntil<T>(done: Promise<T>): Promise<T> {
    let finished = false;
    const watched = done.finally(() => {
      finished = true;
    });
    watched.catch(() => undefined);
    await settle();
    while (!finished) {
      this.fireNext();
      await settle();
    }
    return watched;
  }
}

/**
 * Calls back on the next turn of the event loop, once every socket that is ready now has been read.
 * It waits for no time, so it is the same under every clock.
 */
export function onNextTurn(callback: () => void): void {
  setImmediate(callback);
}

/** Lets every promise reaction and immediate that is already queued run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
