import type { Clock } from "../../core/clock.ts";

/**
 * How long at least one of several overlapping things was going on. A sum of their durations would
 * exceed the wall as soon as an agent sends two requests at once.
 */
export class BusyTime {
  readonly #clock: Clock;
  #active = 0;
  #sinceNs = 0;
  #totalNs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(): void {
    if (this.#active++ === 0) this.#sinceNs = this.#clock.nowNs();
  }

  end(): void {
    if (--this.#active === 0) this.#totalNs += this.#clock.nowNs() - this.#sinceNs;
  }

  totalNs(): number {
    return this.#totalNs + (this.#active === 0 ? 0 : this.#clock.nowNs() - this.#sinceNs);
  }
}
