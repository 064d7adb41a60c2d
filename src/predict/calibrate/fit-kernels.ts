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
import { isMixed, unidentifiable } from "./identifiable.ts";
import type { KernelParameter, ScaledParameter } from "./kernel-parameters.ts";
import { KERNEL_PARAMETERS, scaledParameters } from "./kernel-parameters.ts";
import type { Observation, TimeWithoutKernels } from "./observation.ts";
import type { TakenApart } from "./step-terms.ts";
import { predictedShare, takeApart } from "./step-terms.ts";

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

/**
 * While prompts run beside an answer, which of them share which steps is a guess. With this share of
 * an answer's time in such steps the guess is as uncertain as all else together.
 */
const UNCERTAIN_MIXED_SHARE = 0.1;

/** Weights for outliers settle in two or three rounds. */
const ROUNDS = 3;

interface FitData {
  readonly taken: readonly TakenApart[];
  readonly weights: readonly number[];
  readonly scaled: Readonly<Record<KernelParameter, ScaledParameter>>;
  readonly open: readonly KernelParameter[];
  /** Scaled values, in the order of KERNEL_PARAMETERS, as all such lists here. */
  readonly prior: Float64Array;
}

interface Attempt {
  readonly chosen: readonly KernelParameter[];
  readonly fit: ConvergedFit;
  readonly values: Float64Array;
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
  const scaled = scaledParameters(time);
  const data: FitData = {
    taken: observations.map((observation) => takeApart(observation, time, scaled)),
    weights: weightsOf(observations),
    scaled,
    open: KERNEL_PARAMETERS.filter((parameter) => !reasons.has(parameter)),
    prior: Float64Array.from(KERNEL_PARAMETERS, (parameter) => scaled[parameter].scaled(prior)),
  };
  const best = chooseParameters(data);
  const fitted = best?.chosen.map((parameter) => [
    parameter,
    scaled[parameter].value(best.values[KERNEL_PARAMETERS.indexOf(parameter)] as number),
  ]);
  const origins = Object.fromEntries(
    KERNEL_PARAMETERS.map((parameter) => [parameter, originOf(parameter, best, prior, reasons)]),
  ) as Record<KernelParameter, ParameterOrigin>;
  return {
    kernels: { ...prior, ...Object.fromEntries(fitted ?? []) },
    origins,
    observations: observations.length,
  };
}

/** After each choice outliers are looked for again: with them in, no small constant ever shows. */
function chooseParameters(data: FitData): Attempt | undefined {
  let best: Attempt | undefined;
  let { weights } = data;
  let now = criterion(attempt(data, weights, data.prior, []));
  for (;;) {
    const chosen = best?.chosen ?? [];
    const start = best?.values ?? data.prior;
    const attempts = data.open
      .filter((parameter) => !chosen.includes(parameter))
      .flatMap((parameter) => attempt(data, weights, start, [...chosen, parameter]) ?? []);
    const next = attempts.reduce<Attempt | undefined>(
      (least, one) => (least === undefined || criterion(one) < criterion(least) ? one : least),
      undefined,
    );
    if (next === undefined || criterion(next) > now - LEAST_SUPPORT) return best;
    ({ best, weights } = withoutOutliers(data, next, weights));
    now = criterion(best);
  }
}

/** Undefined where the chosen constants cannot be told from these observations. */
function attempt(
  { taken, scaled }: FitData,
  weights: readonly number[],
  start: Float64Array,
  chosen: readonly KernelParameter[],
): Attempt | undefined {
  const places = chosen.map((parameter) => KERNEL_PARAMETERS.indexOf(parameter));
  const values = Float64Array.from(start);
  const fit = fitLeastSquares({
    observations: taken.map((input, index) => ({ input, value: 1, weight: weights[index] as number })),
    parameters: chosen.map((parameter, index) => {
      const { low, high } = scaled[parameter];
      return { low, high, start: Math.min(Math.max(start[places[index] as number] as number, low), high) };
    }),
    model: (input, tried) => {
      for (let index = 0; index < places.length; index++)
        values[places[index] as number] = tried[index] as number;
      return predictedShare(input, values);
    },
  });
  if (fit.kind !== "converged" || fit.parameters.some(isUnknown)) return undefined;
  for (const [index, { value }] of fit.parameters.entries()) values[places[index] as number] = value;
  return { chosen, fit, values };
}

function isUnknown({ value, bound, standardError }: ConvergedFit["parameters"][number]): boolean {
  return bound !== "none" || (standardError ?? 0) > (MOST_STANDARD_ERROR_PCT / 100) * value;
}

/** Fits again with less weight on what lies far off (P. J. Huber, Annals of Mathematical Statistics 35, 1964). */
function withoutOutliers(
  data: FitData,
  first: Attempt,
  firstWeights: readonly number[],
): { readonly best: Attempt; readonly weights: readonly number[] } {
  let best = first;
  let weights = firstWeights;
  for (let round = 0; round < ROUNDS; round++) {
    const { values } = best;
    const trusted = data.taken.map((taken, index) => {
      const off = Math.abs(predictedShare(taken, values) - 1);
      return (data.weights[index] as number) * Math.min(1, USUAL_DEVIATION / off);
    });
    const again = attempt(data, trusted, values, best.chosen);
    if (again === undefined) break;
    best = again;
    weights = trusted;
  }
  return { best, weights };
}

/** Each cell has the same weight, and prompts and answers of it the same, but for what is guessed about an answer. */
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
    const guessed = mixedShare(observation) / UNCERTAIN_MIXED_SHARE;
    return observations.length / (groups.size * size * (1 + guessed * guessed));
  });
}

function mixedShare(observation: Observation): number {
  if (observation.kind === "prefill") return 0;
  const mixed = observation.pieces.filter(({ work }) => isMixed(work));
  return mixed.reduce((sum, { lastsNs }) => sum + lastsNs, 0) / observation.observedNs;
}

function criterion(attempted: Attempt | undefined): number {
  if (attempted === undefined) return Infinity;
  const { fit } = attempted;
  return correctedAkaike(fit) ?? (fit.weightedSquares === 0 ? -Infinity : Infinity);
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
