/**
 * A measurement that a hypothesis rests on: two sides, what is made of them, and how sure it is.
 * Each trial is one value; a figure that was published without its runs is one number and has no interval.
 */
import { tQuantile } from "../../stats/distributions.ts";
import type { Interval } from "../../stats/describe.ts";
import { mannWhitney } from "../../stats/mann-whitney.ts";
import { cohensD } from "../../stats/cohens-d.ts";
import { momentsOf } from "../../stats/sample.ts";
import { FEWEST_PER_SIDE, welchTest } from "../../stats/welch.ts";
import type { FigureBook, Withheld } from "./figure-book.ts";
import { figureNamed } from "./figure-book.ts";
import type { Measure, Side } from "./hypothesis-file.ts";

export interface EvidenceSide {
  /** The figure's name with its factor, or the number's origin. */
  readonly label: string;
  readonly value: number | undefined;
  /** Trials; 0 for a number without runs behind it. */
  readonly n: number;
  /** Figures that were pooled into one sample. */
  readonly pooled: number;
}

export type EvidenceTest =
  | {
      readonly kind: "tested";
      readonly name: "Welch" | "Mann–Whitney";
      readonly p: number;
      /** Cohen's d; absent where it is undefined. */
      readonly d: number | undefined;
      /** Of the family of all tests in the file, by Holm; filled in when the family is whole. */
      readonly adjustedP: number;
      readonly significant: boolean;
    }
  | { readonly kind: "undefined"; readonly reason: string };

export interface Evidence {
  readonly id: string;
  readonly what: string;
  readonly unit: string;
  readonly numerator: EvidenceSide | undefined;
  readonly denominator: EvidenceSide | undefined;
  readonly value: number | undefined;
  /** At the file's confidence. */
  readonly interval: Interval | undefined;
  readonly test: EvidenceTest | undefined;
  /** Why there is no value, or no interval. */
  readonly doubt: string | undefined;
  /** What would give a value that the book withholds. */
  readonly settledBy?: string;
}

interface Sample {
  readonly side: EvidenceSide;
  readonly values: readonly number[];
  readonly withheld: Withheld | undefined;
}

/** Throws FIGURE_UNKNOWN where the book lacks a name; `askedBy` says whose name it is. */
export function measureEvidence(
  measure: Measure,
  book: FigureBook,
  confidence: number,
  askedBy: string,
): Evidence {
  if ("notMeasured" in measure)
    return {
      id: measure.id,
      what: measure.what,
      unit: "",
      numerator: undefined,
      denominator: undefined,
      value: undefined,
      interval: undefined,
      test: undefined,
      doubt: measure.notMeasured,
    };
  const numerator = sampleOf(measure.numerator, book, askedBy);
  const denominator =
    measure.denominator === undefined ? undefined : sampleOf(measure.denominator, book, askedBy);
  const withheld = numerator.withheld ?? denominator?.withheld;
  const value = valueOf(measure.as, numerator.side.value, denominator?.side.value);
  const interval = intervalOf(measure.as, numerator.values, denominator, confidence);
  return {
    id: measure.id,
    what: measure.what,
    unit: measure.unit,
    numerator: numerator.side,
    denominator: denominator?.side,
    value,
    interval,
    test: denominator === undefined ? undefined : testOf(measure.test, numerator, denominator),
    doubt: withheld?.reason ?? doubtOf(measure.as, value, interval, numerator, denominator),
    ...(withheld === undefined ? {} : { settledBy: withheld.settledBy }),
  };
}

function sampleOf(side: Side, book: FigureBook, askedBy: string): Sample {
  if (typeof side === "object" && "number" in side)
    return {
      side: { label: side.why, value: side.number, n: 0, pooled: 1 },
      values: [],
      withheld: undefined,
    };
  const { figure, times, why } = typeof side === "string" ? { figure: side, times: 1, why: "" } : side;
  const factor = times ?? 1;
  const names = typeof figure === "string" ? [figure] : figure;
  const figures = names.map((name) => figureNamed(book, name, askedBy));
  // A sample without its withheld part would pass for the whole.
  const withheld = figures.find((one) => one.withheld !== undefined)?.withheld;
  const values =
    withheld === undefined ? figures.flatMap((one) => one.values.map((value) => value * factor)) : [];
  const [first] = figures;
  const single = figures.length === 1 && first?.value !== undefined ? first.value * factor : undefined;
  return {
    side: {
      label: `${names.join(" + ")}${factor === 1 ? "" : ` × ${factor}`}${why === "" ? "" : ` (${why})`}`,
      value: values.length > 0 ? momentsOf(values).mean : single,
      n: values.length,
      pooled: names.length,
    },
    values,
    withheld,
  };
}

