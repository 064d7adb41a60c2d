/**
 * The bootstrap over trials: what a figure would have been, had other trials of the same kind been
 * run. Trials are drawn, never requests, because requests of one trial share its luck. A figure is
 * a function of which trials were drawn, so it may look at anything that belongs to them: means,
 * percentiles over all their requests, the parameters of a fitted law.
 */
import { assert } from "../core/assert.ts";
import type { RandomStream } from "../core/random.ts";
import type { BootstrapInterval } from "./bca.ts";
import { bcaInterval } from "./bca.ts";
import type { TooFew } from "./no-answer.ts";
import { tooFew } from "./no-answer.ts";
import { USUAL_CONFIDENCE } from "./welch.ts";

/**
 * The figure of the trials with these indices, drawn with repetition; `undefined` where it does not
 * exist for them. The array is used again for the next draw: it is not to be kept.
 */
export type TrialFigure = (trials: Uint32Array) => number | undefined;

export interface BootstrapPlan {
  /**
   * How many trials each stratum has. A stratum is a kind of trial (a level of N, one side of a
   * comparison) and is drawn from itself only; its indices follow those of the strata before it.
   */
  readonly strata: readonly number[];
  readonly figure: TrialFigure;
  readonly random: RandomStream;
  readonly resamples?: number;
  readonly confidence?: number;
}

export type Bootstrap =
  | {
      readonly kind: "resampled";
      readonly estimate: number;
      readonly interval: BootstrapInterval;
      readonly resamples: number;
      /** Resamples for which the figure did not exist; the interval speaks for the others only. */
      readonly undefinedResamples: number;
    }
  | TooFew
  /** The figure does not exist for the trials themselves, or for too many of their resamples. */
  | { readonly kind: "unstable"; readonly undefinedResamples: number; readonly resamples: number };

/** The ends of a 95 % interval then rest on 250 replicates each. */
const USUAL_RESAMPLES = 10_000;

/**
 * In all strata together. Five trials are drawn all alike once in 625 times; with three it is once in
 * nine, and the "95 % interval" is the range of the data, which covers about three times in four.
 */
const FEWEST_TRIALS = 5;

/** A single trial is drawn every time, so its stratum would seem to be free of chance. */
const FEWEST_PER_STRATUM = 2;

/** An interval over what remains when more is missing describes the resamples that went well. */
const MOST_UNDEFINED_SHARE = 0.05;

/** A figure with its BCa interval; the same stream gives the same interval. */
export function bootstrap(plan: BootstrapPlan): Bootstrap {
  const { strata, figure, random, resamples = USUAL_RESAMPLES, confidence = USUAL_CONFIDENCE } = plan;
  const trials = strata.reduce((sum, count) => sum + count, 0);
  if (trials < FEWEST_TRIALS) return tooFew(FEWEST_TRIALS);
  if (Math.min(...strata) < FEWEST_PER_STRATUM) return tooFew(FEWEST_PER_STRATUM);
  const estimate = finite(figure(Uint32Array.from({ length: trials }, (_, index) => index)));
  if (estimate === undefined) return { kind: "unstable", undefinedResamples: 0, resamples: 0 };
  const drawn = new Uint32Array(trials);
  const replicates = new Float64Array(resamples);
  let kept = 0;
  for (let resample = 0; resample < resamples; resample++) {
    drawTrials(drawn, strata, random);
    const value = finite(figure(drawn));
    if (value !== undefined) replicates[kept++] = value;
  }
  const undefinedResamples = resamples - kept;
  if (undefinedResamples > MOST_UNDEFINED_SHARE * resamples)
    return { kind: "unstable", undefinedResamples, resamples };
  const jackknife = jackknifeOf(strata, figure);
  const sample = { estimate, replicates: replicates.subarray(0, kept), jackknife, confidence };
  return { kind: "resampled", estimate, interval: bcaInterval(sample), resamples, undefinedResamples };
}

function drawTrials(drawn: Uint32Array, strata: readonly number[], random: RandomStream): void {
  let start = 0;
  for (const count of strata) {
    for (let place = start; place < start + count; place++) drawn[place] = start + random.integer(count);
    start += count;
  }
}

/** The figure with each trial left out in turn; absent when it does not exist without one of them. */
function jackknifeOf(strata: readonly number[], figure: TrialFigure): Float64Array[] | undefined {
  const trials = strata.reduce((sum, count) => sum + count, 0);
  const rest = new Uint32Array(trials - 1);
  const lists: Float64Array[] = [];
  let left = 0;
  for (const count of strata) {
    const list = new Float64Array(count);
    for (let index = 0; index < count; index++, left++) {
      for (let place = 0; place < rest.length; place++) rest[place] = place < left ? place : place + 1;
      const value = finite(figure(rest));
      if (value === undefined) return undefined;
      list[index] = value;
    }
    lists.push(list);
  }
  return lists;
}

function finite(value: number | undefined): number | undefined {
  assert(value === undefined || Number.isFinite(value), "a figure is a number or does not exist");
  return value;
}
