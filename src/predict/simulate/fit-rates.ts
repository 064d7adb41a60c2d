/**
 * Constants from rates that somebody published of whole workloads, where no request was kept: each
 * workload is simulated, and the constants are those whose simulations come nearest, in relative terms.
 */
import { fitLeastSquares } from "../../stats/least-squares.ts";
import type { KernelParameter } from "../calibrate/kernel-parameters.ts";
import { scaledParameters } from "../calibrate/kernel-parameters.ts";
import type { TimeWithoutKernels } from "../calibrate/observation.ts";
import type { KernelEfficiency } from "../step-time.ts";

export interface PublishedRate {
  readonly observedTokensPerS: number;
  /** The same figure of a simulation with these constants. */
  readonly simulate: (kernels: KernelEfficiency) => number;
}

/** Rates are published with three or four digits: what changes them by less changes nothing, and ends the search. */
const FINEST_SHARE = 1e-5;

/** A simulation's times are whole nanoseconds and its turns are counted: smaller differences are steps, not slopes. */
const SLOPE_SHARE = 0.01;

/**
 * The prior with the constants named here fitted. Undefined where there are fewer rates than constants,
 * or these rates cannot tell them apart.
 */
export function fitRates(
  rates: readonly PublishedRate[],
  fitted: readonly KernelParameter[],
  time: TimeWithoutKernels,
  prior: KernelEfficiency,
): KernelEfficiency | undefined {
  const scaled = scaledParameters(time);
  const kernelsAt = (values: ArrayLike<number>): KernelEfficiency => ({
    ...prior,
    ...Object.fromEntries(fitted.map((name, index) => [name, scaled[name].value(values[index] as number)])),
  });
  const model = ({ simulate, observedTokensPerS }: PublishedRate, values: ArrayLike<number>): number =>
    Math.round(observedTokensPerS / simulate(kernelsAt(values)) / FINEST_SHARE) * FINEST_SHARE;
  const fit = fitLeastSquares({
    observations: rates.map((input) => ({ input, value: 1 })),
    parameters: fitted.map((name) => {
      const { low, high } = scaled[name];
      return { low, high, start: Math.min(Math.max(scaled[name].scaled(prior), low), high) };
    }),
    model,
    slopes: (input, values) =>
      fitted.map((_name, index) => {
        const step = SLOPE_SHARE * Math.max(values[index] as number, 1);
        const more = values.slice();
        more[index] = (values[index] as number) + step;
        return (model(input, more) - model(input, values)) / step;
      }),
  });
  if (fit.kind === "converged") return kernelsAt(fit.parameters.map(({ value }) => value));
  // What the counting of turns leaves cannot be fitted any closer.
  return fit.kind === "not-converged" ? kernelsAt(fit.parameters) : undefined;
}
