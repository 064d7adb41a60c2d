import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { queueingNull } from "./queueing-null.ts";

/** Serves requests one at a time in order of arrival, by hand: a queue of agents, a clock. */
function playedOut(
  agents: number,
  rounds: number,
): { readonly gainByRates: number; readonly gainByWalls: number } {
  const queue = Array.from({ length: agents }, () => ({ arrived: 0, left: rounds }));
  const walls: number[] = [];
  let now = 0;
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    now += 1;
    walls.push(now - next.arrived);
    if (next.left > 1) queue.push({ arrived: now, left: next.left - 1 });
  }
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return { gainByRates: agents * mean(walls.map((wall) => 1 / wall)), gainByWalls: agents / mean(walls) };
}

describe("plain queueing", () => {
  it("shows a gain of H_N when each of N agents sends one request", () => {
    // H_8 = 761/280.
    expect(queueingNull(8, 1).gainByRates).toBeCloseTo(761 / 280, 12);
    expect(queueingNull(8, 1).degradationByRatesPct).toBeCloseTo((761 / 280 / 8 - 1) * 100, 10);
    // Walls 1 … 8, mean 4.5.
    expect(queueingNull(8, 1).gainByWalls).toBeCloseTo(8 / 4.5, 12);
  });

  it("still shows 1.57 when each sends three, where the study printed 1.44", () => {
    // (H_8 + 2) ÷ 3 and 8 ÷ ((4.5 + 8 + 8) ÷ 3).
    expect(queueingNull(8, 3).gainByRates).toBeCloseTo((761 / 280 + 2) / 3, 12);
    expect(queueingNull(8, 3).gainByWalls).toBeCloseTo(24 / 20.5, 12);
    expect(queueingNull(8, 3).degradationByRatesPct).toBeCloseTo(-80.3423, 4);
  });

  it("is what a queue that is played out gives, and no gain at all in the limit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 6 }), (agents, rounds) => {
        const closed = queueingNull(agents, rounds);
        const played = playedOut(agents, rounds);
        expect(closed.gainByRates).toBeCloseTo(played.gainByRates, 9);
        expect(closed.gainByWalls).toBeCloseTo(played.gainByWalls, 9);
      }),
    );
    expect(queueingNull(8, 100_000).gainByRates).toBeCloseTo(1, 4);
  });
});
