import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OperatorError } from "../core/errors.ts";
import { METRIC_NAMES } from "./compare/metric.ts";
import { parseGate } from "./gate-grammar.ts";

function refusal(text: string): string {
  try {
    parseGate(text);
  } catch (thrown) {
    if (thrown instanceof OperatorError && thrown.code === "FLAG_INVALID") return thrown.message;
    throw thrown;
  }
  throw new Error(`${text} was accepted`);
}

describe("the words of a gate", () => {
  it("reads shares of A and amounts, with spaces anywhere between words", () => {
    expect(parseGate("ttftMsP95<+5%, decodeTps > -3.5%,wallMs<+200")).toEqual([
      {
        text: "ttftMsP95<+5%",
        metric: "ttftMsP95",
        allowed: "below",
        bound: { kind: "relative", share: 0.05 },
      },
      {
        text: "decodeTps>-3.5%",
        metric: "decodeTps",
        allowed: "above",
        bound: { kind: "relative", share: -0.035 },
      },
      { text: "wallMs<+200", metric: "wallMs", allowed: "below", bound: { kind: "absolute", amount: 200 } },
    ]);
  });

  it("takes a band, one bound on each side", () => {
    expect(parseGate("wallMs<+5%,wallMs>-5%").map(({ allowed }) => allowed)).toEqual(["below", "above"]);
  });

  it("takes the minus sign that people paste", () => {
    expect(parseGate("retention>−0.1")[0]?.bound).toEqual({ kind: "absolute", amount: -0.1 });
  });

  it.each([
    ["", "character 1: expected a metric"],
    ["ttft<+5%", "character 1: expected a metric"],
    ["wallMs<+5%,ttft<+5%", 'found "ttft"'],
    ["failurePct<+1%", "character 14: expected no % sign: failurePct is a percentage"],
    ["wallMs<+5%,wallMs<+5%", "bounds wallMs twice on the same side: wallMs<+5% and wallMs<+5%"],
    ["wallMs<+5%,wallMs<+200", "bounds wallMs twice on the same side: wallMs<+5% and wallMs<+200"],
    ["ttftMsP95=+5%", 'character 10: expected < or > after the metric, found "="'],
    ["ttftMsP95<5%", 'character 11: expected a sign: a bound is a change, such as +5% or -3%, found "5"'],
    ["ttftMsP95<+%", 'character 12: expected a number, found "%"'],
    ["ttftMsP95<+5%;decodeTps>-3%", 'character 14: expected a comma or the end, found ";"'],
    ["ttftMsP95<+5%,", "character 15: expected a metric"],
    ["decodeTps>-3%,decodeTps>-", "character 26: expected a number, found the end"],
    ["decodeTps>-100%", "character 12: expected a loss of less than 100 %"],
  ])("points at what does not belong: %s", (text, expected) => {
    expect(refusal(text)).toContain(expected);
  });

  it("never throws anything else, whatever is typed", () => {
    const pieces = fc.constantFrom(
      ...METRIC_NAMES.slice(0, 3),
      "<",
      ">",
      "+",
      "-",
      "5",
      ".",
      "%",
      ",",
      " ",
      "é",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        try {
          expect(parseGate(parts.join("")).length).toBeGreaterThan(0);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(OperatorError);
        }
      }),
    );
  });
});