type As = Extract<Measure, { as: unknown }>["as"];

function valueOf(as: As, above: number | undefined, below: number | undefined): number | undefined {
  if (as === "value") return above;
  if (above === undefined || below === undefined) return undefined;
  if (as === "difference") return above - below;
  return below === 0 ? undefined : scaled(as, above / below);
}

function scaled(as: "ratio" | "percent" | "percentChange", ratio: number): number {
  switch (as) {
    case "ratio":
      return ratio;
    case "percent":
      return ratio * 100;
    case "percentChange":
      return ratio * 100 - 100;
  }
}

/**
 * Of a mean, Student's; of a difference, Welch's. Of a ratio of two samples, Welch's on logarithms,
 * which is that of the ratio of their geometric means: where the values of a side lie within a few
 * percent of each other, the two ratios differ by less than a thousandth.
 */
function intervalOf(
  as: As,
  above: readonly number[],
  denominator: Sample | undefined,
  confidence: number,
): Interval | undefined {
  if (as === "value" || denominator === undefined) return meanInterval(above, confidence);
  const { values: below, side } = denominator;
  const constant = below.length === 0 ? side.value : undefined;
  if (as === "difference") {
    if (constant !== undefined) return mapped(meanInterval(above, confidence), (mean) => mean - constant);
    const test = welchTest(above, below, confidence);
    return test.kind === "tested" ? test.interval : undefined;
  }
  if (constant !== undefined)
    return constant > 0
      ? mapped(meanInterval(above, confidence), (mean) => scaled(as, mean / constant))
      : undefined;
  if (hasNoLogarithm(above, below)) return undefined;
  const test = welchTest(above.map(Math.log), below.map(Math.log), confidence);
  return test.kind === "tested" ? mapped(test.interval, (log) => scaled(as, Math.exp(log))) : undefined;
}

function hasNoLogarithm(above: readonly number[], below: readonly number[]): boolean {
  return [...above, ...below].some((value) => value <= 0);
}

function meanInterval(values: readonly number[], confidence: number): Interval | undefined {
  if (values.length < FEWEST_PER_SIDE) return undefined;
  const { n, mean, variance } = momentsOf(values);
  if (variance === 0) return undefined;
  const reach = tQuantile((1 + confidence) / 2, n - 1) * Math.sqrt(variance / n);
  return { low: mean - reach, high: mean + reach };
}

function mapped(interval: Interval | undefined, by: (value: number) => number): Interval | undefined {
  return interval === undefined ? undefined : { low: by(interval.low), high: by(interval.high) };
}

/** The p of a test alone; the family corrects it later. */
function testOf(
  name: "none" | "welch" | "mannWhitney",
  { values: first, withheld }: Sample,
  { values: second, withheld: secondWithheld }: Sample,
): EvidenceTest | undefined {
  if (name === "none") return undefined;
  const reason = withheld?.reason ?? secondWithheld?.reason;
  if (reason !== undefined) return { kind: "undefined", reason };
  const test = name === "welch" ? welchTest(first, second) : mannWhitney(first, second);
  if (test.kind === "too-few")
    return {
      kind: "undefined",
      reason: `too few: ${first.length} against ${second.length}, ${test.needed} a side are needed`,
    };
  if (test.kind === "no-variance") return { kind: "undefined", reason: "no variance: nothing to test" };
  const effect = cohensD(first, second);
  return {
    kind: "tested",
    name: name === "welch" ? "Welch" : "Mann–Whitney",
    p: test.p,
    d: effect.kind === "known" ? effect.d : undefined,
    adjustedP: test.p,
    significant: false,
  };
}

function doubtOf(
  as: As,
  value: number | undefined,
  interval: Interval | undefined,
  { values: above }: Sample,
  denominator: Sample | undefined,
): string | undefined {
  const below = denominator?.values;
  const divided = as !== "value" && as !== "difference";
  if (value === undefined)
    return divided && denominator?.side.value === 0
      ? "no value: the denominator is 0"
      : "no value: the data do not have it";
  if (interval !== undefined) return undefined;
  if (above.length === 0 && (below?.length ?? 0) === 0) return "one number, without the runs behind it";
  if (above.length < FEWEST_PER_SIDE || (below !== undefined && below.length === 1))
    return "too few values for an interval";
  if (divided && below?.length === 0 && (denominator?.side.value ?? 0) < 0)
    return "the denominator is below 0: no interval of a ratio";
  if (divided && below !== undefined && below.length > 0 && hasNoLogarithm(above, below))
    return "a value is 0 or below and has no logarithm: no interval of a ratio";
  return "no variance";
}
