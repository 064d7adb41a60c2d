/**
 * How long a step takes: one step, several decode steps in one go, or a load of the model. Who is
 * in the step has been decided before.
 */
import { randomStream } from "../../core/random.ts";
import type { RandomStream } from "../../core/random.ts";
import { stepNs } from "../step-time.ts";
import type { StepTimeModel } from "../step-time.ts";
import { makeRoom } from "./cache-pool.ts";
import type { LoadSettings, Step } from "./simulated-request.ts";
import type { SlotEngineOptions } from "./slot-engine-options.ts";
import type { Slot } from "./slot.ts";
import { workOf } from "./step-plan.ts";
import type { Share } from "./step-plan.ts";
import { longestStretch, stepsToReach, stretchNs } from "./stretch.ts";
import type { Stretch } from "./stretch.ts";

export interface StepUnderWay extends Step {
  readonly shares: readonly Share[];
  readonly load?: LoadSettings;
  /** Decode steps in one go; absent: one step. */
  readonly stretch?: DrawnStretch;
}

/** With the draw of the noise. */
interface DrawnStretch extends Stretch {
  readonly factor: number;
}

/** How far a step goes: one step, or all decode steps until the batch changes. */
export type StepReach = "one-step" | "until-change";

interface Circumstances {
  readonly reach: StepReach;
  readonly gpuLayers: number;
  /** All of them: an idle one may have to give up its cache. */
  readonly slots: readonly Slot[];
}

/** A step is never drawn shorter than this share of its mean, however unlikely the draw. */
const LEAST_JITTER_FACTOR = 0.1;

export class StepTimer {
  readonly #options: SlotEngineOptions;
  readonly #noise: RandomStream;
  #time: StepTimeModel;

  constructor(options: SlotEngineOptions) {
    this.#options = options;
    this.#noise = randomStream(options.seed, "step-noise");
    this.#time = options.time;
  }

  loading(startNs: number, load: LoadSettings): StepUnderWay {
    return { kind: "load", startNs, endNs: startNs + this.#wholeNs(this.#options.loadNs), shares: [], load };
  }

  computing(startNs: number, shares: readonly Share[], around: Circumstances): StepUnderWay {
    const newTokens = shares.reduce((sum, share) => sum + Math.max(1, share.prefillTokens), 0);
    const { poolTokens, mode, jitter } = this.#options;
    const freeTokens = poolTokens === undefined ? Infinity : makeRoom(around.slots, poolTokens, newTokens);
    if (freeTokens < newTokens) return { kind: "exhausted", startNs, endNs: startNs + 1, shares: [] };
    // Separate processes take turns: no batch whose steps could be added up.
    const single = around.reach === "one-step" || mode === "time-shared";
    const time = this.#timeWith(around.gpuLayers);
    const stretch = longestStretch(time, shares, single ? 1 : Math.floor(freeTokens / newTokens));
    const steps = stretch?.steps ?? 1;
    // The mean of m independent draws.
    const deviation = jitter === 0 ? 0 : (jitter / Math.sqrt(steps)) * this.#noise.normal();
    const factor = Math.max(LEAST_JITTER_FACTOR, 1 + deviation);
    if (stretch !== undefined) return this.#stretchOf(startNs, shares, { ...stretch, factor });
    const endNs = startNs + this.#wholeNs(stepNs(time, workOf(shares, time.model)) * factor);
    return { kind: "compute", startNs, endNs, shares };
  }

  /** The same step, ending with the first of its decode steps that ends at `nowNs` or later. */
  cut(step: StepUnderWay, nowNs: number): StepUnderWay {
    if (step.stretch === undefined) return step;
    const steps = this.stepsBefore(step, nowNs) + 1;
    return this.#stretchOf(step.startNs, step.shares, { ...step.stretch, steps });
  }

  /** Decode steps of a stretch that end before `atNs`, of which at least the last does not; 0 for any other step. */
  stepsBefore({ stretch, startNs }: StepUnderWay, atNs: number): number {
    if (stretch === undefined) return 0;
    const scale = stretch.factor / this.#options.speed;
    const lastsNs = (steps: number): number => this.#wholeNs(stretchNs(stretch, steps) * stretch.factor);
    return stepsToReach(stretch, atNs - startNs, scale, lastsNs) - 1;
  }

  #stretchOf(startNs: number, shares: readonly Share[], stretch: DrawnStretch): StepUnderWay {
    const endNs = startNs + this.#wholeNs(stretchNs(stretch, stretch.steps) * stretch.factor);
    return { kind: "compute", startNs, endNs, shares, stretch };
  }

  /** Made anew only when the model is loaded otherwise: it is asked for at every step. */
  #timeWith(gpuLayers: number): StepTimeModel {
    if (this.#time.gpuLayers !== gpuLayers) this.#time = { ...this.#options.time, gpuLayers };
    return this.#time;
  }

  #wholeNs(ns: number): number {
    return Math.max(1, Math.round(ns / this.#options.speed));
  }
}
