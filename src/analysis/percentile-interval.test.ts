import { describe, expect, it } from "vitest";
import { madeRun } from "../../test/fakes/recorded-run.ts";
import { randomStream } from "../core/random.ts";
import { bootstrap } from "../stats/bootstrap.ts";
import { quantile, sortedNumbers } from "../stats/quantile.ts";
import { analyseRun } from "./analyse-run.ts";
import { percentileIntervals } from "./percentile-interval.ts";

const draws = () => randomStream(1, "test");

/** Trials whose requests share their trial's luck: one offset each, and a spread of one beside it. */
function trialsOf(count: number, requests: number, offset: (trial: number) => number): Float64Array[] {
  return Array.from({ length: count }, (_, trial) =>
    Float64Array.from({ length: requests }, (_, place) => offset(trial) + place / requests),
  );
}

describe("the interval of a percentile over requests", () => {
  it("is one of trials: a hundred requests that share a trial's luck say no more than one", () => {
    const luck = randomStream(2, "luck");
    const offsets = Array.from({ length: 20 }, () => 100 + 10 * luck.normal());
    const median = percentileIntervals(
      trialsOf(20, 100, (trial) => offsets[trial] ?? 0),
      draws,
    )(0.5);
    const single = percentileIntervals(
      trialsOf(20, 1, (trial) => offsets[trial] ?? 0),
      draws,
    )(0.5);
    if (median.kind !== "known" || single.kind !== "known") throw new Error("both are known");
    // A median of 20 normal values of sd 10 has a standard error of 1.2533 · 10 ÷ √20 = 2.8.
    expect(single.high - single.low).toBeGreaterThan(5);
    expect((median.high - median.low) / (single.high - single.low)).toBeCloseTo(1, 0);
  });

  it("is not given for fewer than five trials, and says so", () => {
    expect(
      percentileIntervals(
        trialsOf(4, 500, (trial) => trial),
        draws,
      )(0.5),
    ).toEqual({ kind: "too-few", needed: 5 });
  });

  it("does not exist where all requests took equally long", () => {
    const equal = Array.from({ length: 6 }, () => Float64Array.from([7, 7]));
    expect(percentileIntervals(equal, draws)(0.9)).toEqual({ kind: "no-variance" });
  });

  it("holds the percentile, is the same for the same stream, and is drawn from groups where trials are many", () => {
    const luck = randomStream(3, "luck");
    const trials = trialsOf(1_000, 3, () => 50 + luck.exponential(5));
    const first = percentileIntervals(trials, draws)(0.95);
    expect(percentileIntervals(trials, draws)(0.95)).toEqual(first);
    if (first.kind !== "known") throw new Error("it is known");
    const p95 = quantile(sortedNumbers(trials.flatMap((values) => [...values])), 0.95) ?? 0;
    expect(first.drawn).toBe(200);
    expect(first.low).toBeLessThan(p95);
    expect(first.high).toBeGreaterThan(p95);
    // √(q(1 − q) ÷ n) ÷ density: 5 · √(0.05 · 0.95 ÷ 1000) ÷ 0.05 = 0.69, twice 1.96 of it either way.
    expect(first.high - first.low).toBeGreaterThan(1.4);
    expect(first.high - first.low).toBeLessThan(5.4);
  });

  it("is to the last digit that of a bootstrap that sorts the requests of every draw anew", () => {
    const luck = randomStream(4, "luck");
    const trials = trialsOf(5, 12, () => 50 + luck.exponential(5));
    const sorted = bootstrap({
      strata: [5],
      figure: (drawn) =>
        quantile(sortedNumbers([...drawn].flatMap((trial) => [...(trials[trial] ?? [])])), 0.5),
      random: draws(),
      resamples: 2_000,
    });
    if (sorted.kind !== "resampled") throw new Error("it is resampled");
    expect(percentileIntervals(trials, draws)(0.5)).toEqual({ ...sorted.interval, drawn: 5 });
  });

  it("stands beside each percentile that the requests carry", () => {
    const trial = (repeat: number) => ({
      kind: "together" as const,
      repeat,
      agents: {
        a: [0, 1, 2].map((place) => ({ ttftMs: 100 + 7 * repeat + place, tokens: 4, decodeMs: 30 })),
      },
    });
    const percentiles = (trials: number) =>
      analyseRun(madeRun(Array.from({ length: trials }, (_, repeat) => trial(repeat)))).cells[0]?.agents[0]
        ?.requestsTogether.ttftMs.percentiles;
    expect(percentiles(5)?.[0]).toMatchObject({ kind: "certified", value: 115, interval: { kind: "known" } });
    expect(percentiles(5)?.[1]).toEqual({ kind: "too-few", n: 15, needed: 64 });
    expect(percentiles(4)?.[0]).toMatchObject({ kind: "certified", interval: { kind: "too-few" } });
  });
});
