import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { madeCell, madeSide } from "../../test/fakes/compared-side.ts";
import { randomStream } from "../core/random.ts";
import { compareRuns } from "./compare/compare-runs.ts";
import { parseGate } from "./gate-grammar.ts";
import type { GateCheck, GateResult } from "./gate.ts";
import { judgeGate } from "./gate.ts";

function gate(text: string, a: readonly number[], b: readonly number[]): GateResult {
  const clauses = parseGate(text);
  const [clause] = clauses;
  if (clause === undefined) throw new Error("a gate has a clause");
  const side = (values: readonly number[], name: string) =>
    madeSide([madeCell({ values: { [clause.metric]: values } })], { name });
  return judgeGate(compareRuns(side(a, "run-a"), side(b, "run-b"), { metrics: [clause.metric] }), clauses);
}

function check(result: GateResult): GateCheck {
  const [only] = result.checks;
  if (only === undefined) throw new Error("one check was made");
  return only;
}

const BEFORE = [100, 101, 99, 100, 102, 98];
const times = (factor: number) => BEFORE.map((value) => value * factor);

describe("a gate", () => {
  it("fails on a change that is shown to be larger than stated", () => {
    const result = gate("ttftMsP50<+5%", BEFORE, times(1.12));
    expect(result.verdict).toBe("failed");
    expect(check(result).adjustedP).toBeLessThan(0.05);
  });

  it("does not fail on a change that is significant and smaller than stated", () => {
    // Two percent up, with a deviation of 1.4 %: scipy 1.17.1 gives p = 0.036 against no change, and the bound lies far off.
    const result = gate("ttftMsP50<+5%", BEFORE, times(1.02));
    expect(check(result).metric?.holm).toMatchObject({ rejected: true });
    expect(result.verdict).toBe("passed");
    expect(check(result).passedBy).toBe("interval");
  });

  it("is inconclusive where the interval holds the bound, and names the repeats that would decide", () => {
    const noisy = [80, 120, 100];
    const result = gate("ttftMsP50<+5%", noisy, [90, 132, 108]);
    expect(result.verdict).toBe("inconclusive");
    const { why } = check(result);
    if (why.kind !== "too-uncertain" || why.repeats?.kind !== "known")
      throw new Error("a number can be said");
    // B − 1.05·A is 5, in deviations of the two 0.2377 (numpy). statsmodels 0.15.0:
    // TTestIndPower().solve_power(0.2376913, alpha=0.05, power=0.8) = 278.81.
    expect(why.repeats.n).toBe(279);
  });

  it("is inconclusive on one trial, and on trials that do not vary", () => {
    expect(check(gate("ttftMsP50<+5%", [100], [200])).why).toEqual({ kind: "too-few", trials: 1, needed: 5 });
    expect(check(gate("ttftMsP50<+5%", [100, 100], [200, 200])).why).toEqual({ kind: "no-variance" });
  });

  it("is inconclusive about what was not measured", () => {
    const side = (name: string) => madeSide([madeCell({ values: { wallMs: [1, 2, 3] } })], { name });
    const comparison = compareRuns(side("a"), side("b"), { metrics: ["wallMs", "retention"] });
    const result = judgeGate(comparison, parseGate("wallMs<+900%,retention>-3%"));
    expect(result.checks.map(({ verdict }) => verdict)).toEqual(["passed", "inconclusive"]);
    expect(result.verdict).toBe("inconclusive");
    expect(result.checks[1]?.why).toMatchObject({ kind: "missing" });
  });

  it("passes by equivalence where the interval just holds the bound on one side only", () => {
    // 95 % leaves 2.5 % on each side, two one-sided tests 5 %: between the two lies what only equivalence shows.
    const widths = [6, 7, 8, 9, 10, 11, 12].map((width) => {
      const values = [-1, -0.5, 0, 0.5, 1].map((step) => 100 + step * width);
      return check(gate("decodeTps>-10%", values, values));
    });
    expect(widths.map(({ passedBy }) => passedBy)).toContain("equivalence");
    expect(widths.map(({ verdict }) => verdict)).toContain("inconclusive");
  });

  it("does not take no change for an improvement that was asked for", () => {
    expect(
      gate(
        "decodeTps>+10%",
        BEFORE,
        BEFORE.map((value) => value + 0.1),
      ).verdict,
    ).toBe("failed");
    expect(gate("decodeTps>+10%", BEFORE, times(1.2)).verdict).toBe("passed");
  });

  it("judges an amount in the metric's own unit", () => {
    expect(gate("wallMs<+5", BEFORE, times(1.02)).verdict).toBe("passed");
    expect(gate("wallMs<+5", BEFORE, times(1.2)).verdict).toBe("failed");
  });

  it("fails as a whole if one check does, and passes only if all do", () => {
    const cells = (factor: number) => [
      madeCell({ label: "N=1", values: { decodeTps: BEFORE } }),
      madeCell({ label: "N=2", values: { decodeTps: times(factor) } }),
    ];
    const judge = (factor: number) =>
      judgeGate(
        compareRuns(madeSide(cells(1)), madeSide(cells(factor), { name: "b" }), { metrics: ["decodeTps"] }),
        parseGate("decodeTps>-5%"),
      );
    expect(judge(0.8)).toMatchObject({
      verdict: "failed",
      checks: [{ verdict: "passed" }, { verdict: "failed" }],
    });
    expect(judge(1).verdict).toBe("passed");
  });

  it("is inconclusive as long as B lacks cells of A, unless that is allowed", () => {
    const cell = (label: string) => madeCell({ label, values: { wallMs: BEFORE } });
    const a = madeSide([cell("N=1"), cell("N=2"), cell("N=4")]);
    const judge = (b: ReturnType<typeof madeSide>, allowMissingCells = false) =>
      judgeGate(compareRuns(a, b, { metrics: ["wallMs"] }), parseGate("wallMs<+5%"), { allowMissingCells });
    const left = madeSide([cell("N=1"), cell("new")], { name: "b" });
    expect(judge(left)).toMatchObject({
      verdict: "inconclusive",
      checks: [{ verdict: "passed" }],
      lostCells: ["N=2", "N=4"],
    });
    expect(judge(left, true)).toMatchObject({ verdict: "passed", lostCells: [] });
    // Named away is not lost.
    const narrowed = madeSide([cell("N=1")], { name: "b", otherCells: [cell("N=2"), cell("N=4")] });
    expect(judge(narrowed)).toMatchObject({ verdict: "passed", lostCells: [] });
  });

  it("does not fail on what the same output calls noise", () => {
    // The halves of A lie 12 apart, B 8 above A: beyond the bound for Welch's test, and no more than A drifts by.
    const drifting = [94, 94.1, 93.9, 94, 106, 106.1, 105.9, 106];
    const twin = (label: string, values: readonly number[]) =>
      madeCell({ label, values: { wallMs: values }, effectiveHash: "same" });
    const a = madeSide([madeCell({ label: "N=1", values: { wallMs: BEFORE } })], {
      otherCells: [twin("one", drifting.slice(0, 4)), twin("other", drifting.slice(4))],
    });
    const b = madeSide([madeCell({ label: "N=1", values: { wallMs: times(1.08) } })], { name: "b" });
    const result = judgeGate(compareRuns(a, b, { metrics: ["wallMs"] }), parseGate("wallMs<+1%"));
    expect(check(result)).toMatchObject({ verdict: "inconclusive", why: { kind: "within-noise" } });
    expect(check(result).metric).toMatchObject({ withinNoise: true, holm: { rejected: true } });
  });

  it("fails a paired change that drift hides only from tests without pairs", () => {
    const side = (values: readonly number[], label: string) =>
      madeSide([madeCell({ label, values: { ttftMsP50: values } })], { runId: "one" });
    const drifting = [100, 110, 120, 130, 140, 150];
    const comparison = compareRuns(
      side(drifting, "a"),
      side(
        drifting.map((value, index) => value * (1.01 + (index % 2) * 1e-4)),
        "b",
      ),
      { metrics: ["ttftMsP50"] },
    );
    expect(judgeGate(comparison, parseGate("ttftMsP50<+0.2%")).verdict).toBe("failed");
    expect(comparison.pairs[0]?.metrics[0]?.withinNoise).toBe(false);
  });

  it("never both: of two runs of the same thing it fails no more often than 5 in 100", () => {
    let failed = 0;
    for (let seed = 0; seed < 200; seed++) {
      const random = randomStream(seed, "a/a");
      const draw = () => Array.from({ length: 5 }, () => 100 + 5 * random.normal());
      if (gate("ttftMsP50<+1%", draw(), draw()).verdict === "failed") failed++;
    }
    expect(failed).toBeLessThanOrEqual(10);
  });

  it("gives the same answer in any unit", () => {
    const values = fc.array(fc.double({ min: 50, max: 150, noNaN: true }), { minLength: 3, maxLength: 6 });
    fc.assert(
      fc.property(values, values, fc.constantFrom(0.001, 60, 1e6), (a, b, unit) => {
        const scaled = (list: readonly number[]) => list.map((value) => value * unit);
        expect(gate("ttftMsP50<+5%", scaled(a), scaled(b)).verdict).toBe(gate("ttftMsP50<+5%", a, b).verdict);
      }),
      { numRuns: 60 },
    );
  });
});

