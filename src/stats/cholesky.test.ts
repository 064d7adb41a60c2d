import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { choleskyFactor, choleskySolve, inverseDiagonal } from "./cholesky.ts";

describe("Cholesky's factor", () => {
  it("of a matrix of three rows is the one of the textbook", () => {
    const matrix = Float64Array.from([4, 12, -16, 12, 37, -43, -16, -43, 98]);
    expect([...(choleskyFactor(matrix, 3) ?? [])]).toEqual([2, 0, 0, 6, 1, 0, -8, 5, 3]);
  });

  it("does not exist for columns that depend on each other, or for NaN", () => {
    expect(choleskyFactor(Float64Array.from([1, 2, 2, 4]), 2)).toBeUndefined();
    expect(choleskyFactor(Float64Array.from([1, 0, 0, Number.NaN]), 2)).toBeUndefined();
  });

  it("inverts: [[2, 1], [1, 3]] has ⅗ and ⅖ on the diagonal of its inverse", () => {
    const factor = choleskyFactor(Float64Array.from([2, 1, 1, 3]), 2);
    if (factor === undefined) throw new Error("positive definite");
    const [first, second] = inverseDiagonal(factor, 2);
    expect(first).toBeCloseTo(0.6, 14);
    expect(second).toBeCloseTo(0.4, 14);
  });

  it("solves what it was given", () => {
    const entries = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 9, maxLength: 9 });
    fc.assert(
      fc.property(
        entries,
        fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 3, maxLength: 3 }),
        (a, x) => {
          // AᵀA + I is positive definite whatever A is.
          const matrix = Float64Array.from({ length: 9 }, (_, place) => {
            const [row, column] = [Math.floor(place / 3), place % 3];
            const dot = [0, 1, 2].reduce(
              (sum, k) => sum + (a[k * 3 + row] as number) * (a[k * 3 + column] as number),
              0,
            );
            return dot + (row === column ? 1 : 0);
          });
          const right = Float64Array.from({ length: 3 }, (_, row) =>
            x.reduce((sum, value, column) => sum + (matrix[row * 3 + column] as number) * value, 0),
          );
          const factor = choleskyFactor(matrix, 3);
          if (factor === undefined) throw new Error("positive definite");
          choleskySolve(factor, right).forEach((value, index) =>
            expect(value).toBeCloseTo(x[index] as number, 6),
          );
        },
      ),
    );
  });
});
