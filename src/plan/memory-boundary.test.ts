import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GridAxes, GridPoint } from "./memory-boundary.ts";
import { findMemoryBoundary } from "./memory-boundary.ts";

const anAxis = (most: number): fc.Arbitrary<number[]> =>
  fc
    .uniqueArray(fc.integer({ min: 1, max: most }), { minLength: 1, maxLength: 12 })
    .map((values) => values.toSorted((a, b) => a - b));

const someAxes = fc.record({ slots: anAxis(32), contextTokensPerSlot: anAxis(1000) });

/** More of either needs more: a fixed part, a part per slot, a part per cell. */
const someMemory = fc.record({
  slotBytes: fc.nat(200),
  cellBytes: fc.nat(5),
  capacityBytes: fc.nat(20_000),
});

function longestByHand(axes: GridAxes, fits: (point: GridPoint) => boolean): Map<number, number> {
  const longest = new Map<number, number>();
  for (const slots of axes.slots)
    for (const contextTokensPerSlot of axes.contextTokensPerSlot)
      if (fits({ slots, contextTokensPerSlot })) longest.set(slots, contextTokensPerSlot);
  return longest;
}

describe("the boundary of memory", () => {
  it("is what trying everything gives, with about one bisection's tries for each number of slots", async () => {
    await fc.assert(
      fc.asyncProperty(someAxes, someMemory, async (axes, { slotBytes, cellBytes, capacityBytes }) => {
        const fits = ({ slots, contextTokensPerSlot }: GridPoint): boolean =>
          slots * (slotBytes + cellBytes * contextTokensPerSlot) <= capacityBytes;
        const { longest, tried, contradictions } = await findMemoryBoundary(axes, fits);
        expect(longest).toEqual(longestByHand(axes, fits));
        expect(contradictions).toEqual([]);
        const mostTries = 2 + Math.ceil(Math.log2(axes.contextTokensPerSlot.length + 1));
        expect(tried.length).toBeLessThanOrEqual(mostTries * axes.slots.length);
        expect(new Set(tried.map((point) => `${point.slots} ${point.contextTokensPerSlot}`)).size).toBe(
          tried.length,
        );
      }),
    );
  });

  it("tries a card that everything fits on once for each number of slots", async () => {
    const axes = { slots: [1, 2, 4], contextTokensPerSlot: [4096, 8192, 16_384] };
    const { tried, longest } = await findMemoryBoundary(axes, () => true);
    expect(tried).toHaveLength(3);
    expect([...longest.values()]).toEqual([16_384, 16_384, 16_384]);
  });

  it("says when more fitted although less did not, as when somebody else gave memory back meanwhile", async () => {
    const axes = { slots: [1, 2], contextTokensPerSlot: [1000, 2000, 4000] };
    // With one slot 2,000 tokens fit and 4,000 do not; by the second slot they do.
    const fits = ({ slots, contextTokensPerSlot }: GridPoint): boolean =>
      slots === 2 || contextTokensPerSlot <= 2000;
    const { contradictions, longest } = await findMemoryBoundary(axes, fits);
    expect(contradictions).toEqual([
      {
        fitted: { slots: 2, contextTokensPerSlot: 4000 },
        didNotFit: { slots: 1, contextTokensPerSlot: 4000 },
      },
    ]);
    expect(longest).toEqual(
      new Map([
        [1, 2000],
        [2, 4000],
      ]),
    );
  });

  it("notices it too where nothing fitted at first", async () => {
    const axes = { slots: [1, 2], contextTokensPerSlot: [1000, 2000] };
    const { contradictions } = await findMemoryBoundary(axes, ({ slots }) => slots === 2);
    expect(contradictions.length).toBeGreaterThan(0);
  });
});
