/** Order statistics. A quantile of nothing does not exist: it is `undefined`, never 0 or NaN. */

/** An ascending copy of the numbers; the input may be a plain or a typed array. */
export function sortedNumbers(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(values).sort();
}

/**
 * The q-quantile of ascending values, q in [0, 1], by linear interpolation between order
 * statistics at (n − 1)q: type 7 of Hyndman and Fan, "Sample quantiles in statistical packages",
 * The American Statistician 50 (1996), which is also what numpy and R do unless told otherwise.
 */
export function quantile(sorted: Float64Array, q: number): number | undefined {
  const place = (sorted.length - 1) * q;
  const below = Math.floor(place);
  const low = sorted[below];
  const high = sorted[Math.ceil(place)];
  if (low === undefined || high === undefined) return undefined;
  return low + (place - below) * (high - low);
}

export function median(values: ArrayLike<number>): number | undefined {
  return quantile(sortedNumbers(values), 0.5);
}

export function mean(values: ArrayLike<number>): number | undefined {
  if (values.length === 0) return undefined;
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index] as number;
  return sum / values.length;
}
