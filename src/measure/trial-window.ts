/** The set time of one trial: it begins at the barrier, and what is under way at its end is cancelled. */
import type { Clock, Timer } from "../core/clock.ts";
import { msToNs, MS_PER_S, nsToMs } from "../core/units.ts";
import { WINDOW_ENDED } from "../record/request-record.ts";
import type { Scenario } from "../workload/scenario.ts";
import { halfWidthPct } from "./stop-rule.ts";

/** How often a stop rule looks, unless told: often enough to save half of the time, seldom enough for whole turns. */
const SUB_WINDOWS = 20;

/** How a window came to its end. */
export type WindowEnd =
  | { readonly kind: "over" }
  | { readonly kind: "narrow-enough"; readonly halfWidthPct: number }
  /** No agent goes on: each has ended its turns, or its prompts do not fit. */
  | { readonly kind: "no-agent-left" };

export class TrialWindow {
  readonly #clock: Clock;
  readonly #durationNs: number;
  readonly #stop: Scenario["stop"];
  readonly #ending = new AbortController();
  readonly #tokensOfParts: number[] = [];
  #timers: readonly Timer[] = [];
  #tokens = 0;
  #openedNs = 0;
  #closed: { readonly endNs: number; readonly end: WindowEnd } | undefined;

  constructor(clock: Clock, durationMs: number, stop: Scenario["stop"]) {
    this.#clock = clock;
    this.#durationNs = msToNs(durationMs);
    this.#stop = stop;
  }

  /** Aborts when the time is over, with {@link WINDOW_ENDED} as its message. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  open(barrierNs: number): void {
    this.#openedNs = barrierNs;
    const endNs = barrierNs + this.#durationNs;
    this.#timers = [this.#clock.timerAt(endNs, () => this.#close(endNs, { kind: "over" }))];
    if (this.#stop !== undefined) this.#expectPart(this.#stop, barrierNs);
  }

  /** What is due when the time is over, or later, does not begin. */
  isOpenAt(atNs: number): boolean {
    return atNs < this.#openedNs + this.#durationNs;
  }

  /** Text arrived: events, which stand for tokens where a server sends one for each. */
  count(textEvents: number): void {
    this.#tokens += textEvents;
  }

  /** After the last agent has ended. The length of the window, ns, and how it ended. */
  settle(): { readonly windowNs: number; readonly end: WindowEnd } {
    for (const timer of this.#timers) timer.cancel();
    const { endNs, end } = this.#closed ?? {
      endNs: this.#clock.nowNs(),
      end: { kind: "no-agent-left" } as const,
    };
    return { windowNs: Math.round(endNs - this.#openedNs), end };
  }

  #expectPart(stop: NonNullable<Scenario["stop"]>, fromNs: number): void {
    const partNs = stop.subWindowMs === undefined ? this.#durationNs / SUB_WINDOWS : msToNs(stop.subWindowMs);
    const atNs = fromNs + partNs;
    const [whole] = this.#timers;
    const part = this.#clock.timerAt(atNs, () => {
      this.#tokensOfParts.push(this.#tokens);
      this.#tokens = 0;
      const width = halfWidthPct(this.#tokensOfParts);
      if (width !== undefined && width <= stop.halfWidthPct)
        this.#close(atNs, { kind: "narrow-enough", halfWidthPct: width });
      else this.#expectPart(stop, atNs);
    });
    this.#timers = whole === undefined ? [part] : [whole, part];
  }

  #close(endNs: number, end: WindowEnd): void {
    if (this.#closed !== undefined) return;
    this.#closed = { endNs, end };
    for (const timer of this.#timers) timer.cancel();
    this.#ending.abort(new Error(WINDOW_ENDED));
  }
}

/** For the run's events: what happened, in a sentence. */
export function windowSentence({ windowNs, end }: ReturnType<TrialWindow["settle"]>): string {
  const seconds = `${(nsToMs(windowNs) / MS_PER_S).toFixed(1)} s`;
  switch (end.kind) {
    case "over":
      return `the set time of ${seconds} was over`;
    case "narrow-enough":
      return `stopped after ${seconds}: the aggregate throughput is known to ±${end.halfWidthPct.toFixed(1)} %`;
    case "no-agent-left":
      return `no agent went on after ${seconds}`;
  }
}
