/** How long a step under way takes, noise included: one step, or a stretch of decode steps that can be cut. */
import { randomStream } from "../../core/random.ts";
import type { RandomStream } from "../../core/random.ts";
import { stepNs } from "../step-time.ts";
import type { StepTimeModel } from "../step-time.ts";
import type { LoadSettings, Step } from "./simulated-request.ts";
import { workOf } from "./step-plan.ts";
import type { Share } from "./step-plan.ts";
import { longestStretch, stepsToReach, stretchNs } from "./stretch.ts";
import type { Stretch } from "./stretch.ts";

export interface StepTimerOptions {
  readonly time: StepTimeModel;
  /** Relative standard deviation of a step's duration. */
  readonly jitter: number;
  /** Everything takes 1/speed of its time. */
  readonly speed: number;
  readonly seed: number;
}

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

/** A step is never drawn shorter than this share of its mean, however unlikely the draw. */
const LEAST_JITTER_FACTOR = 0.1;

export class StepTimer {
  readonly #options: StepTimerOptions;
  readonly #noise: RandomStream;
  #loadedTime: StepTimeModel;

  constructor(options: StepTimerOptions) {
    this.#options = options;
    this.#loadedTime = options.time;
    this.#noise = randomStream(options.seed, "step-noise");
  }

  /** As many decode steps in one go as stay alike, at most `mostSteps`. */
  compute(startNs: number, shares: readonly Share[], mostSteps: number, gpuLayers: number): StepUnderWay {
    const { jitter } = this.#options;
    const time = this.#timeWith(gpuLayers);
    const stretch = longestStretch(time, shares, mostSteps);
    const steps = stretch?.steps ?? 1;
    // The mean of m independent draws.
    const deviation = jitter === 0 ? 0 : (jitter / Math.sqrt(steps)) * this.#noise.normal();
    const factor = Math.max(LEAST_JITTER_FACTOR, 1 + deviation);
    if (stretch !== undefined) return this.#stretchOf(startNs, shares, { ...stretch, factor });
    const endNs = startNs + this.wholeNs(stepNs(time, workOf(shares, time.model)) * factor);
    return { kind: "compute", startNs, endNs, shares };
  }

  /** The step ends with the first of its decode steps that ends at `nowNs` or later. */
  cut(step: StepUnderWay, nowNs: number): StepUnderWay {
    if (step.stretch === undefined) return step;
    const steps = this.stepsBefore(step, nowNs) + 1;
    return this.#stretchOf(step.startNs, step.shares, { ...step.stretch, steps });
  }

  /** Steps of a stretch that end before `atNs`, of which at least the last does not. */
  stepsBefore({ startNs, stretch }: StepUnderWay, atNs: number): number {
    if (stretch === undefined) return 0;
    const scale = stretch.factor / this.#options.speed;
    const lastsNs = (steps: number): number => this.wholeNs(stretchNs(stretch, steps) * stretch.factor);
    return stepsToReach(stretch, atNs - startNs, scale, lastsNs) - 1;
  }

  /** Nanoseconds at the engine's speed, one at least. */
  wholeNs(ns: number): number {
    return Math.max(1, Math.round(ns / this.#options.speed));
  }

  #stretchOf(startNs: number, shares: readonly Share[], stretch: DrawnStretch): StepUnderWay {
    const endNs = startNs + this.wholeNs(stretchNs(stretch, stretch.steps) * stretch.factor);
    return { kind: "compute", startNs, endNs, shares, stretch };
  }

  /** Made anew only when the model is loaded otherwise: it is asked for at every step. */
  #timeWith(gpuLayers: number): StepTimeModel {
    if (this.#loadedTime.gpuLayers !== gpuLayers) this.#loadedTime = { ...this.#options.time, gpuLayers };
    return this.#loadedTime;
  }
}
