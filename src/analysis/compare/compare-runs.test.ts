import { describe, expect, it } from "vitest";
import type { MadeSide } from "../../../test/fakes/compared-side.ts";
import { madeCell, madeSide } from "../../../test/fakes/compared-side.ts";
import type { ComparedMetric, Comparison } from "./compare-runs.ts";
import { compareRuns } from "./compare-runs.ts";
import type { ComparedCell } from "./side.ts";

const SOLO_RATES = [503, 512, 498, 530, 505];
const SLOWER_RATES = [333, 420, 361, 350];

function twoRuns(
  a: ComparedCell,
  b: ComparedCell,
  of: { readonly a?: MadeSide; readonly b?: MadeSide } = {},
): Comparison {
  return compareRuns(madeSide([a], { name: "run-a", ...of.a }), madeSide([b], { name: "run-b", ...of.b }), {
    metrics: ["decodeTps"],
  });
}

function only({ pairs }: Comparison): ComparedMetric {
  const [metric] = pairs[0]?.metrics ?? [];
  if (metric === undefined) throw new Error("one metric was compared");
  return metric;
}

const rates = (
  values: readonly number[],
  facts: Partial<Parameters<typeof madeCell>[0]> = {},
): ComparedCell => madeCell({ values: { decodeTps: values }, ...facts });

