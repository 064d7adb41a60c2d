import { describe, expect, it } from "vitest";
import { madeRun, steadyRequest } from "../../test/fakes/recorded-run.ts";
import { analyseRun } from "./analyse-run.ts";

/** The dual-instance study's own figures: 42 tok/s each together, 114.54 tok/s alone. */
const STUDY_TOGETHER = [steadyRequest(420, 42), steadyRequest(420, 42)];
const STUDY_ALONE = [steadyRequest(420, 114.54), steadyRequest(420, 114.54)];

const studyShaped = madeRun([
  { kind: "solo", agents: { collector: STUDY_ALONE } },
  { kind: "solo", agents: { insight: STUDY_ALONE } },
  { kind: "together", agents: { collector: STUDY_TOGETHER, insight: STUDY_TOGETHER } },
]);

describe("a run shaped like the dual-instance study", () => {
  const [cell] = analyseRun(studyShaped).cells;
  const block = cell?.blocks[0];

  it("has a balance index of 2 and a true speedup of 0.73, as the study's flaws work out", () => {
    expect(block?.nominal?.speedup).toBeCloseTo(2, 9);
    expect(block?.nominal?.efficiencyPct).toBeCloseTo(100, 9);
    // 2 × 42 ÷ 114.54
    expect(block?.true?.speedup).toBeCloseTo(0.73337, 5);
    expect(block?.true?.efficiencyPct).toBeCloseTo(36.668, 3);
  });

  it("leaves each agent 36.7 % of its solo speed, where an ideal shared device leaves half", () => {
    expect(cell?.agents.map((agent) => agent.retention?.mean)).toEqual([
      expect.closeTo(0.36668, 5),
      expect.closeTo(0.36668, 5),
    ]);
    expect(cell?.sharing?.equalShare).toBe(0.5);
    expect(cell?.sharing?.shared.retention).toBeCloseTo(0.5, 9);
    expect(cell?.sharing?.shared.trueSpeedup).toBeCloseTo(1, 9);
    // First come, first served: of two equal requests each, A ends at 1 and 3, B at 2 and 4 units,
    // so A keeps 2/3 and B 2/4 of its speed.
    expect(cell?.agents.map((agent) => agent.nullOneAtATime)).toEqual([
      expect.closeTo(2 / 3, 9),
      expect.closeTo(1 / 2, 9),
    ]);
  });

  it("gains 0.73 of one agent's throughput, is fair, and contends with nobody", () => {
    expect(block?.figures.whole.tokS).toBeCloseTo(84, 9);
    expect(block?.aggregateGain).toBeCloseTo(0.73337, 5);
    expect(block?.fairness).toBeCloseTo(1, 9);
    expect(block?.contended).toBe(false);
    expect([block?.throughputDeltaTokS, block?.ttftDeltaMs]).toEqual([0, 0]);
  });
});
