/** Small symmetric systems, stored row by row. */

/** A pivot that keeps less than this share of its diagonal is a column that others make up. */
const SINGULAR_SHARE = 1e-13;

/**
 * L with L·Lᵀ = the matrix, lower triangle; `undefined` where the matrix is not positive definite to
 * working precision.
 */
export function choleskyFactor(matrix: Float64Array, size: number): Float64Array | undefined {
  const factor = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row * size + column] as number;
      for (let k = 0; k < column; k++)
        sum -= (factor[row * size + k] as number) * (factor[column * size + k] as number);
      if (row !== column) {
        factor[row * size + column] = sum / (factor[column * size + column] as number);
        continue;
      }
      // Written so that NaN fails it too.
      if (!(sum > SINGULAR_SHARE * (matrix[row * size + row] as number))) return undefined;
      factor[row * size + row] = Math.sqrt(sum);
    }
  }
  return factor;
}

/** x with L·Lᵀ·x = right. */
export function choleskySolve(factor: Float64Array, right: Float64Array): Float64Array {
  const size = right.length;
  const x = Float64Array.from(right);
  for (let row = 0; row < size; row++) {
    let sum = x[row] as number;
    for (let k = 0; k < row; k++) sum -= (factor[row * size + k] as number) * (x[k] as number);
    x[row] = sum / (factor[row * size + row] as number);
  }
  for (let row = size - 1; row >= 0; row--) {
    let sum = x[row] as number;
    for (let k = row + 1; k < size; k++) sum -= (factor[k * size + row] as number) * (x[k] as number);
    x[row] = sum / (factor[row * size + row] as number);
  }
  return x;
}

/** The diagonal of the inverse of L·Lᵀ: Σ over each column of L⁻¹ squared. */
export function inverseDiagonal(factor: Float64Array, size: number): Float64Array {
  const diagonal = new Float64Array(size);
  for (let column = 0; column < size; column++) {
    const unit = new Float64Array(size);
    unit[column] = 1;
    diagonal[column] = choleskySolve(factor, unit)[column] as number;
  }
  return diagonal;
}
