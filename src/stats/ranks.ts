/** Ranks with ties shared, for the tests that look only at the order of values. */

export interface Ranking {
  /** 1 for the smallest, in the order the values were given; equal values share their mean rank. */
  readonly ranks: Float64Array;
  /** Σ (t³ − t) over groups of t equal values: what ties take from the variance of a rank sum. */
  readonly tieTerm: number;
}

export function rank(values: readonly number[]): Ranking {
  const order = values.map((_, index) => index).sort((a, b) => (values[a] as number) - (values[b] as number));
  const ranks = new Float64Array(values.length);
  let tieTerm = 0;
  for (let start = 0; start < order.length; ) {
    const value = values[order[start] as number];
    let end = start + 1;
    while (end < order.length && values[order[end] as number] === value) end++;
    const tied = end - start;
    for (const place of order.slice(start, end)) ranks[place] = start + (tied + 1) / 2;
    tieTerm += tied ** 3 - tied;
    start = end;
  }
  return { ranks, tieTerm };
}
