import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EarliestQueue } from "./earliest-queue.ts";

describe("the queue of events", () => {
  it("gives entries by time, and equal times by rank, as a sorted list would", () => {
    const entry = fc.record({ time: fc.integer({ min: 0, max: 20 }), rank: fc.integer({ min: 0, max: 5 }) });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
        const queue = new EarliestQueue<(typeof entries)[number]>();
        for (const one of entries) queue.add(one.time, one.rank, one);
        const taken = entries.map(() => queue.take());
        const sorted = [...entries].sort((a, b) => a.time - b.time || a.rank - b.rank);
        expect(taken).toEqual(sorted);
        expect([queue.size, queue.take(), queue.earliest]).toEqual([0, undefined, undefined]);
      }),
    );
  });
});
