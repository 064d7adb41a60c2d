/** Two expectations that many tests of figures need. */
import { expect } from "vitest";

/** Equal up to a share of the expected value: figures of any size are held to the same number of digits. */
export function expectClose(actual: number | undefined, expected: number | undefined, share = 1e-9): void {
  if (actual === undefined || expected === undefined)
    throw new Error(`${actual} and ${expected} do not compare`);
  const off = Math.abs(actual - expected);
  expect(off, `${actual} is not ${expected}`).toBeLessThanOrEqual(share * Math.abs(expected));
}

/** The result as the member of its union that the test expects, or a failure that shows what came instead. */
export function ofKind<Result extends { readonly kind: string }, Kind extends Result["kind"]>(
  result: Result,
  kind: Kind,
): Extract<Result, { readonly kind: Kind }> {
  expect(result).toMatchObject({ kind });
  return result as Extract<Result, { readonly kind: Kind }>;
}