describe("a gate on requests that fail", () => {
  /** Trials of 6 requests that each lost so many, and were otherwise as ever. */
  const lossy = (failed: readonly number[], values: readonly number[] = BEFORE, requests = 6) => {
    const shares = failed.map((count) => (100 * count) / (count + requests));
    return madeCell({
      values: { ttftMsP50: values.slice(0, failed.length), failurePct: shares },
      requests,
      failed,
    });
  };
  const judge = (text: string, a: ReturnType<typeof madeCell>, b: ReturnType<typeof madeCell>) => {
    const clauses = parseGate(text);
    const metrics = clauses.map((clause) => clause.metric);
    return judgeGate(compareRuns(madeSide([a]), madeSide([b], { name: "b" }), { metrics }), clauses);
  };
  const NONE = [0, 0, 0, 0];

  it("fails where B loses more than A and more than chance, however fast the rest are", () => {
    const result = judge("ttftMsP50<+5%", lossy(NONE), lossy([3, 3, 3, 3], times(0.5)));
    expect(check(result)).toMatchObject({
      verdict: "failed",
      why: { kind: "failures" },
      passedBy: undefined,
    });
    // Of three trials against three, one of C(6, 3) = 20 ways: just enough; of two against two, one of 6.
    expect(judge("ttftMsP50<+5%", lossy([0, 0, 0]), lossy([6, 6, 6])).verdict).toBe("failed");
    expect(judge("ttftMsP50<+5%", lossy([0, 0]), lossy([6, 6])).verdict).toBe("inconclusive");
  });

  it("is inconclusive where failures of either side could hide the answer", () => {
    const a = judge("ttftMsP50<+5%", lossy([3, 3, 3, 3]), lossy(NONE, times(1.2)));
    expect(check(a)).toMatchObject({ verdict: "inconclusive", why: { kind: "failures" } });
    const b = judge("ttftMsP50<+5%", lossy(NONE), lossy([0, 1, 0, 0]));
    expect(check(b)).toMatchObject({ verdict: "inconclusive", why: { kind: "failures" } });
    // Slower though it serves fewer: what was lost cannot have made it so.
    expect(judge("ttftMsP50<+5%", lossy(NONE), lossy([0, 1, 0, 0], times(1.2))).verdict).toBe("failed");
    // One of 4,001 requests moves no median.
    expect(judge("ttftMsP50<+5%", lossy(NONE, BEFORE, 1000), lossy([0, 1, 0, 0], BEFORE, 1000)).verdict).toBe(
      "passed",
    );
  });

  it("takes a bound on failures in points, and then judges by that", () => {
    // Shares of 25 … 40 % against none.
    expect(judge("failurePct<+1", lossy(NONE), lossy([2, 3, 4, 3])).verdict).toBe("failed");
    expect(judge("failurePct<+60", lossy(NONE), lossy([2, 3, 4, 3])).verdict).toBe("passed");
    // All trials alike, no t test: every request of B failed.
    const all = madeCell({ values: { failurePct: [100, 100, 100, 100] }, requests: 0, failed: [6, 6, 6, 6] });
    expect(judge("failurePct<+1", lossy(NONE), all).verdict).toBe("failed");
  });

  it("passes a bound on failures when so many requests had none that the bound is out of reach", () => {
    // Clopper–Pearson, 95 %: 1 − 0.025^(1/n) is below 0.01 from n = 368 on (log 0.025 ÷ log 0.99 = 367.04).
    const few = judge("failurePct<+1", lossy(NONE), lossy(NONE));
    expect(check(few)).toMatchObject({
      verdict: "inconclusive",
      why: { kind: "too-few-requests", requests: 24, needed: 368 },
    });
    expect(judge("failurePct<+1", lossy(NONE), lossy(NONE, BEFORE, 91)).verdict).toBe("inconclusive");
    expect(check(judge("failurePct<+1", lossy(NONE), lossy(NONE, BEFORE, 92)))).toMatchObject({
      verdict: "passed",
      passedBy: "no-failures",
    });
  });

  it("is inconclusive about figures of unlike work, and judges the others", () => {
    const cell = (outputPerRequest: number) =>
      madeCell({ values: { wallMs: BEFORE, decodeTps: BEFORE }, outputPerRequest });
    const result = judge("wallMs<+5%,decodeTps>-5%", cell(40), cell(8));
    expect(result.checks).toMatchObject([
      { verdict: "inconclusive", why: { kind: "other-work" } },
      { verdict: "passed" },
    ]);
  });
});
