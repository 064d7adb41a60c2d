import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Rule } from "./hypothesis-file.ts";
import { hypothesisFileSchema, VERDICTS } from "./hypothesis-file.ts";
import type { Evidence } from "./measure.ts";
import { ruling } from "./decide.ts";

function evidence(id: string, value?: number, low?: number, high?: number): Evidence {
  return {
    id,
    what: id,
    unit: "",
    numerator: undefined,
    denominator: undefined,
    value,
    interval: low === undefined || high === undefined ? undefined : { low, high },
    test: undefined,
    doubt: undefined,
  };
}

const book = (...all: readonly Evidence[]) => new Map(all.map((one) => [one.id, one]));

const over80: Rule = {
  words: "above 80",
  by: "interval",
  decide: [
    { when: [{ measure: "share", above: 80 }], verdict: "confirmed" },
    { when: [{ measure: "share", atMost: 80 }], verdict: "rejected" },
  ],
  otherwise: { verdict: "unknown" },
};

describe("a rule by interval", () => {
  it("confirms where the whole interval lies above, rejects where none of it does, and else does not know", () => {
    const verdict = (low: number, high: number) =>
      ruling(over80, book(evidence("share", (low + high) / 2, low, high))).verdict;
    expect([verdict(81, 90), verdict(60, 80), verdict(70, 95)]).toEqual(["confirmed", "rejected", "unknown"]);
  });

  it("does not know without an interval, however far the value is, where a rule by point does", () => {
    const alone = book(evidence("share", 99));
    expect(ruling(over80, alone).verdict).toBe("unknown");
    expect(ruling({ ...over80, by: "point" }, alone).verdict).toBe("confirmed");
  });
});

describe("a condition that cannot be told", () => {
  const rule = (
    first: Rule["decide"][number]["verdict"],
    second: Rule["decide"][number]["verdict"],
  ): Rule => ({
    words: "two ways",
    by: "point",
    decide: [
      { when: [{ measure: "missing", above: 0 }], verdict: first },
      { when: [{ measure: "share", above: 80 }], verdict: second },
    ],
    otherwise: { verdict: "rejected" },
  });
  const data = book(evidence("missing"), evidence("share", 90));

  it("makes the verdict unknown where it could change it, and names the measure", () => {
    const result = ruling(rule("reattributed", "confirmed"), data);
    expect(result.verdict).toBe("unknown");
    expect(result.because.map((one) => [one.measure, one.truth])).toEqual([["missing", "open"]]);
  });

  it("does no harm where every way gives the same verdict", () => {
    expect(ruling(rule("confirmed", "confirmed"), data).verdict).toBe("confirmed");
  });

  it("is not looked at beside one that fails", () => {
    const both: Rule = {
      ...rule("confirmed", "confirmed"),
      decide: [
        {
          when: [
            { measure: "missing", above: 0 },
            { measure: "share", above: 95 },
          ],
          verdict: "confirmed",
        },
      ],
    };
    expect(ruling(both, data).verdict).toBe("rejected");
  });
});

it("never gives a verdict by interval that its point value contradicts", () => {
  const number = fc.double({ min: 0, max: 160, noNaN: true });
  fc.assert(
    fc.property(number, number, (a, b) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      const data = book(evidence("share", (low + high) / 2, low, high));
      const sure = ruling(over80, data).verdict;
      if (sure !== "unknown") expect(ruling({ ...over80, by: "point" }, data).verdict).toBe(sure);
    }),
  );
});

describe("a file of hypotheses", () => {
  const file = (change: object) => ({
    version: 1,
    title: "made",
    hypotheses: [
      {
        id: "H1",
        statement: "made",
        scope: "made",
        measures: [{ id: "share", what: "share", numerator: "a" }],
        rule: { words: "made", decide: [{ when: [{ measure: "share", above: 1 }], verdict: "confirmed" }] },
        wouldSettle: "more",
        ...change,
      },
    ],
  });
  const refusal = (change: object) => hypothesisFileSchema.safeParse(file(change)).error?.issues[0]?.message;

  it("is refused where a rule names a measure that is not there, or a condition bounds nothing", () => {
    expect(refusal({})).toBeUndefined();
    const when = (condition: object) => ({
      words: "made",
      decide: [{ when: [condition], verdict: VERDICTS[0] }],
    });
    expect(refusal({ rule: when({ measure: "shrae", above: 1 }) })).toBe(
      "shrae is none of the measures of H1",
    );
    expect(refusal({ rule: when({ measure: "share" }) })).toBe(
      "needs above, atLeast, below, atMost or significant",
    );
  });

  it("is refused where a comparison has one side only, or two sides are not compared", () => {
    const measure = { id: "share", what: "share", numerator: "a" };
    expect(refusal({ measures: [{ ...measure, as: "ratio" }] })).toBe("needs a denominator");
    expect(refusal({ measures: [{ ...measure, denominator: "b" }] })).toBe(
      "has a denominator and does not say `as` what",
    );
  });
});
