/** Which step a transaction is at, how long each took, and how much of it was our own doing. */
import type { Clock } from "../core/clock.ts";
import { nsToMs } from "../core/units.ts";
import type { ControlProgress, SwitchReport } from "./control/protocol.ts";
import type { Journal } from "./journal.ts";

export class StepRecorder {
  readonly #clock: Clock;
  readonly #onProgress: (progress: ControlProgress) => void;
  readonly #startedNs: number;
  readonly #steps: { step: string; preset?: string; tookMs: number }[] = [];
  #current = "plan";
  #enginesNs = 0;
  #isWaiting = false;
  /** Notes made while engines are waited for; all others lie in our own time anyhow. */
  #notesNs = 0;

  constructor(clock: Clock, onProgress: (progress: ControlProgress) => void) {
    this.#clock = clock;
    this.#onProgress = onProgress;
    this.#startedNs = clock.nowNs();
  }

  get current(): string {
    return this.#current;
  }

  get steps(): SwitchReport["steps"] {
    return this.#steps;
  }

  /**
   * From the first step until now: the whole, and of it everything but the waits for engines, which
   * is the price of having a supervisor.
   */
  get times(): Pick<SwitchReport, "tookMs" | "overheadMs"> {
    const tookNs = this.#clock.nowNs() - this.#startedNs;
    return { tookMs: nsToMs(tookNs), overheadMs: nsToMs(tookNs - this.#enginesNs + this.#notesNs) };
  }

  /** Work of our own. */
  async own<T>(progress: ControlProgress, work: () => Promise<T> | T): Promise<T> {
    const { step, preset } = progress;
    this.#current = step;
    this.#onProgress(progress);
    const startedNs = this.#clock.nowNs();
    try {
      return await work();
    } finally {
      const tookMs = nsToMs(this.#clock.nowNs() - startedNs);
      this.#steps.push({ step, ...(preset === undefined ? {} : { preset }), tookMs });
    }
  }

  /** Waiting for engines: starts, stops, drains, and memory that comes back. */
  async engines<T>(progress: ControlProgress, work: () => Promise<T>): Promise<T> {
    return this.own(progress, async () => {
      const startedNs = this.#clock.nowNs();
      this.#isWaiting = true;
      try {
        return await work();
      } finally {
        this.#isWaiting = false;
        this.#enginesNs += this.#clock.nowNs() - startedNs;
      }
    });
  }

  /** Notes made while engines are waited for are ours all the same. */
  timed(journal: Journal): Journal {
    return {
      ...journal,
      append: (record) => {
        const startedNs = this.#clock.nowNs();
        try {
          journal.append(record);
        } finally {
          if (this.#isWaiting) this.#notesNs += this.#clock.nowNs() - startedNs;
        }
      },
    };
  }
}