describe("comparing two runs", () => {
  it("gives change, Welch's interval and p, effect and shift of B against A", () => {
    const metric = only(twoRuns(rates(SLOWER_RATES), rates(SOLO_RATES)));
    // scipy 1.17.1: ttest_ind(b, a, equal_var=False) of these values; the means are 509.6 and 366.
    expect(metric.difference).toMatchObject({ kind: "tested", difference: expect.closeTo(143.6, 9) });
    expect(metric.relative?.share).toBeCloseTo(143.6 / 366, 12);
    if (metric.difference.kind !== "tested") throw new Error("both sides vary");
    expect(metric.difference.interval.low).toBeCloseTo(85.85683272884481, 8);
    expect(metric.difference.interval.high).toBeCloseTo(201.34316727115524, 8);
    // Of 5 · 4 differences the median is 152 (numpy); every B lies above every A, which 1 of C(9, 4) = 126 orders does on each side.
    expect(metric.shift).toMatchObject({ kind: "known", shift: 152 });
    expect(metric.permutation).toMatchObject({ kind: "tested", p: expect.closeTo(1 / 126, 12) });
    expect(metric.effect).toMatchObject({ kind: "known", size: "large" });
  });

  it("has a relative interval that ends where the same test ends", () => {
    const { relative, samples } = only(twoRuns(rates(SLOWER_RATES), rates(SOLO_RATES)));
    const { low, high } = relative?.interval ?? { low: Number.NaN, high: Number.NaN };
    // At an end of the interval Welch's test of B against A × (1 + share) has p = 0.05: its own interval touches 0.
    const scaled = (share: number) =>
      only(twoRuns(rates(samples.a.map((value) => value * (1 + share))), rates(samples.b))).difference;
    expect(scaled(low)).toMatchObject({ p: expect.closeTo(0.05, 9) });
    expect(scaled(high)).toMatchObject({ p: expect.closeTo(0.05, 9) });
    expect(low).toBeLessThan(143.6 / 366);
    expect(high).toBeGreaterThan(143.6 / 366);
  });

  it("adjusts every p over all metrics of all cells", () => {
    const cells = (shift: number) =>
      ["N=1", "N=2"].map((label) =>
        madeCell({
          label,
          values: { decodeTps: SLOWER_RATES.map((value) => value + shift), wallMs: [900, 880, 910, 905] },
        }),
      );
    const comparison = compareRuns(madeSide(cells(0)), madeSide(cells(90), { name: "run-b" }), {
      metrics: ["decodeTps", "wallMs", "retention"],
    });
    expect(comparison.familySize).toBe(4);
    const [first] = comparison.pairs[0]?.metrics ?? [];
    if (first?.difference.kind !== "tested" || first.holm.kind !== "adjusted")
      throw new Error("it was tested");
    expect(first.holm.adjustedP).toBeCloseTo(first.difference.p * 4, 12);
    expect(comparison.pairs[0]?.missing).toEqual([
      { metric: "retention", reason: "no trial of either side has it" },
    ]);
  });

  it("says that one trial is too few and that equal values have no variance", () => {
    expect(only(twoRuns(rates([50]), rates([60, 61]))).difference).toEqual({ kind: "too-few", needed: 2 });
    expect(only(twoRuns(rates([50, 50]), rates([60, 60]))).difference).toEqual({
      kind: "no-variance",
      difference: 10,
    });
  });

  it("names repeats that would decide within the family, and so more than there were", () => {
    const [before, after] = [
      [900, 870, 955, 890, 921],
      [880, 990, 921, 935, 901],
    ] as const;
    const others = ["ttftMsP50", "latencyMsP50", "decodeTps", "retention", "fairness"] as const;
    const cell = (values: readonly number[]) =>
      madeCell({
        values: {
          ttftMsP95: values,
          ...Object.fromEntries(others.map((metric) => [metric, [5, 6, 7, 8, 9]])),
        },
      });
    const needed = (metrics: Parameters<typeof compareRuns>[2]) =>
      compareRuns(madeSide([cell(before)]), madeSide([cell(after)], { name: "run-b" }), metrics).pairs[0]
        ?.metrics[0]?.repeatsNeeded;
    // statsmodels 0.15.0: TTestIndPower().solve_power(0.48754859, alpha, power=0.8) is 67.01 at 0.05 and 103.64 at 0.05 ÷ 6.
    expect(needed({ metrics: ["ttftMsP95"] })).toMatchObject({ n: 68 });
    expect(needed({ metrics: ["ttftMsP95", ...others] })).toMatchObject({ n: 104 });
  });

  it("takes A's uncertainty into a margin that is a share of A", () => {
    const { equivalence } = only(twoRuns(rates([99, 97, 102, 105, 98]), rates([103, 102, 100, 102, 103])));
    // scipy 1.17.1: Welch's one-sided tests of B against 0.95·A and 1.05·A give 0.00274 and 0.05306, and
    // their 90 % interval ends at 5.078 %. Of a fixed ±5.01 the second would give 0.047 and call it the same.
    expect(equivalence).toMatchObject({ kind: "tested", equivalent: false });
    if (equivalence.kind !== "tested") throw new Error("both sides vary");
    expect(equivalence.pAboveLow).toBeCloseTo(0.0027356314107965887, 9);
    expect(equivalence.pBelowHigh).toBeCloseTo(0.053063319814203765, 9);
    expect(equivalence.interval.low / 100.2).toBeCloseTo(-0.012923346920338518, 9);
    expect(equivalence.interval.high / 100.2).toBeCloseTo(0.050781131212459495, 9);
  });

  it("calls a change equivalent only where it is shown to be small", () => {
    const close = only(twoRuns(rates([100, 101, 99, 100.5]), rates([100.4, 100.9, 99.2, 100.1])));
    expect(close.equivalence).toMatchObject({ kind: "tested", equivalent: true });
    const wide = only(twoRuns(rates([80, 120, 95, 105]), rates([82, 118, 97, 103])));
    expect(wide.equivalence).toMatchObject({ kind: "tested", equivalent: false });
    expect(wide.holm).toMatchObject({ rejected: false });
  });
});

