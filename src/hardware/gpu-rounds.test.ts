import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GpuRounds } from "./gpu-rounds.ts";

describe("rounds of cards", () => {
  const feed = (indices: readonly number[]): number[][] => {
    const rounds = new GpuRounds();
    const complete = indices.flatMap((index, at) => rounds.push(at, { index }));
    return [...complete, ...rounds.flush()].map((round) => round.gpus.map((gpu) => gpu.index));
  };

  test("the first round ends when the index starts over, later ones with their last card", () => {
    const rounds = new GpuRounds();
    expect(rounds.push(10, { index: 0 })).toEqual([]);
    expect(rounds.push(12, { index: 1 })).toEqual([]);
    expect(rounds.push(510, { index: 0 })).toEqual([{ atNs: 10, gpus: [{ index: 0 }, { index: 1 }] }]);
    expect(rounds.push(513, { index: 1 })).toEqual([{ atNs: 510, gpus: [{ index: 0 }, { index: 1 }] }]);
  });

  test("a card that drops out or comes back does not mix up the rounds for long", () => {
    expect(feed([0, 1, 0, 1, 0, 0, 0])).toEqual([[0, 1], [0, 1], [0], [0], [0]]);
    expect(feed([0, 0, 0, 1, 0, 1, 0, 1])).toEqual([[0], [0], [0], [1], [0, 1], [0, 1]]);
  });

  test("no reading is lost or doubled, whatever the order of cards", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(7)), (indices) => {
        expect(feed(indices).flat()).toEqual(indices);
      }),
    );
  });
});
