import fc from "fast-check";
import { describe as group, expect, it } from "vitest";
import { describe } from "./describe.ts";

group("describing one figure over trials", () => {
  it("gives the mean, sample deviation, CV and t interval of the kernel study's solo rates", () => {
    const result = describe([159.98, 160.44, 160.91]);
    // numpy 2.4.6, scipy 1.17.1: x.std(ddof=1), st.t.interval(.95, 2, m, s / sqrt(3))
    expect(result).toMatchObject({ n: 3, median: 160.44, min: 159.98, max: 160.91 });
    expect(result?.mean).toBeCloseTo(160.4433333333333, 10);
    if (result?.spread.kind !== "known") throw new Error("three different values have a spread");
    expect(result.spread.sd).toBeCloseTo(0.4650089604871464, 10);
    expect(result.spread.cvPct).toBeCloseTo(0.28982753650539955, 9);
    expect(result.spread.ci95.low).toBeCloseTo(159.28818703828537, 9);
    expect(result.spread.ci95.high).toBeCloseTo(161.59847962838123, 9);
    expect(result.p5).toBeCloseTo(160.026, 10);
    expect(result.p95).toBeCloseTo(160.863, 10);
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
