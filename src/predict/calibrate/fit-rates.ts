/**
 * Kernel constants from the rates of whole configurations, where nothing else was published: the
 * constants with which a simulation gives the same rates. As many as there are rates, at most; where
 * there are more rates than constants, those that come nearest to all of them.
 */
import { fitLeastSquares } from "../../stats/least-squares.ts";
import type { KernelEfficiency } from "../step-time.ts";
import type { KernelParameter } from "./kernel-parameters.ts";
import { scaledParameters } from "./kernel-parameters.ts";
import type { TimeWithoutKernels } from "./observation.ts";

export interface RateTarget {
  readonly tokensPerS: number;
  /** The same rate of a simulation with these kernels. */
  readonly simulate: (kernels: KernelEfficiency) => number;
}

/**
 * A simulated rate jumps where another turn comes to an end in time, so that the last digits of a
 * minimum are not to be had; published rates have three.
 */
const MOST_OFF = 0.01;

/** Smaller differences of a rate are counting, not slopes, and end no search that goes on for their sake. */
const FINEST_SHARE = 1e-5;
const SLOPE_SHARE = 0.01;

/** Undefined where no such constants were found. */
export function fitKernelsToRates(
  targets: readonly RateTarget[],
  chosen: readonly KernelParameter[],
  time: TimeWithoutKernels,
  prior: KernelEfficiency,
): KernelEfficiency | undefined {
  const scaled = scaledParameters(time);
  const kernelsAt = (values: ArrayLike<number>): KernelEfficiency => ({
    ...prior,
    ...Object.fromEntries(
      chosen.map((parameter, index) => [parameter, scaled[parameter].value(values[index] as number)]),
    ),
  });
  // Times and not rates: they are nearly linear in the constants.
  const model = ({ tokensPerS, simulate }: RateTarget, values: ArrayLike<number>): number =>
    Math.round(tokensPerS / simulate(kernelsAt(values)) / FINEST_SHARE) * FINEST_SHARE;
  const fit = fitLeastSquares({
    observations: targets.map((input) => ({ input, value: 1 })),
    parameters: chosen.map((parameter) => {
      const { low, high } = scaled[parameter];
      return { low, high, start: Math.min(Math.max(scaled[parameter].scaled(prior), low), high) };
    }),
    model,
    slopes: (input, values) =>
      chosen.map((_parameter, index) => {
        const step = SLOPE_SHARE * Math.max(values[index] as number, 1);
        const more = values.slice();
        more[index] = (values[index] as number) + step;
        return (model(input, more) - model(input, values)) / step;
      }),
  });
  if (fit.kind !== "converged" && fit.kind !== "not-converged") return undefined;
  const kernels = kernelsAt(fit.parameters.map((one) => (typeof one === "number" ? one : one.value)));
  const isMet = ({ tokensPerS, simulate }: RateTarget): boolean =>
    Math.abs(simulate(kernels) / tokensPerS - 1) <= MOST_OFF;
  return targets.length > chosen.length || targets.every(isMet) ? kernels : undefined;
}
