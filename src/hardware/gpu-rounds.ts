import type { GpuReading } from "./facts.ts";

export interface GpuRound {
  /** When the round's first row arrived. */
  readonly atNs: number;
  readonly gpus: readonly GpuReading[];
}

/**
 * Groups rows into rounds of all cards. nvidia-smi stamps each card apart, a few milliseconds
 * after the other, so equal stamps cannot be relied on; the index starting over is what ends a
 * round. Once a round's size is known its last row completes it, and no round waits for the next.
 */
export class GpuRounds {
  #size: number | undefined;
  #lastIndex = -1;
  /** The open round is the rest of one that was already given out, so its size teaches nothing. */
  #continued = false;
  #atNs = 0;
  #gpus: GpuReading[] = [];

  /** Returns the rounds that this reading completes: two when one was cut short and this alone is the next. */
  push(atNs: number, reading: GpuReading): readonly GpuRound[] {
    const complete: GpuRound[] = [];
    if (reading.index <= this.#lastIndex) {
      if (this.#gpus.length > 0) {
        this.#size = this.#continued ? undefined : this.#gpus.length;
        complete.push(this.#take());
      }
      this.#continued = false;
    } else if (this.#gpus.length === 0 && this.#lastIndex >= 0) {
      // A card beyond the last one of a round thought complete: a card came back, count anew.
      this.#size = undefined;
      this.#continued = true;
    }
    if (this.#gpus.length === 0) this.#atNs = atNs;
    this.#gpus.push(reading);
    this.#lastIndex = reading.index;
    if (this.#gpus.length === this.#size) complete.push(this.#take());
    return complete;
  }

  /** What is left when the stream ends. */
  flush(): readonly GpuRound[] {
    return this.#gpus.length === 0 ? [] : [this.#take()];
  }

  #take(): GpuRound {
    const round = { atNs: this.#atNs, gpus: this.#gpus };
    this.#gpus = [];
    return round;
  }
}
