/**
 * Kernel constants from observations: weighted least squares of relative errors, each cell with the
 * same weight however many requests it has. A constant is fitted only when the data speak for it:
 * one at a time the constant that improves Akaike's criterion most is let go, until none does; all
 * others stay what the prior says.
 */
import { assert } from "../../core/assert.ts";
import type { ConvergedFit } from "../../stats/fit-result.ts";
import { correctedAkaike } from "../../stats/fit-result.ts";
import { fitLeastSquares } from "../../stats/least-squares.ts";
import type { KernelEfficiency } from "../step-time.ts";
import { unidentifiable } from "./identifiable.ts";
import type { KernelParameter } from "./kernel-parameters.ts";
import { KERNEL_PARAMETERS, scaledParameters } from "./kernel-parameters.ts";
import type { Observation, TimeWithoutKernels } from "./observation.ts";
import { predictedNs } from "./observation.ts";

export type ParameterOrigin =
  | {
      readonly kind: "fitted";
      /** Standard error, percent of the value; absent where there is no freedom to tell. */
      readonly standardErrorPct?: number;
    }
  | {
      readonly kind: "prior";
      /** Name of the constants it was taken from. */
      readonly prior: string;
      /** Why it was not fitted. */
      readonly reason: string;
    };

export interface FittedKernels {
  readonly kernels: KernelEfficiency;
  readonly origins: Readonly<Record<KernelParameter, ParameterOrigin>>;
  readonly observations: number;
}

/**
 * A criterion better by 2 is usual where observations are independent. Requests of one trial share
 * its luck, so more is asked.
 */
const LEAST_SUPPORT = 10;

/** A constant that is known no better than this is not known. */
const MOST_STANDARD_ERROR_PCT = 50;

/** Requests slowed by something else are further off than this, relative; they count as if they were this far. */
const USUAL_DEVIATION = 0.1;

/** Weights for outliers settle in two or three rounds. */
const ROUNDS = 3;

interface Attempt {
  readonly chosen: readonly KernelParameter[];
  readonly fit: ConvergedFit;
  readonly kernels: KernelEfficiency;
}

/** Constants of `prior` where the observations do not tell. */
export function fitKernels(
  observations: readonly Observation[],
  time: TimeWithoutKernels,
  prior: KernelEfficiency,
): FittedKernels {
  const reasons = new Map<KernelParameter, string>();
  for (const parameter of KERNEL_PARAMETERS) {
    const reason = unidentifiable(parameter, observations, time.model);
    if (reason !== undefined) reasons.set(parameter, reason);
  }
  const open = KERNEL_PARAMETERS.filter((parameter) => !reasons.has(parameter));
  const best = chooseParameters(observations, time, prior, open);
  const origins = Object.fromEntries(
    KERNEL_PARAMETERS.map((parameter) => [parameter, originOf(parameter, best, prior, reasons)]),
  ) as Record<KernelParameter, ParameterOrigin>;
  return { kernels: best?.kernels ?? prior, origins, observations: observations.length };
}

function chooseParameters(
  observations: readonly Observation[],
  time: TimeWithoutKernels,
  prior: KernelEfficiency,
  open: readonly KernelParameter[],
): Attempt | undefined {
  const weights = weightsOf(observations);
  let best: Attempt | undefined;
  let rest = open;
  for (;;) {
    const start = best?.kernels ?? prior;
    const attempts = rest.flatMap((parameter) => {
      const chosen = [...(best?.chosen ?? []), parameter];
      return attempt(observations, weights, time, start, chosen) ?? [];
    });
    const next = attempts.reduce<Attempt | undefined>(
      (least, one) => (least === undefined || criterion(one) < criterion(least) ? one : least),
      undefined,
    );
    const now = best === undefined ? priorCriterion(observations, weights, time, prior) : criterion(best);
    if (next === undefined || criterion(next) > now - LEAST_SUPPORT) break;
    best = next;
    const taken = next.chosen;
    rest = rest.filter((parameter) => !taken.includes(parameter));
  }
  return best === undefined ? undefined : withoutOutliers(observations, weights, time, best);
}