describe("pairing", () => {
  const drifting = [100, 110, 120, 130, 140];
  const faster = drifting.map((value, index) => value + 2 + (index % 2) * 0.1);

  it("takes cells of one run in pairs, and drift then hides nothing", () => {
    const a = madeSide([rates(drifting, { label: "a" })], { runId: "one" });
    const b = madeSide([rates(faster, { label: "b" })], { runId: "one" });
    const comparison = compareRuns(a, b, { metrics: ["decodeTps"] });
    expect(comparison.pairs[0]?.pairing).toMatchObject({
      design: "pairs",
      reason: expect.stringContaining("shuffled order"),
    });
    expect(only(comparison).holm).toMatchObject({ rejected: true });
    // The same values of two runs: the drift within each is forty times the difference.
    expect(only(twoRuns(rates(drifting), rates(faster))).holm).toMatchObject({ rejected: false });
  });

  it("pairs two runs whose repeats sent the same prompts, and no others", () => {
    const prompts = ["p", "q", "r", "s", "t"];
    const same = twoRuns(rates(drifting, { prompts }), rates(faster, { prompts }));
    expect(same.pairs[0]?.pairing.design).toBe("pairs");
    const other = twoRuns(rates(drifting, { prompts }), rates(faster, { prompts: [...prompts].reverse() }));
    expect(other.pairs[0]?.pairing.design).toBe("two-samples");
    // The same prompts in every repeat give a pair nothing in common that another pair has not.
    const always = twoRuns(rates(drifting), rates(faster));
    expect(always.pairs[0]?.pairing.design).toBe("two-samples");
  });

  it("does not pair trials of one run of which nobody knows the order", () => {
    const side = (values: readonly number[], label: string) =>
      madeSide([rates(values, { label })], { runId: "imported", blocks: "unknown" });
    const [pair] = compareRuns(side(drifting, "a"), side(faster, "b"), { metrics: ["decodeTps"] }).pairs;
    expect(pair?.pairing).toEqual({
      design: "two-samples",
      reason: "nothing is known of the order in which they ran",
    });
  });

  it("does not pair repeats that are missing on a side", () => {
    const a = madeSide([rates(drifting, { label: "a" })], { runId: "one" });
    const b = madeSide([rates(faster.slice(1), { label: "b" })], { runId: "one" });
    expect(compareRuns(a, b, { metrics: ["decodeTps"] }).pairs[0]?.pairing.design).toBe("two-samples");
  });
});

describe("which cells belong together", () => {
  const cell = (label: string, facts: Partial<Parameters<typeof madeCell>[0]> = {}) =>
    rates([1, 2], { label, ...facts });

  it("matches by specification, then name, then parameters, and lists the rest", () => {
    const a = [
      cell("one", { hash: "h1" }),
      cell("two", { hash: "h2" }),
      cell("three", { hash: "h3", parameters: { numGpu: 60 } }),
      cell("four", { hash: "h4", agents: 9 }),
    ];
    const b = [
      cell("renamed", { hash: "h1" }),
      cell("two", { hash: "x2" }),
      cell("tri", { hash: "x3", parameters: { numGpu: 60 } }),
      cell("five", { hash: "x4", agents: 7 }),
    ];
    const { pairs, onlyA, onlyB } = compareRuns(madeSide(a), madeSide(b, { name: "run-b" }));
    expect(pairs.map((pair) => [pair.a.label, pair.b.label, pair.matchedBy])).toEqual([
      ["one", "renamed", "specification"],
      ["two", "two", "name"],
      ["three", "tri", "parameters"],
    ]);
    expect([onlyA, onlyB]).toEqual([["four"], ["five"]]);
  });

  it("takes the only cells of both sides whatever they are called", () => {
    const { pairs } = compareRuns(madeSide([cell("one")]), madeSide([cell("other")], { name: "run-b" }));
    expect(pairs[0]?.matchedBy).toBe("only-cells");
  });
});

