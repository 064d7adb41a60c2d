/**
 * The constants of a step that calibration can find, each as a number of about the size of 1: the
 * reciprocal of an efficiency, or a time in units of one ideal step. Step time is then nearly linear
 * in all of them.
 */
import { kvBytesPerToken } from "../model-shape.ts";
import { stepNs } from "../step-time.ts";
import type { KernelEfficiency, StepWork } from "../step-time.ts";
import type { TimeWithoutKernels } from "./observation.ts";

export const KERNEL_PARAMETERS = [
  "weights",
  "kv",
  "compute",
  "attention",
  "stepOverheadNs",
  "sequenceNs",
  "batchedNs",
  "mixed",
  "allocatedNsPerToken",
] as const;

export type KernelParameter = (typeof KERNEL_PARAMETERS)[number];

/** An efficiency above 5 or a rate of a ten-thousandth of the peak is a wrong device, not a kernel. */
const LEAST_RECIPROCAL = 0.2;
const MOST_RECIPROCAL = 10_000;

/** No step is known whose overhead is a hundred times the reading of its weights. */
const MOST_STEPS = 100;

/** Measured single kernels lie between 0.4 and 7.9. */
const LEAST_MIXED = 0.4;
const MOST_MIXED = 8;

export interface ScaledParameter {
  readonly low: number;
  readonly high: number;
  scaled(kernels: KernelEfficiency): number;
  /** The constant itself, in its own unit. */
  value(scaled: number): number;
}

const IDEAL: KernelEfficiency = {
  name: "ideal",
  weights: 1,
  kv: 1,
  compute: 1,
  attention: 1,
  stepOverheadNs: 0,
};

export function scaledParameters(
  time: TimeWithoutKernels,
): Readonly<Record<KernelParameter, ScaledParameter>> {
  const ideal = { ...time, efficiency: IDEAL };
  const decode = (contextTokens: number): StepWork => ({
    decodeSequences: 1,
    decodeContextTokens: contextTokens,
    prefills: [],
  });
  const weightsNs = stepNs(ideal, decode(0));
  // Of a model without a cache nothing is allocated either; any unit will do.
  const cellNs = kvBytesPerToken(time.model) === 0 ? 1 : stepNs(ideal, decode(1)) - weightsNs;
  return {
    weights: reciprocal("weights"),
    kv: reciprocal("kv"),
    compute: reciprocal("compute"),
    attention: reciprocal("attention"),
    stepOverheadNs: multiple("stepOverheadNs", weightsNs),
    sequenceNs: multiple("sequenceNs", weightsNs),
    batchedNs: multiple("batchedNs", weightsNs),
    mixed: {
      low: LEAST_MIXED,
      high: MOST_MIXED,
      scaled: ({ mixed = 1 }) => mixed,
      value: (scaled) => scaled,
    },
    allocatedNsPerToken: multiple("allocatedNsPerToken", cellNs),
  };
}

function reciprocal(name: "weights" | "kv" | "compute" | "attention"): ScaledParameter {
  return {
    low: LEAST_RECIPROCAL,
    high: MOST_RECIPROCAL,
    scaled: (kernels) => 1 / kernels[name],
    value: (scaled) => 1 / scaled,
  };
}

function multiple(
  name: "stepOverheadNs" | "sequenceNs" | "batchedNs" | "allocatedNsPerToken",
  unitNs: number,
): ScaledParameter {
  return {
    low: 0,
    high: MOST_STEPS,
    scaled: (kernels) => (kernels[name] ?? 0) / unitNs,
    value: (scaled) => scaled * unitNs,
  };
}
