/**
 * Which configurations fit, with few tries: a server that is started to see whether it fits costs
 * seconds. More slots and longer contexts need more memory, so that for each number of slots there
 * is a longest context, found by bisection, and it does not grow with the slots. That is an
 * assumption about a real machine, so each number of slots tries it once.
 */
import { assert } from "../core/assert.ts";

export interface GridPoint {
  readonly slots: number;
  readonly contextTokensPerSlot: number;
}

export interface GridAxes {
  /** Each in ascending order, without repeats. */
  readonly slots: readonly number[];
  readonly contextTokensPerSlot: readonly number[];
}

export type Fits = (point: GridPoint) => boolean | Promise<boolean>;

export interface TriedPoint extends GridPoint {
  readonly fits: boolean;
}

/** The larger one fitted although the smaller one did not: memory was taken by somebody else, or is not what decides. */
export interface Contradiction {
  readonly fitted: GridPoint;
  readonly didNotFit: GridPoint;
}

export interface MemoryBoundary {
  /** The longest context that fits, for each number of slots; absent where none does. */
  readonly longest: ReadonlyMap<number, number>;
  /** In the order of the tries. */
  readonly tried: readonly TriedPoint[];
  /** Empty where everything tried agrees that less needs less. */
  readonly contradictions: readonly Contradiction[];
}

export async function findMemoryBoundary(axes: GridAxes, fits: Fits): Promise<MemoryBoundary> {
  assertAscending(axes.slots);
  assertAscending(axes.contextTokensPerSlot);
  const tried: TriedPoint[] = [];
  const longest = new Map<number, number>();
  const contexts = axes.contextTokensPerSlot;
  let fitting = contexts.length;
  for (const slots of axes.slots) {
    const fitsAt = async (index: number): Promise<boolean> => {
      const point = { slots, contextTokensPerSlot: contexts[index] as number };
      const answer = await fits(point);
      tried.push({ ...point, fits: answer });
      return answer;
    };
    fitting = await countFitting(fitting, contexts.length, fitsAt);
    const context = contexts[fitting - 1];
    if (context !== undefined) longest.set(slots, context);
  }
  return { longest, tried, contradictions: contradictionsOf(tried) };
}

/**
 * How many of the contexts fit, ascending. With fewer slots `before` did, so that the answer is
 * expected there or below: the two at the edge are tried first.
 */
async function countFitting(
  before: number,
  length: number,
  fitsAt: (index: number) => Promise<boolean>,
): Promise<number> {
  let low = 0;
  let high = before;
  if (before > 0 && (await fitsAt(before - 1))) {
    low = before;
    if (before === length || !(await fitsAt(before))) return before;
    // It should not have: less fitted with fewer slots. Where it ends has to be looked for above.
    low = before + 1;
    high = length;
  } else if (before === 0) {
    if (length === 0 || !(await fitsAt(0))) return 0;
    low = 1;
    high = length;
  } else high = before - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (await fitsAt(middle - 1)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function contradictionsOf(tried: readonly TriedPoint[]): readonly Contradiction[] {
  const failures = tried.filter(({ fits }) => !fits);
  return tried
    .filter(({ fits }) => fits)
    .flatMap((fitted) =>
      failures
        .filter(
          (failed) =>
            failed.slots <= fitted.slots && failed.contextTokensPerSlot <= fitted.contextTokensPerSlot,
        )
        .map((failed) => ({ fitted: pointOf(fitted), didNotFit: pointOf(failed) })),
    );
}

function pointOf({ slots, contextTokensPerSlot }: TriedPoint): GridPoint {
  return { slots, contextTokensPerSlot };
}

function assertAscending(values: readonly number[]): void {
  assert(
    values.every((value, index) => index === 0 || value > (values[index - 1] as number)),
    "the values of an axis ascend",
  );
}
