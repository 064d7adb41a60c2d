import { assert } from "../core/assert.ts";

export type HolmResult =
  | {
      readonly kind: "adjusted";
      readonly p: number;
      /** The smallest family-wise level at which this test is rejected; never below p. */
      readonly adjustedP: number;
      /** 1 for the smallest p of the family. */
      readonly rank: number;
      /** The level that p was held against: alpha ÷ (m + 1 − rank). */
      readonly threshold: number;
      readonly rejected: boolean;
    }
  | { readonly kind: "undefined" };

/**
 * Holm's step-down over a declared family, in the order given: the k-th smallest p is multiplied by
 * m + 1 − k, and none may be smaller than one before it. It bounds the chance of any false alarm by
 * alpha, whatever the tests depend on. S. Holm, "A simple sequentially rejective multiple test
 * procedure", Scandinavian Journal of Statistics 6 (1979).
 *
 * A test of the family that has no p (`undefined`: too few, no variance) keeps its place in m: the
 * family was declared before the data were seen, and leaving it out would make the others look surer.
 */
export function holm(family: readonly (number | undefined)[], alpha = 0.05): HolmResult[] {
  const size = family.length;
  const ordered = family
    .flatMap((p, place) => (p === undefined ? [] : [{ p, place }]))
    .sort((a, b) => a.p - b.p);
  const results: HolmResult[] = family.map(() => ({ kind: "undefined" }));
  let largest = 0;
  ordered.forEach(({ p, place }, index) => {
    assert(p >= 0 && p <= 1, `p value ${place} of a family is not within 0 and 1`);
    const remaining = size - index;
    largest = Math.max(largest, Math.min(1, p * remaining));
    results[place] = {
      kind: "adjusted",
      p,
      adjustedP: largest,
      rank: index + 1,
      threshold: alpha / remaining,
      rejected: largest <= alpha,
    };
  });
  return results;
}
