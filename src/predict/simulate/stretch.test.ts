import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stepsToReach, stretchNs } from "./stretch.ts";
import type { Stretch } from "./stretch.ts";

const anyStretch = fc.record({
  steps: fc.integer({ min: 1, max: 300 }),
  firstNs: fc.integer({ min: 1, max: 1_000_000 }),
  growthNs: fc.integer({ min: 0, max: 1_000 }),
});

/** One step after the other. */
function addedNs({ firstNs, growthNs }: Stretch, steps: number): number {
  let total = 0;
  for (let step = 0; step < steps; step++) total += firstNs + growthNs * step;
  return total;
}

function reach(stretch: Stretch, ns: number): number {
  return stepsToReach(stretch, ns, 1, (steps) => stretchNs(stretch, steps));
}

describe("a stretch of decode steps", () => {
  it("takes as long as its steps one after the other", () => {
    fc.assert(
      fc.property(anyStretch, (stretch) => {
        expect(stretchNs(stretch, stretch.steps)).toBe(addedNs(stretch, stretch.steps));
      }),
    );
  });

  it("is cut after the first step that reaches a time, found by trying all", () => {
    fc.assert(
      fc.property(anyStretch, fc.integer({ min: 0, max: 400_000_000 }), (stretch, ns) => {
        let expected = 1;
        while (expected < stretch.steps && addedNs(stretch, expected) < ns) expected++;
        expect(reach(stretch, ns)).toBe(expected);
      }),
    );
  });

  it("is cut at a step's very end when the time is that end", () => {
    fc.assert(
      fc.property(anyStretch, fc.nat(), (stretch, draw) => {
        const steps = 1 + (draw % stretch.steps);
        expect(reach(stretch, addedNs(stretch, steps))).toBe(steps);
      }),
    );
  });
});