describe("the A/A noise floor", () => {
  const a = rates([100, 101, 102, 101]);
  const b = rates([104, 105, 106, 105]);

  it("is what cells with the same effective settings differ by", () => {
    const twins = [
      rates([90, 92], { label: "60 layers", effectiveHash: "e" }),
      rates([98, 96], { label: "80 layers", effectiveHash: "e" }),
    ];
    const metric = only(twoRuns(a, b, { a: { otherCells: twins } }));
    // Means 91 and 97; B lies 4 above A.
    expect(metric.noiseFloor).toMatchObject({ basis: "same-settings", difference: 6 });
    expect(metric.noiseFloor?.share).toBeCloseTo(6 / 94, 12);
    expect(metric.withinNoise).toBe(true);
    expect(metric.holm).toMatchObject({ rejected: true });
  });

  it("is not taken from cells with another load", () => {
    const twins = [
      rates([90, 92], { label: "4 agents", effectiveHash: "e" }),
      rates([98, 96], { label: "8 agents", effectiveHash: "e", agents: 8 }),
      rates([60, 62], { label: "long", effectiveHash: "e", inputPerRequest: 4_096 }),
    ];
    expect(only(twoRuns(a, b, { a: { otherCells: twins } })).noiseFloor?.basis).toBe("halves");
  });

  it("is else what the halves of a cell's own repeats differ by", () => {
    // 100.5 and 101.5 of A; 104.5 and 105.5 of B.
    expect(only(twoRuns(a, b)).noiseFloor).toMatchObject({ basis: "halves", difference: 1 });
    expect(only(twoRuns(rates([1, 2, 3]), rates([1, 2, 4]))).noiseFloor).toBeUndefined();
  });

  it("is of pairs what the change of the first half of them differs from that of the second by", () => {
    // Drift takes A from 100 to 130; B lies 1.0, 1.2, 1.1 and 1.1 above it.
    const side = (values: readonly number[], label: string) =>
      madeSide([rates(values, { label })], { runId: "one" });
    const comparison = compareRuns(side([100, 110, 120, 130], "a"), side([101, 111.2, 121.1, 131.1], "b"), {
      metrics: ["decodeTps"],
    });
    const metric = only(comparison);
    expect(metric.noiseFloor).toMatchObject({ basis: "halves-of-pairs" });
    expect(metric.noiseFloor?.difference).toBeCloseTo(0, 9);
    expect(metric).toMatchObject({ withinNoise: false, holm: { rejected: true } });
  });
});

describe("what a comparison warns of", () => {
  const codes = (comparison: Comparison): readonly string[] => comparison.caveats.map(({ code }) => code);

  it("says nothing of two runs of one thing", () => {
    expect(codes(twoRuns(rates([1, 2]), rates([1, 2])))).toEqual([]);
  });

  it("tells another machine, model, engine, version, load and length", () => {
    const comparison = twoRuns(
      rates([1, 2]),
      rates([1, 2], { models: ["qwen3"], engines: ["vllm 0.11"], agents: 2, outputPerRequest: 300 }),
      {
        b: {
          simulated: true,
          manifest: {
            host: { os: "linux", cpuModel: "other", gpus: [{ index: 0, name: "RTX 4090" }] },
            slipwayVersion: "0.2.0",
            status: "interrupted",
          },
        },
      },
    );
    expect(codes(comparison)).toEqual([
      "SIMULATED_AND_REAL",
      "OTHER_MACHINE",
      "OTHER_VERSION",
      "OTHER_MODEL",
      "OTHER_ENGINE",
      "OTHER_AGENTS",
      "OTHER_WORKLOAD",
      "RUN_UNFINISHED",
    ]);
    expect(comparison.simulated).toBe(true);
  });

  it("does not hold percentiles of unequal samples against each other", () => {
    const p95 = (requests: number): ComparedCell =>
      madeCell({ values: { ttftMsP95: [80, 90, 85] }, requests });
    const compare = (a: number, b: number) =>
      compareRuns(madeSide([p95(a)]), madeSide([p95(b)], { name: "run-b" }), { metrics: ["ttftMsP95"] })
        .pairs[0];
    expect(compare(12, 40)?.missing[0]?.reason).toContain("12 requests a trial and one of 40");
    expect(compare(12, 12)?.metrics[0]?.thinPercentile).toEqual({ requests: 12, needed: 130 });
    expect(compare(200, 400)?.metrics[0]?.thinPercentile).toBeUndefined();
  });
});

