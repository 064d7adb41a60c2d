import fc from "fast-check";
import { describe as group, expect, it } from "vitest";
import { expectClose, ofKind } from "../../test/fakes/expectations.ts";
import fixture from "../../test/fixtures/stats/descriptions.json" with { type: "json" };
import { describe } from "./describe.ts";

group("describing one figure over trials", () => {
  it("agrees with numpy and scipy", () => {
    for (const row of fixture.samples) {
      const result = describe(row.values);
      const at = (share: number): number | undefined => row.quantiles[row.shares.indexOf(share)];
      if (result === undefined) throw new Error("every sample has values");
      expect(result.n).toBe(row.values.length);
      expectClose(result.mean, row.mean);
      expectClose(result.min, at(0));
      expectClose(result.p5, at(0.05));
      expectClose(result.p25, at(0.25));
      expectClose(result.median, at(0.5));
      expectClose(result.p75, at(0.75));
      expectClose(result.p95, at(0.95));
      expectClose(result.max, at(1));
      if (row.sd === undefined) {
        expect(result.spread.kind).not.toBe("known");
        continue;
      }
      const spread = ofKind(result.spread, "known");
      expectClose(spread.sd, row.sd);
      expectClose(spread.cvPct, row.cvPct);
      expectClose(spread.ci95.low, row.interval?.[0]);
      expectClose(spread.ci95.high, row.interval?.[1]);
    }
  });

  it("gives the published interval of the same study at eight agents", () => {
    const result = describe([28.86, 27.21, 30.32]);
    if (result?.spread.kind !== "known") throw new Error("three different values have a spread");
    // Published to two decimals: 24.93 … 32.66, CV 5.4 %.
    expect(result.spread.ci95.low).toBeCloseTo(24.93, 2);
    expect(result.spread.ci95.high).toBeCloseTo(32.66, 2);
    expect(result.spread.cvPct).toBeCloseTo(5.4, 2);
  });

  it("says that one value has no spread and that two would have", () => {
    expect(describe([7])).toMatchObject({ n: 1, mean: 7, spread: { kind: "too-few", needed: 2 } });
  });

  it("says that equal values have no variance, also where their mean rounds", () => {
    expect(describe([0.1, 0.1, 0.1])?.spread).toEqual({ kind: "no-variance" });
  });

  it("has no CV where the mean is 0", () => {
    expect(describe([-1, 1])?.spread).toMatchObject({ kind: "known", cvPct: undefined });
  });

  it("counts only what is known, and nothing known is no description", () => {
    expect(describe([undefined, 4, undefined, 6])).toMatchObject({ n: 2, mean: 5 });
    expect(describe([undefined])).toBeUndefined();
  });

  it("moves with its values: adding a constant moves the mean and leaves the spread", () => {
    const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(values, fc.integer({ min: -1000, max: 1000 }), (xs, constant) => {
        const before = describe(xs);
        const after = describe(xs.map((x) => x + constant));
        expect(after?.mean).toBeCloseTo((before?.mean as number) + constant, 6);
        expect(after?.spread.kind).toBe(before?.spread.kind);
        if (before?.spread.kind === "known" && after?.spread.kind === "known")
          expect(after.spread.sd).toBeCloseTo(before.spread.sd, 6);
      }),
    );
  });
});
