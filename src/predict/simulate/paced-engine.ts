/**
 * Drives the simulator along a clock. Deadlines are absolute: a step begins when the last one
 * ended in the model, not when a timer happened to fire, so lateness of the process delays single
 * tokens and never adds up.
 */
import type { Clock, Timer } from "../../core/clock.ts";
import type { Admission, RequestTimings, SimulatedRequest, Step, StepOutcome } from "./simulated-request.ts";
import type { SlotEngine } from "./slot-engine.ts";

export interface TokenListener {
  /** One more token; `timings` are those of the model, and the clock may be a little later. */
  onToken(timings: RequestTimings, isLast: boolean): void;
  /** The cache that all slots share is full; nothing more comes. Only with `poolTokens`. */
  onAborted?(): void;
}

export class PacedEngine {
  readonly engine: SlotEngine;
  readonly #clock: Clock;
  readonly #listeners = new Map<string, TokenListener>();
  #step: Step | undefined;
  #timer: Timer | undefined;
  #advancing = false;
  #stopped = false;

  constructor(engine: SlotEngine, clock: Clock) {
    this.engine = engine;
    this.#clock = clock;
  }

  /** No token comes before this has returned. */
  submit(request: SimulatedRequest, listener: TokenListener): Admission {
    const nowNs = this.#clock.nowNs();
    const admission = this.engine.submit(request, nowNs);
    if (admission.kind === "refused") return admission;
    this.#listeners.set(request.id, listener);
    if (this.#timer === undefined && !this.#advancing && !this.#stopped) this.#wakeAt(nowNs, true);
    return admission;
  }

  /** No token comes after this. */
  cancel(id: string): void {
    this.#listeners.delete(id);
    this.engine.cancel(id);
  }

  /** Stops for good; nothing is called back any more. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#listeners.clear();
    this.#stopped = true;
  }

  #wakeAt(atNs: number, instantIsOver: boolean): void {
    this.#timer = this.#clock.timerAt(atNs, () => {
      this.#timer = undefined;
      this.#advancing = true;
      const wakeNs = this.#catchUp(instantIsOver);
      this.#advancing = false;
      if (wakeNs !== undefined && !this.#stopped) this.#wakeAt(wakeNs, this.#step === undefined);
    });
  }

  /**
   * Does everything that is due and returns when there is more; undefined when nothing is left. A
   * step that begins at this very instant waits until `instantIsOver`, one turn of the loop later,
   * so that everything submitted at the instant is in it.
   */
  #catchUp(instantIsOver: boolean): number | undefined {
    let mayStartNow = instantIsOver;
    for (;;) {
      const nowNs = this.#clock.nowNs();
      if (this.#step === undefined) {
        const startNs = this.engine.nextStartNs();
        if (startNs === undefined) return undefined;
        if (startNs > nowNs || (startNs === nowNs && !mayStartNow)) return startNs;
        this.#step = this.engine.beginStep(startNs);
      }
      if (this.#step.endNs > nowNs) return this.#step.endNs;
      this.#step = undefined;
      this.#deliver(this.engine.completeStep());
      mayStartNow = false;
    }
  }

  #deliver(outcome: StepOutcome): void {
    for (const { id } of outcome.aborted) {
      const listener = this.#listeners.get(id);
      this.#listeners.delete(id);
      listener?.onAborted?.();
    }
    for (const { id, timings, isLast } of outcome.emissions) {
      const listener = this.#listeners.get(id);
      if (isLast) this.#listeners.delete(id);
      listener?.onToken(timings, isLast);
    }
  }
}
