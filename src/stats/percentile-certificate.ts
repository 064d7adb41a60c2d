/**
 * Whether a sample carries a percentile. A p99 of forty requests is their maximum under another
 * name: it is printed only when, with 99 % confidence, at least two of the n values lie beyond the
 * true percentile, P(Binomial(n, 1 − q) ≥ 2) ≥ 0.99. That asks for 11 values at p50, 64 at p90,
 * 130 at p95 and 662 at p99. The idea of certifying a percentile so is MLPerf LoadGen's.
 */
import { binomialCdf } from "./distributions.ts";
import { quantile } from "./quantile.ts";

export type CertifiedPercentile =
  | { readonly kind: "certified"; readonly value: number; readonly n: number }
  | { readonly kind: "too-few"; readonly n: number; readonly needed: number };

const CONFIDENCE = 0.99;
const FEWEST_BEYOND = 2;

/** The smallest n that carries the q-quantile, 0 < q < 1; low quantiles count the values below. */
export function neededForPercentile(q: number): number {
  const beyond = Math.min(q, 1 - q);
  let low = FEWEST_BEYOND;
  let high = FEWEST_BEYOND;
  while (!carries(high, beyond)) high *= 2;
  // The chance of two beyond only grows with n, so the smallest n is found by halving.
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (carries(middle, beyond)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function carries(n: number, beyond: number): boolean {
  return 1 - binomialCdf(FEWEST_BEYOND - 1, n, beyond) >= CONFIDENCE;
}

export function certifiedPercentile(sorted: Float64Array, q: number): CertifiedPercentile {
  const needed = neededForPercentile(q);
  const value = quantile(sorted, q);
  const n = sorted.length;
  return value === undefined || n < needed ? { kind: "too-few", n, needed } : { kind: "certified", value, n };
}
