import { describe, expect, it } from "vitest";
import { madeRun } from "../../../test/fakes/recorded-run.ts";
import type { MadeCell } from "../../../test/fakes/two-agent-run.ts";
import { twoAgentRun } from "../../../test/fakes/two-agent-run.ts";
import { block } from "../../../test/fakes/viewed-run.ts";
import type { TelemetrySample } from "../../record/event-record.ts";
import type { TrialRecord } from "../../record/trial-record.ts";
import { analyseRun } from "../analyse-run.ts";
import { pooledSpread } from "./pooled-spread.ts";
import type { RunInsight } from "./run-insight.ts";
import { runInsight } from "./run-insight.ts";

const STEADY = [56, 56.2, 56.4, 56.1, 56.3];

function insightOf(
  cell: Partial<MadeCell>,
  telemetry: (trial: TrialRecord) => readonly TelemetrySample[] = () => [],
): RunInsight {
  const run = twoAgentRun([{ cell: "made", togetherTokS: STEADY, ...cell }]);
  return runInsight(analyseRun(run), { trials: run.trials, telemetry: run.trials.flatMap(telemetry) });
}

/** The third repeat is slow, and this is what the records say of it. */
const slowThird = { togetherTokS: STEADY.map((tokS, repeat) => (repeat === 2 ? 30 : tokS)) };

const causesOf = (insight: RunInsight) => insight.outliers.map((one) => one.causes.map(({ cause }) => cause));

describe("an outlier", () => {
  it("has no cause where the records show nothing unusual", () => {
    const { outliers } = insightOf(slowThird);
    expect(outliers.map((one) => [one.trialId, one.causes])).toEqual([["made-r2-together", []]]);
    expect(outliers[0]?.figures.map((one) => one.figure)).toContain("wall");
  });

  it("is likely a cold model's where only its requests loaded one", () => {
    const cold: Partial<MadeCell> = {
      request: (repeat, position) =>
        repeat === 2 && position === 0 ? { ttftMs: 3_000, record: { split: { loadMs: 2_800 } } } : {},
    };
    expect(causesOf(insightOf(cold))).toEqual([["cold-model"]]);
  });

  it("is likely the client's where its event loop lagged, and not where it always does", () => {
    const lag = (usual: number): Partial<MadeCell> => ({
      ...slowThird,
      record: (repeat) => ({ client: { loopLagMsP99: repeat === 2 ? 40 : usual } }),
    });
    expect(causesOf(insightOf(lag(0.4)))).toEqual([["client-bound"]]);
    expect(causesOf(insightOf(lag(38)))).toEqual([[]]);
  });

  it("is likely memory pressure's where memory ran out during it alone", () => {
    const during = (trial: TrialRecord): readonly TelemetrySample[] => [
      {
        atNs: trial.originMonotonicNs + 1,
        memoryTotalBytes: 100,
        memoryAvailableBytes: trial.repeat === 2 ? 2 : 60,
      },
    ];
    // Made trials share one origin: each needs a time of its own for its samples.
    const apart: Partial<MadeCell> = {
      ...slowThird,
      record: (repeat) => ({ originMonotonicNs: (repeat + 1) * 1e12 }),
    };
    expect(causesOf(insightOf(apart, during))).toEqual([["memory-pressure"]]);
  });

  it("is likely queueing's where first tokens came late", () => {
    const late: Partial<MadeCell> = { request: (repeat) => (repeat === 2 ? { ttftMs: 2_000 } : {}) };
    expect(causesOf(insightOf(late))).toEqual([["queueing"]]);
  });
});

describe("the summary of several cells", () => {
  const cell = (name: string, scenario: string, tokS: number): MadeCell => ({
    cell: name,
    scenario,
    togetherTokS: [tokS, tokS + 1],
  });
  const run = twoAgentRun([
    cell("a", "one", 50),
    cell("b", "one", 60),
    { ...cell("c", "two", 40), ttftMs: 4_000 },
  ]);
  const insight = runInsight(analyseRun(run), { trials: run.trials });

  it("ranks top and bottom without naming a cell twice", () => {
    expect(insight.top.map((one) => one.label)).toEqual(["b", "a"]);
    expect(insight.bottom.map((one) => one.label)).toEqual(["c"]);
    expect(insight.rankedBy.name).toBe("true efficiency");
  });

  it("ranks a ladder by true speedup, and says that efficiencies of different counts are not alike", () => {
    const ladder = [1, 2, 4].flatMap((agents) =>
      [0, 1].flatMap((repeat) =>
        block({
          repeat,
          cell: `N=${agents}`,
          names: ["a", "b", "c", "d"].slice(0, agents),
          // 1, then 2 × 0.8 = 1.6 and 4 × 0.3 = 1.2 of what one agent does alone.
          togetherTokS: { 1: 100, 2: 80, 4: 30 }[agents] ?? 0,
        }),
      ),
    );
    const made = madeRun(ladder);
    const { rankedBy, top, bottom, overall } = runInsight(analyseRun(made), { trials: made.trials });
    // A mean over one, two and four agents describes none of them.
    expect(overall.figures).toEqual([]);
    expect(insight.overall.figures).not.toEqual([]);
    expect(rankedBy).toMatchObject({ name: "true speedup", caution: expect.stringContaining("not alike") });
    expect([...top, ...bottom].map((one) => one.label)).toEqual(["N=2", "N=4", "N=1"]);
    expect(insight.rankedBy).not.toHaveProperty("caution");
  });

  it("ranks by the balance index only where no cell has a true figure", () => {
    const together = run.trials.filter((trial) => trial.kind === "together");
    const alone = runInsight(analyseRun({ ...run, trials: together }), { trials: together });
    expect(alone.rankedBy.name).toBe("balance (published efficiency)");
    const solos = run.trials.filter((trial) => trial.kind === "together" || trial.cell === "a");
    const some = runInsight(analyseRun({ ...run, trials: solos }), { trials: solos });
    expect(some.rankedBy.name).toBe("true efficiency");
    expect(some.top.map((one) => one.label)).toEqual(["a"]);
  });

  it("counts contention by scenario", () => {
    expect(
      insight.scenarios.map((one) => [one.name, one.contention.contended, one.contention.decided]),
    ).toEqual([
      ["one", 0, 4],
      ["two", 2, 2],
    ]);
    expect(insight.overall.contention).toMatchObject({ contended: 2, decided: 6 });
  });
});

describe("the deviation within configurations", () => {
  it("pools variances by their degrees of freedom, blind to differences between configurations", () => {
    // Variances 1 (n = 3) and 2 (n = 2): √((2·1 + 1·2) ÷ 3)
    expect(pooledSpread([[1, 2, 3], [100, 102], [7]])).toEqual({
      kind: "known",
      sd: expect.closeTo(Math.sqrt(4 / 3), 12),
      groups: 2,
      freedom: 3,
    });
  });

  it("does not exist where no configuration was repeated", () => {
    expect(pooledSpread([[1], [2]])).toEqual({ kind: "too-few" });
  });
});
