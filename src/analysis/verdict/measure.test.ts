import { describe, expect, it } from "vitest";
import type { FigureBook } from "./figure-book.ts";
import type { Measure } from "./hypothesis-file.ts";
import { hypothesisFileSchema } from "./hypothesis-file.ts";
import { judge } from "./judge.ts";
import { measureEvidence } from "./measure.ts";
import { studyFigures } from "./study-figures.ts";

const made = studyFigures("made", {
  conditions: [
    { id: "alone", ms: ["800.4", "797.8", "795.6"], note: "warm" },
    { id: "together", ms: [4833, 4971, 4856], flat: [7, 7, 7], one: [5], signed: [-1, 0, 4] },
  ],
  peak: 432,
  lost: null,
});

const measure = (fields: object): Measure =>
  ({ id: "m", what: "m", unit: "", as: "value", test: "none", ...fields }) as Measure;
const seen = (fields: object, book: FigureBook = made) => measureEvidence(measure(fields), book, 0.95, "H1");

describe("a study's inputs as figures", () => {
  it("go by their path, a list's members by their id, and printed numbers count", () => {
    expect([...made.figures.keys()]).toEqual([
      "conditions/alone/ms",
      "conditions/together/ms",
      "conditions/together/flat",
      "conditions/together/one",
      "conditions/together/signed",
      "peak",
      "lost",
    ]);
    expect(made.figures.get("conditions/alone/ms")?.values).toEqual([800.4, 797.8, 795.6]);
  });
});

describe("a measurement", () => {
  it("of a change is that of the means, with Welch's interval on logarithms", () => {
    const change = seen({
      numerator: "conditions/alone/ms",
      denominator: "conditions/together/ms",
      as: "percentChange",
      test: "welch",
    });
    // 797.9333 ÷ 4886.6667 = 0.1632879
    expect(change.value).toBeCloseTo(-83.67121, 5);
    // scipy.stats.ttest_ind(log(a), log(b), equal_var=False).confidence_interval(), exponentiated
    expect(change.interval).toEqual({
      low: expect.closeTo(RATIO.low, 8),
      high: expect.closeTo(RATIO.high, 8),
    });
    expect(change.test).toMatchObject({ kind: "tested", p: expect.closeTo(RATIO.p, 12) });
    expect([change.numerator?.n, change.denominator?.n]).toEqual([3, 3]);
  });

  it("against a number scales the interval of the mean", () => {
    const share = seen({
      numerator: { figure: "conditions/alone/ms", times: 0.5, why: "half" },
      denominator: "peak",
      as: "percent",
    });
    expect(share.value).toBeCloseTo((797.93333 * 50) / 432, 5);
    // t(0.975, 2) = 4.302653; sd of 800.4, 797.8, 795.6 is 2.402776
    expect((share.interval?.high ?? 0) - (share.value ?? 0)).toBeCloseTo(
      (4.302653 * 2.402776 * 50) / 432 / Math.sqrt(3),
      4,
    );
  });

  it("has no interval without variance, from one value, or from a number alone, and says which", () => {
    const doubt = (numerator: unknown) => seen({ numerator }).doubt;
    expect(doubt("conditions/together/flat")).toBe("no variance");
    expect(doubt("conditions/together/one")).toBe("too few values for an interval");
    expect(doubt("peak")).toBe("one number, without the runs behind it");
    expect(doubt("lost")).toBe("no value: the data do not have it");
  });

  it("of a ratio has no interval where a value is 0 or below, and says that this is why", () => {
    const ratio = (denominator: unknown, numerator = "conditions/alone/ms") =>
      seen({ numerator, denominator, as: "ratio" });
    const signed = ratio("conditions/alone/ms", "conditions/together/signed");
    // (−1 + 0 + 4) ÷ 2393.8
    expect(signed.value).toBeCloseTo(3 / 2393.8, 12);
    expect(signed).toMatchObject({
      interval: undefined,
      doubt: "a value is 0 or below and has no logarithm: no interval of a ratio",
    });
    expect(ratio({ number: -2, why: "made" }).doubt).toBe(
      "the denominator is below 0: no interval of a ratio",
    );
    expect(ratio({ number: 0, why: "made" }).doubt).toBe("no value: the denominator is 0");
    expect(ratio("conditions/together/flat", "conditions/together/flat").doubt).toBe("no variance");
  });

  it("of a name that is not there is refused with names that end alike", () => {
    expect(() => seen({ numerator: "conditions/apart/ms" })).toThrow(
      expect.objectContaining({
        code: "FIGURE_UNKNOWN",
        nextStep: expect.stringContaining("conditions/alone/ms, conditions/together/ms"),
      }),
    );
  });

  it("that pools several figures says how many", () => {
    const pooled = seen({
      numerator: { figure: ["conditions/alone/ms", "conditions/together/ms"], why: "both" },
    });
    expect(pooled.numerator).toMatchObject({ n: 6, pooled: 2, value: expect.closeTo(2842.3, 6) });
  });
});

it("counts a test that two hypotheses share once in the family", () => {
  const hypothesis = (id: string) => ({
    id,
    statement: "made",
    scope: "made",
    measures: [
      {
        id: "m",
        what: "m",
        numerator: "conditions/alone/ms",
        denominator: "conditions/together/ms",
        as: "difference",
        test: "welch",
      },
    ],
    rule: { words: "made", decide: [{ when: [{ measure: "m", significant: true }], verdict: "confirmed" }] },
    wouldSettle: "more",
  });
  const file = hypothesisFileSchema.parse({
    version: 1,
    title: "made",
    hypotheses: [hypothesis("H1"), hypothesis("H2")],
  });
  const report = judge(file, made);
  expect(report.family).toEqual({ tests: 1, tested: 1 });
  expect(report.verdicts.map((one) => one.ours.verdict)).toEqual(["confirmed", "confirmed"]);
});

/** scipy 1.17. */
const RATIO = { low: -84.24120255135455, high: -83.0781427709355, p: 0.00010730380518887357 };
