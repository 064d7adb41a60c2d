/**
 * The distributions that the tests of this room stand on. The central ones are @stdlib's, which
 * agree with scipy 1.17 to 2e-13; what it lacks or has too coarse is here. Arguments outside of a
 * distribution's domain are a mistake of the caller and stop the process.
 */
import erfcinv from "@stdlib/math-base-special-erfcinv";
import stdlibBinomialCdf from "@stdlib/stats-base-dists-binomial-cdf";
import stdlibNormalCdf from "@stdlib/stats-base-dists-normal-cdf";
import stdlibTCdf from "@stdlib/stats-base-dists-t-cdf";
import stdlibTQuantile from "@stdlib/stats-base-dists-t-quantile";
import { assert } from "../core/assert.ts";

/** P(T ≤ t) of Student's t; the degrees of freedom need not be whole, as Welch's are not. */
export function tCdf(t: number, freedom: number): number {
  return checked(stdlibTCdf(t, freedom), "tCdf");
}

/** The t below which a share p of Student's distribution lies. */
export function tQuantile(p: number, freedom: number): number {
  return checked(stdlibTQuantile(p, freedom), "tQuantile");
}

/** P(|T| ≥ |t|). The lower tail is doubled, since 1 − cdf loses every digit where p is small. */
export function tTwoSidedP(t: number, freedom: number): number {
  return 2 * tCdf(-Math.abs(t), freedom);
}

/** Φ(z) of the standard normal distribution. */
export function normalCdf(z: number): number {
  return checked(stdlibNormalCdf(z, 0, 1), "normalCdf");
}

/**
 * Φ⁻¹(p) as −√2 · erfcinv(2p). @stdlib's own normal quantile is off by 2e-9 at p = 1e-10; this
 * identity holds to the last digits there.
 */
export function normalQuantile(p: number): number {
  return checked(-Math.SQRT2 * erfcinv(2 * p), "normalQuantile");
}

/** P(X ≤ k) of n independent trials that succeed with chance p each. */
export function binomialCdf(k: number, n: number, p: number): number {
  return checked(stdlibBinomialCdf(k, n, p), "binomialCdf");
}

/** Log weight, relative to the largest, below which a node adds nothing that a double would hold. */
const NEGLIGIBLE_LOG_WEIGHT = -80;

/**
 * Spacing of the nodes in units of the integrand's width. The error of a trapezoid sum of a smooth
 * function falls exponentially: 1e-10 at a spacing of 0.5 where it is worst, at one degree of freedom,
 * and its square at half of that.
 */
const NODE_SPACING = 0.25;

/** The number of nodes grows with t and δ; at this size one chance takes millions of them. */
const STEEPEST = 1e5;

/**
 * P(T ≤ t) of the noncentral t distribution: T = (Z + δ) ÷ S with Z standard normal and νS² chi-squared
 * with ν degrees of freedom. Given S = s the chance is Φ(t·s − δ), so
 *
 *     P(T ≤ t) = E[Φ(t·S − δ)],
 *
 * a mean over the density of S. In u = ln s that density is exp(ν·u − ν·e^(2u) ÷ 2) up to a
 * constant, smooth and gone fast on both sides, so an even trapezoid sum converges exponentially;
 * dividing by the sum of the weights spares the constant. Absolute error 1e-13, and relative 1e-9
 * down to chances of 1e-15. ν is at least 1, |t| and |δ| at most 100,000.
 */
export function noncentralTCdf(t: number, freedom: number, noncentrality: number): number {
  const steepness = Math.max(Math.abs(t), Math.abs(noncentrality));
  assert(freedom >= 1 && steepness <= STEEPEST, "noncentralTCdf: argument outside of its domain");
  const logWeight = (u: number): number => freedom * (u - Math.expm1(2 * u) / 2);
  const step = NODE_SPACING / Math.sqrt(2 * freedom + steepness ** 2);
  let weights = 0;
  let sum = 0;
  const add = (u: number): boolean => {
    const log = logWeight(u);
    const weight = Math.exp(log);
    weights += weight;
    sum += weight * normalCdf(t * Math.exp(u) - noncentrality);
    return log > NEGLIGIBLE_LOG_WEIGHT;
  };
  // The weight is largest at u = 0: walk from there to both sides until it is gone.
  for (let node = 0; add(node * step); node++);
  for (let node = -1; add(node * step); node--);
  return sum / weights;
}

function checked(value: number, name: string): number {
  assert(!Number.isNaN(value), `${name}: argument outside of its domain`);
  return value;
}
