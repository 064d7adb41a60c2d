/**
 * Jain's fairness index, (Σx)² ÷ (n·Σx²): 1 when all shares are equal, 1/n when one has all.
 * Jain, Chiu and Hawe, "A Quantitative Measure of Fairness and Discrimination" (1984).
 * `undefined` for no shares, or when nobody got anything.
 */
export function jainIndex(shares: readonly number[]): number | undefined {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return squares === 0 ? undefined : (sum * sum) / (shares.length * squares);
}
