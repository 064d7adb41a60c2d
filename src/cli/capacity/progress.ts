/** A sweep takes minutes to hours: each step on a line of its own, with what is left by what steps took so far. */
import type { Clock } from "../../core/clock.ts";
import { formatDurationMs, nsToMs } from "../../core/units.ts";
import type { SweepProgress } from "../../experiment/sweep.ts";
import { startSentence } from "./view.ts";

export class SweepTeller {
  readonly #clock: Clock;
  readonly #err: (text: string) => void;
  readonly #durationMs: number;
  #startedNs: number | undefined;
  #starts = 0;
  #startMs = 0;
  #trial = "";

  constructor(io: { readonly clock: Clock; err(text: string): void }, durationMs: number) {
    this.#clock = io.clock;
    this.#err = (text) => io.err(text);
    this.#durationMs = durationMs;
  }

  readonly tell = (progress: SweepProgress): void => {
    switch (progress.kind) {
      case "start":
        this.#startedNs = this.#clock.nowNs();
        return;
      case "started":
        if (this.#startedNs !== undefined) {
          this.#starts++;
          this.#startMs += nsToMs(this.#clock.nowNs() - this.#startedNs);
          this.#startedNs = undefined;
        }
        return this.#err(`${this.#trial}${startSentence(progress.record)}\n`);
      case "trial": {
        const { index, total } = progress;
        this.#trial = `[${index + 1}/${total}, about ${formatDurationMs(this.leftMs(total - index))} left] `;
        return;
      }
      case "trial-end": {
        const failed = progress.failures === 0 ? "" : `, ${progress.failures} of them FAILED`;
        return this.#err(`    ${progress.cell}: ${progress.requests} turns${failed}\n`);
      }
      case "trouble":
        return this.#err(`    ${progress.message}\n`);
    }
  };

  /** Until so many trials are done, each on a server of its own. */
  leftMs(trials: number): number {
    const startMs = this.#starts === 0 ? 0 : this.#startMs / this.#starts;
    return trials * (startMs + this.#durationMs);
  }
}
