/**
 * An observation's steps taken apart into what each constant multiplies, so that a fit can evaluate
 * them thousands of times. The parts come from the step-time model itself, asked with all other
 * kernels infinitely fast: the formula stands in one place.
 */
import { gpuShare, stepNs } from "../step-time.ts";
import type { KernelEfficiency, StepWork } from "../step-time.ts";
import { isMixed } from "./identifiable.ts";
import type { KernelParameter, ScaledParameter } from "./kernel-parameters.ts";
import { KERNEL_PARAMETERS } from "./kernel-parameters.ts";
import type { Observation, Piece, TimeWithoutKernels } from "./observation.ts";
import { worksOf } from "./observation.ts";

/** Nanoseconds of one step with each constant's scaled value at 1. */
interface StepTerms {
  /** Of each place that layers lie in; the longer of the two counts. */
  readonly floors: readonly { readonly weights: number; readonly compute: number }[];
  readonly kv: number;
  readonly attention: number;
  readonly isMixed: boolean;
  /** Fixed, per sequence, per batch, per allocated cell, in the order of `ADDED`. */
  readonly added: readonly number[];
  readonly constant: number;
}

export interface TakenApart {
  readonly observation: Observation;
  readonly steps: readonly StepTerms[];
}

const INSTANT: KernelEfficiency = {
  name: "instant",
  weights: Infinity,
  kv: Infinity,
  compute: Infinity,
  attention: Infinity,
  stepOverheadNs: 0,
};

/** Constants that are times and not rates. */
const ADDED = ["stepOverheadNs", "sequenceNs", "batchedNs", "allocatedNsPerToken"] as const;
const ADDED_PLACES = ADDED.map((parameter) => KERNEL_PARAMETERS.indexOf(parameter));

const WEIGHTS = KERNEL_PARAMETERS.indexOf("weights");
const KV = KERNEL_PARAMETERS.indexOf("kv");
const COMPUTE = KERNEL_PARAMETERS.indexOf("compute");
const ATTENTION = KERNEL_PARAMETERS.indexOf("attention");
const MIXED = KERNEL_PARAMETERS.indexOf("mixed");

export function takeApart(
  observation: Observation,
  time: TimeWithoutKernels,
  scaled: Readonly<Record<KernelParameter, ScaledParameter>>,
): TakenApart {
  const { allocatedTokens } = observation;
  const here = allocatedTokens === undefined ? time : { ...time, allocatedTokens };
  return { observation, steps: worksOf(observation).map((work) => termsOf(work, here, scaled)) };
}

function termsOf(
  work: StepWork,
  time: TimeWithoutKernels,
  scaled: Readonly<Record<KernelParameter, ScaledParameter>>,
): StepTerms {
  const ns = (kernels: Partial<KernelEfficiency>, where: TimeWithoutKernels = time): number =>
    stepNs({ ...where, efficiency: { ...INSTANT, ...kernels } }, work);
  const constant = ns({});
  const onDevice = gpuShare({ ...time, efficiency: INSTANT });
  const allLayers = time.model.layers + 1;
  const places = [
    { share: onDevice, where: { ...time, gpuLayers: allLayers } },
    { share: 1 - onDevice, where: { ...time, gpuLayers: 0 } },
  ].filter(({ share }) => share > 0);
  return {
    floors: places.map(({ share, where }) => ({
      weights: share * ns({ weights: 1 }, where),
      compute: share * ns({ compute: 1 }, where),
    })),
    kv: ns({ kv: 1 }) - constant,
    attention: ns({ attention: 1 }) - constant,
    isMixed: isMixed(work),
    added: ADDED.map((parameter) => ns({ [parameter]: scaled[parameter].value(1) }) - constant),
    constant,
  };
}

/** Predicted ÷ observed, with scaled values in the order of {@link KERNEL_PARAMETERS}. */
export function predictedShare({ observation, steps }: TakenApart, values: Float64Array): number {
  if (observation.kind === "prefill") {
    let totalNs = 0;
    for (const step of steps) totalNs += termsNs(step, values);
    return totalNs / observation.observedNs;
  }
  const { pieces } = observation;
  let tokens = 0;
  for (let index = 0; index < pieces.length; index++)
    tokens += (pieces[index] as Piece).lastsNs / termsNs(steps[index] as StepTerms, values);
  return observation.tokens / tokens;
}

function termsNs(step: StepTerms, values: Float64Array): number {
  const weights = values[WEIGHTS] as number;
  const compute = values[COMPUTE] as number;
  const mixed = step.isMixed ? (values[MIXED] as number) : 1;
  let ns = step.constant;
  for (const floor of step.floors) ns += Math.max(weights * floor.weights, compute * floor.compute);
  ns += mixed * ((values[KV] as number) * step.kv + (values[ATTENTION] as number) * step.attention);
  for (let index = 0; index < ADDED_PLACES.length; index++)
    ns += (values[ADDED_PLACES[index] as number] as number) * (step.added[index] as number);
  return ns;
}