function attempt(
  observations: readonly Observation[],
  weights: readonly number[],
  time: TimeWithoutKernels,
  start: KernelEfficiency,
  chosen: readonly KernelParameter[],
): Attempt | undefined {
  const scaled = scaledParameters(time);
  const kernelsAt = (values: ArrayLike<number>): KernelEfficiency => ({
    ...start,
    ...Object.fromEntries(
      chosen.map((parameter, index) => [parameter, scaled[parameter].value(values[index] as number)]),
    ),
  });
  const fit = fitLeastSquares({
    observations: observations.map((input, index) => ({ input, value: 1, weight: weights[index] as number })),
    parameters: chosen.map((parameter) => {
      const { low, high } = scaled[parameter];
      return { low, high, start: Math.min(Math.max(scaled[parameter].scaled(start), low), high) };
    }),
    model: (observation, values) =>
      predictedNs(observation, { ...time, efficiency: kernelsAt(values) }) / observation.observedNs,
  });
  if (fit.kind !== "converged" || fit.parameters.some(isUnknown)) return undefined;
  return { chosen, fit, kernels: kernelsAt(fit.parameters.map(({ value }) => value)) };
}

function isUnknown({ value, bound, standardError }: ConvergedFit["parameters"][number]): boolean {
  return bound !== "none" || (standardError ?? 0) > (MOST_STANDARD_ERROR_PCT / 100) * value;
}

/** Fits again with less weight on what lies far off (P. J. Huber, Annals of Mathematical Statistics 35, 1964). */
function withoutOutliers(
  observations: readonly Observation[],
  weights: readonly number[],
  time: TimeWithoutKernels,
  first: Attempt,
): Attempt {
  let best = first;
  for (let round = 0; round < ROUNDS; round++) {
    const { kernels, chosen } = best;
    const trusted = observations.map((observation, index) => {
      const off = predictedNs(observation, { ...time, efficiency: kernels }) / observation.observedNs - 1;
      return (weights[index] as number) * Math.min(1, USUAL_DEVIATION / Math.abs(off));
    });
    const again = attempt(observations, trusted, time, kernels, chosen);
    if (again === undefined) break;
    best = again;
  }
  return best;
}

/** Each cell has the same weight, and prompts and answers of it have half each; their mean is 1. */
function weightsOf(observations: readonly Observation[]): readonly number[] {
  const groups = new Map<string, number>();
  const group = ({ cell, kind }: Observation): string => `${kind} ${cell}`;
  for (const observation of observations) {
    const name = group(observation);
    groups.set(name, (groups.get(name) ?? 0) + 1);
  }
  return observations.map((observation) => {
    const size = groups.get(group(observation));
    assert(size !== undefined, "every observation has a group");
    return observations.length / (groups.size * size);
  });
}

function criterion({ fit }: Attempt): number {
  return correctedAkaike(fit) ?? (fit.weightedSquares === 0 ? -Infinity : Infinity);
}

function priorCriterion(
  observations: readonly Observation[],
  weights: readonly number[],
  time: TimeWithoutKernels,
  prior: KernelEfficiency,
): number {
  const weightedSquares = observations.reduce((sum, observation, index) => {
    const off = predictedNs(observation, { ...time, efficiency: prior }) / observation.observedNs - 1;
    return sum + (weights[index] as number) * off * off;
  }, 0);
  const fit = { kind: "converged", parameters: [], weightedSquares, iterations: 0 } as const;
  return correctedAkaike({ ...fit, freedom: observations.length }) ?? Infinity;
}

function originOf(
  parameter: KernelParameter,
  best: Attempt | undefined,
  prior: KernelEfficiency,
  reasons: ReadonlyMap<KernelParameter, string>,
): ParameterOrigin {
  const place = best?.chosen.indexOf(parameter) ?? -1;
  const fitted = best?.fit.parameters[place];
  if (fitted === undefined) {
    const reason = reasons.get(parameter) ?? "the data do not speak for another value";
    return { kind: "prior", prior: prior.name, reason };
  }
  // Of a reciprocal the relative error is the same, in first order.
  const { value, standardError } = fitted;
  return {
    kind: "fitted",
    ...(standardError === undefined ? {} : { standardErrorPct: (100 * standardError) / value }),
  };
}
