/**
 * Exact null distributions of the two rank statistics, as chances P(X = 0), P(X = 1), …: every order
 * of the values (or every choice of signs) is equally likely. Both are symmetric about their middle.
 */

/**
 * Of Mann and Whitney's U for samples of n₁ and n₂ values without ties. The number of orders with
 * U = u is the coefficient of q^u in the Gaussian binomial Π (1 − q^(n+i)) ÷ (1 − q^i), i = 1 … m;
 * each factor is put in by one multiplication and one division of the series. m·n + 1 chances.
 */
export function mannWhitneyChances(firstCount: number, secondCount: number): Float64Array {
  const fewer = Math.min(firstCount, secondCount);
  const more = Math.max(firstCount, secondCount);
  const top = fewer * more;
  const chances = new Float64Array(top + 1);
  chances[0] = 1;
  const half = Math.floor(top / 2);
  for (let i = 1; i <= fewer; i++) {
    // Divided by the growing number of orders at once, so that long samples stay within a double.
    const share = i / (more + i);
    for (let u = half; u >= more + i; u--)
      chances[u] = (chances[u] as number) - (chances[u - more - i] as number);
    for (let u = i; u <= half; u++) chances[u] = (chances[u] as number) + (chances[u - i] as number);
    for (let u = 0; u <= half; u++) chances[u] = (chances[u] as number) * share;
  }
  // Only the lower half is computed: subtraction would cost the upper one its digits.
  for (let u = 0; u <= half; u++) chances[top - u] = chances[u] as number;
  return chances;
}

/**
 * Of Wilcoxon's W⁺, the sum of the ranks 1 … n that got a positive sign, each with chance ½:
 * one rank after the other is let in or left out. n(n + 1)/2 + 1 chances.
 */
export function signedRankChances(n: number): Float64Array {
  const top = (n * (n + 1)) / 2;
  const chances = new Float64Array(top + 1);
  chances[0] = 1;
  for (let rank = 1; rank <= n; rank++)
    for (let sum = (rank * (rank + 1)) / 2; sum >= 0; sum--)
      chances[sum] = ((chances[sum] as number) + (sum >= rank ? (chances[sum - rank] as number) : 0)) / 2;
  return chances;
}

/** P(X ≤ k). */
export function chanceUpTo(chances: Float64Array, k: number): number {
  let sum = 0;
  for (let value = 0; value <= Math.min(k, chances.length - 1); value++) sum += chances[value] as number;
  return sum;
}

/** (1 − 0.9) ÷ 2 is a little less than 0.05 in a double, and a chance of exactly 1/20 must still count. */
const SAME = 1e-12;

/** The largest k with P(X < k) ≤ tail, which is 0 where even P(X = 0) exceeds it. */
export function lowerCriticalCount(chances: Float64Array, tail: number): number {
  const most = tail * (1 + SAME);
  let below = 0;
  let k = 0;
  while (k < chances.length && below + (chances[k] as number) <= most) below += chances[k++] as number;
  return k;
}