describe("requests that failed", () => {
  /** Four trials of 6 requests, so many of which failed; the rest answered as fast as ever, give or take. */
  const cell = (failed: readonly number[], values = [100, 101, 99, 100]): ComparedCell =>
    madeCell({ values: { ttftMsP50: values, ttftMsP95: values, wallMs: values }, requests: 6, failed });
  const compare = (a: ComparedCell, b: ComparedCell): Comparison =>
    compareRuns(madeSide([a]), madeSide([b], { name: "run-b" }), {
      metrics: ["ttftMsP50", "ttftMsP95", "wallMs"],
    });

  it("are told of, with whether B has more of them than chance gives", () => {
    const more = compare(cell([0, 0, 0, 0]), cell([3, 2, 3, 4]));
    expect(more.caveats).toMatchObject([
      {
        code: "REQUESTS_FAILED",
        message: expect.stringContaining(
          "in quick 0 of A's 24 requests failed and 12 of B's 36 requests, which is more",
        ),
      },
    ]);
    // Every trial of B lost more than any of A: one of C(8, 4) = 70 ways to deal the trials out.
    expect(more.pairs[0]?.failures).toMatchObject({ p: expect.closeTo(1 / 70, 12), bFailsMore: true });
    const one = compare(cell([0, 0, 0, 0]), cell([0, 1, 0, 0]));
    // Any of the eight trials could have been the one, four of them B's.
    expect(one.pairs[0]?.failures).toMatchObject({ p: 1 / 2, bFailsMore: false });
    expect(compare(cell([0, 0, 0, 0]), cell([0, 0, 0, 0])).caveats).toEqual([]);
  });

  it("leave figures of the rest without a verdict as soon as they could be another's", () => {
    const unjudged = (failed: number, answered: number) => {
      const b = madeCell({
        values: { ttftMsP50: [1, 2], ttftMsP95: [1, 2], wallMs: [1, 2] },
        requests: answered / 2,
        failed: [failed, 0],
      });
      return compare(b, b).pairs[0]?.metrics.map((metric) => metric.unjudged);
    };
    expect(unjudged(4, 196)).toEqual(["failures", "failures", "failures"]);
    // 0.8 % of 1,000: too many for the slowest twentieth only, of which half a percent is a tenth.
    expect(unjudged(8, 992)).toEqual([undefined, "failures", undefined]);
    expect(unjudged(4, 996)).toEqual([undefined, undefined, undefined]);
  });
});

describe("unlike work", () => {
  const cell = (facts: Partial<Parameters<typeof madeCell>[0]>): ComparedCell =>
    madeCell({ values: { wallMs: [1, 2], aggregateTps: [1, 2], decodeTps: [1, 2] }, ...facts });
  const unjudged = (b: ComparedCell) =>
    compareRuns(madeSide([cell({ requestsPerAgent: 3 })]), madeSide([b], { name: "run-b" }), {
      metrics: ["wallMs", "aggregateTps", "decodeTps"],
    });

  it.each([{ inputPerRequest: 512 }, { outputPerRequest: 8 }, { requestsPerAgent: 6 }])(
    "leaves figures that depend on it without a verdict: %o",
    (facts) => {
      const { pairs, caveats } = unjudged(cell({ requestsPerAgent: 3, ...facts }));
      expect(pairs[0]?.metrics.map((metric) => metric.unjudged)).toEqual([
        "other-work",
        "other-work",
        undefined,
      ]);
      expect(caveats.map(({ code }) => code)).toEqual(["OTHER_WORKLOAD"]);
    },
  );

  it("is not what differs by less than a twentieth, or in the number of agents", () => {
    const { pairs } = unjudged(cell({ requestsPerAgent: 3, outputPerRequest: 125, agents: 8 }));
    expect(pairs[0]?.metrics.map((metric) => metric.unjudged)).toEqual([undefined, undefined, undefined]);
  });
});
