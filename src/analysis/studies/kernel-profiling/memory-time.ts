/**
 * What can be said of the memory-time test, whose runs are not published. Two bounds: the p that a
 * printed d allows, and the d that the printed means of the two models allow.
 */
import { cohensDFromMoments } from "../../../stats/cohens-d.ts";
import { tTwoSidedP } from "../../../stats/distributions.ts";
import { welchFromMoments } from "../../../stats/welch.ts";
import { assert } from "../../../core/assert.ts";
import { meanOf, spreadOf } from "../sample-figures.ts";
import type { KernelProfilingInputs } from "./inputs.ts";

export interface MemoryTimeBounds {
  readonly leastPOfPrintedD: number;
  readonly mostPOfPrintedD: number;
  /** Absent where the means of the models are not published. */
  readonly perModel:
    | {
        /** Of the runs with one agent, were the runs of each model all equal: they can only vary more. */
        readonly leastSdMs: number;
        /** What the printed d and the printed means leave for the same deviation at most. */
        readonly sdAllowedByPrintedDMs: number;
        readonly mostD: number;
        readonly mostT: number;
        readonly leastP: number;
      }
    | undefined;
}

const MODELS_POOLED = 2;

export function memoryTimeBounds(memory: KernelProfilingInputs["memoryTimeMs"]["ollama"]): MemoryTimeBounds {
  const runs = memory.runsPerModel * MODELS_POOLED;
  const t = (d: number): number => d * Math.sqrt(runs / 2);
  const { value: d, halfUnit } = memory.cohensD;
  return {
    // Welch's degrees of freedom lie between those of one sample and of both together.
    leastPOfPrintedD: tTwoSidedP(t(d + halfUnit), 2 * runs - 2),
    mostPOfPrintedD: tTwoSidedP(t(d - halfUnit), runs - 1),
    perModel: memory.alonePerModel === undefined ? undefined : boundsPerModel(memory, memory.alonePerModel),
  };
}

type Memory = KernelProfilingInputs["memoryTimeMs"]["ollama"];

function boundsPerModel(
  memory: Memory,
  perModel: NonNullable<Memory["alonePerModel"]>,
): MemoryTimeBounds["perModel"] {
  const n = memory.runsPerModel * MODELS_POOLED;
  const equalWithinModel = perModel.flatMap(({ value }) => Array<number>(memory.runsPerModel).fill(value));
  const leastSdMs = spreadOf(equalWithinModel).sd;
  const alone = { n, mean: meanOf(equalWithinModel), variance: leastSdMs ** 2 };
  const steady = { n, mean: memory.together.value, variance: 0 };
  const effect = cohensDFromMoments(steady, alone);
  const test = welchFromMoments(steady, alone);
  assert(effect.kind === "known" && test.kind === "tested", "the two models' means are equal");
  const shift = memory.together.value - memory.alone.value;
  return {
    leastSdMs,
    // The pooled variance is the mean of both, so neither can exceed twice of it.
    sdAllowedByPrintedDMs: Math.SQRT2 * (shift / (memory.cohensD.value - memory.cohensD.halfUnit)),
    mostD: effect.d,
    mostT: test.statistic,
    leastP: leastP(alone, steady),
  };
}

/** Up to this multiple of the other's deviation, in steps; beyond it t falls faster than the degrees of freedom grow. */
const MOST_SD_RATIO = 2;
const SD_STEPS = 400;

/** A spread in the second sample lowers t and raises the degrees of freedom: the least p lies somewhere between. */
function leastP(alone: { n: number; mean: number; variance: number }, steady: typeof alone): number {
  let least = 1;
  for (let step = 0; step <= SD_STEPS; step++) {
    const ratio = (step / SD_STEPS) * MOST_SD_RATIO;
    const test = welchFromMoments({ ...steady, variance: alone.variance * ratio ** 2 }, alone);
    if (test.kind === "tested") least = Math.min(least, test.p);
  }
  return least;
}
