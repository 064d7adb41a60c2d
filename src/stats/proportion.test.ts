import fc from "fast-check";
import { expect, it } from "vitest";
import { expectClose, ofKind } from "../../test/fakes/expectations.ts";
import fixture from "../../test/fixtures/stats/shares.json" with { type: "json" };
import { proportionInterval, trialsWithoutHit } from "./proportion.ts";

it("says after no hit in n trials how large the share may still be", () => {
  for (const n of [1, 3, 15, 368]) {
    const interval = ofKind(proportionInterval(0, n), "known");
    expect(interval.low).toBe(0);
    expectClose(interval.high, 1 - 0.025 ** (1 / n));
  }
});

it("agrees with scipy's exact interval", () => {
  for (const { hits, n, confidence, interval } of fixture.proportions) {
    const own = ofKind(proportionInterval(hits, n, confidence), "known");
    expectClose(own.low, interval[0]);
    expectClose(own.high, interval[1]);
  }
});

it("has nothing to say about no trial", () => {
  expect(proportionInterval(0, 0)).toEqual({ kind: "too-few", needed: 1 });
});

it("knows how many clean trials a limit asks for", () => {
  for (const { limit, n } of fixture.withoutHit) expect(trialsWithoutHit(limit)).toBe(n);
});

it("contains the share that was seen, and mirrors when hits and misses change places", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.nat({ max: 300 }), (n, draw) => {
      const hits = Math.min(draw, n);
      const own = proportionInterval(hits, n);
      const mirrored = proportionInterval(n - hits, n);
      if (own.kind !== "known" || mirrored.kind !== "known") throw new Error("both are known");
      expect(own.low).toBeLessThanOrEqual(hits / n);
      expect(own.high).toBeGreaterThanOrEqual(hits / n);
      expect(own.low).toBeCloseTo(1 - mirrored.high, 9);
    }),
  );
});
