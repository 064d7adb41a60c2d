import { describe, expect, it } from "vitest";
import type { MadeTrial } from "../../../test/fakes/recorded-run.ts";
import { madeRun } from "../../../test/fakes/recorded-run.ts";
import { twoAgentRun } from "../../../test/fakes/two-agent-run.ts";
import type { MadeCell } from "../../../test/fakes/two-agent-run.ts";
import { defined } from "../../core/assert.ts";
import { readYamlFile } from "../../core/yaml.ts";
import { analyseRun } from "../analyse-run.ts";
import { costOf } from "../cost/cost.ts";
import { costFileSchema } from "../cost/cost-file.ts";
import { runFigures } from "../verdict/run-figures.ts";
import type { JudgedLevel } from "./service-level.ts";
import { judgeServiceLevels, SERVICE_LEVEL_EXIT } from "./service-level.ts";
import { serviceLevelFileSchema } from "./service-level-file.ts";

type Targets = readonly Readonly<Record<string, unknown>>[];

const fileOf = (targets: Targets) => serviceLevelFileSchema.parse({ version: 1, title: "made", targets });

function levelOf(target: Targets[number], cell: Partial<MadeCell>): JudgedLevel {
  const analysis = analyseRun(twoAgentRun([{ cell: "made", togetherTokS: [56, 57, 58, 57, 56], ...cell }]));
  return defined(judgeServiceLevels(fileOf([target]), analysis).levels[0], "one level");
}

describe("a level on a mean", () => {
  it("is met where the whole interval lies on its side, and missed where none of it does", () => {
    expect(levelOf({ metric: "trueSpeedup", above: 0.5 }, {}).state).toBe("met");
    expect(levelOf({ metric: "trueSpeedup", above: 1.5 }, {}).state).toBe("missed");
  });

  it("cannot be told where the interval lies on both sides, and says how many trials would", () => {
    const close = levelOf({ metric: "agentTokS", above: 52 }, { togetherTokS: [40, 80, 50, 70, 45] });
    expect(close.state).toBe("unknown");
    expect(close.doubt).toMatch(/both sides of the limit; about \d+ trials would decide/);
  });

  it("cannot be told from one trial, however far away the limit is", () => {
    const one = levelOf({ metric: "trueSpeedup", above: 0.1 }, { togetherTokS: [56] });
    expect(one).toMatchObject({
      state: "unknown",
      doubt: expect.stringContaining("one trial has no interval"),
    });
    expect(
      levelOf({ metric: "trueSpeedup", above: 0.1, judge: "observed" }, { togetherTokS: [56] }).state,
    ).toBe("met");
  });
});

describe("a level on the published speedup", () => {
  it("is judged on the balance index, and has true speedup beside it", () => {
    const level = levelOf({ metric: "balanceIndex", above: 1.9 }, {});
    expect(level.state).toBe("met");
    expect(level.value).toBeGreaterThan(1.9);
    expect(level.beside).toMatchObject({ name: "true speedup", value: expect.any(Number) });
    expect(level.beside?.value).toBeLessThan(1.1);
  });
});

describe("a level on a rate", () => {
  it("is not met by a few clean trials: none in five may be one in two", () => {
    const level = levelOf({ metric: "contentionPct", below: 1 }, {});
    expect(level).toMatchObject({ state: "unknown", value: 0, n: 5 });
    expect(level.interval?.high).toBeCloseTo((1 - 0.025 ** (1 / 5)) * 100, 6);
    expect(level.doubt).toContain("none in 368 trials would show it");
  });

  it("is missed where even the lower end exceeds it", () => {
    expect(levelOf({ metric: "contentionPct", below: 1 }, { ttftMs: 4_000 })).toMatchObject({
      state: "missed",
      value: 100,
    });
  });

  it("counts timeouts among the failures by their code", () => {
    const failed = {
      kind: "failed",
      code: "REQUEST_TIMEOUT",
      message: "late",
      afterFirstToken: false,
    } as const;
    const cell: Partial<MadeCell> = {
      request: (repeat, position) => (repeat === 0 && position === 1 ? { record: { outcome: failed } } : {}),
    };
    // Two agents' second requests of the first of five repeats; 4 requests of 2 solo trials and 4 together each.
    const timeouts = levelOf({ metric: "timeoutPct", atMost: 50 }, cell);
    expect(timeouts).toMatchObject({ state: "met", n: 40, value: 5 });
    expect(levelOf({ metric: "errorPct", atMost: 50 }, cell).value).toBe(5);
  });
});

describe("a level on a percentile", () => {
  it("cannot be told from requests that do not carry it", () => {
    const level = levelOf({ metric: "ttftMsP95", below: 2_000 }, {});
    expect(level).toMatchObject({ state: "unknown", value: undefined, n: 10 });
    expect(level.doubt).toBe("10 requests of an agent do not carry this percentile; 130 are needed");
  });

  it("is that of the worst agent", () => {
    const level = levelOf({ metric: "ttftMsP95", below: 165 }, { requests: 26, tokens: 4 });
    expect(level).toMatchObject({ state: "missed", n: 130 });
    expect(level.value).toBeCloseTo(170, 6);
  });
});

it("counts a TTFT delta in whichever direction, by the worst trial", () => {
  expect(levelOf({ metric: "ttftDeltaMs", atMost: 19, kind: "alert" }, {})).toMatchObject({
    state: "missed",
    value: expect.closeTo(20, 6),
  });
});

it("knows no cost without prices", () => {
  const level = levelOf({ metric: "costPerThousand", option: "rust", below: 1 }, {});
  expect(level).toMatchObject({ state: "unknown", doubt: expect.stringContaining("--costs") });
});

it("misses as a whole by one missed level, and else cannot tell by one that cannot be told", () => {
  const analysis = analyseRun(twoAgentRun([{ cell: "made", togetherTokS: [56, 57, 58] }]));
  const stateOf = (targets: Targets) => judgeServiceLevels(fileOf(targets), analysis).state;
  const met = { metric: "trueSpeedup", above: 0.5 };
  const missed = { metric: "trueSpeedup", above: 1.5 };
  const unknown = { metric: "contentionPct", below: 1 };
  expect([stateOf([met]), stateOf([met, unknown]), stateOf([met, unknown, missed])]).toEqual([
    "met",
    "unknown",
    "missed",
  ]);
  expect([SERVICE_LEVEL_EXIT.met, SERVICE_LEVEL_EXIT.unknown, SERVICE_LEVEL_EXIT.missed]).toEqual([0, 4, 1]);
});

describe("a level on a ladder of agent counts", () => {
  // Four of eight get 43 tok/s where the others get 57: (1 + 43 ÷ 57) ÷ 2 = 87.7 %.
  const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
  const request = (tokS: number) => [{ ttftMs: 0, tokens: 128, decodeMs: 127_000 / tokS }];
  const rung = (agents: number, repeat: number): readonly MadeTrial[] => {
    const own = names.slice(0, agents);
    const common = { repeat, cell: `agents=${agents}`, record: { scenario: "ladder" } };
    const together = own.map((name, place) => [name, request(place > 3 ? 43 + repeat / 100 : 57)]);
    return [
      ...own.map((name) => ({ ...common, kind: "solo" as const, agents: { [name]: request(114) } })),
      { ...common, kind: "together", agents: Object.fromEntries(together) },
    ];
  };
  const analysis = analyseRun(
    madeRun([0, 1, 2, 3, 4].flatMap((repeat) => [...rung(1, repeat), ...rung(8, repeat)])),
  );

  it("is missed by the one rung that misses it, whatever the mean over all rungs is", () => {
    const report = judgeServiceLevels(fileOf([{ metric: "balancePct", above: 90 }]), analysis);
    expect(report).toMatchObject({ perCell: true, state: "missed" });
    expect(report.levels).toMatchObject([{ state: "missed", cell: "agents=8", n: 5 }]);
    expect(report.levels[0]?.value).toBeCloseTo(87.7, 1);
    expect(SERVICE_LEVEL_EXIT[report.state]).toBe(1);
  });

  // Eight agents at 57 and 43 tok/s where one alone has 114: each takes 2 and 2.65 times as long, and 8 ÷ 2.65 = 3.02.
  it("does not apply to the rung of one agent where it is about sharing, and the others decide", () => {
    const levelOn = (target: Targets[number], cells = analysis.cells) =>
      judgeServiceLevels(fileOf([target]), { ...analysis, cells });
    const speedup = levelOn({ metric: "trueSpeedup", above: 2.5 });
    expect(speedup).toMatchObject({ state: "met" });
    expect(speedup.levels).toMatchObject([{ cell: "agents=8", n: 5, spared: ["agents=1"] }]);
    expect(speedup.levels[0]?.value).toBeCloseTo(3.02, 2);
    expect(levelOn({ metric: "contentionPct", atMost: 0, judge: "observed" }).state).toBe("met");
    expect(levelOn({ metric: "agentTokS", above: 55 }).levels).toMatchObject([
      { state: "missed", spared: [] },
    ]);
  });

  it("decides nothing where every rung has one agent", () => {
    const alone = { ...analysis, cells: analysis.cells.slice(0, 1) };
    const targets = [
      { metric: "trueSpeedup", above: 2.5 },
      { metric: "agentTokS", above: 50, judge: "observed" },
    ];
    const report = judgeServiceLevels(fileOf(targets), alone);
    expect(report.levels.map(({ state }) => state)).toEqual(["not-applicable", "met"]);
    expect(report.state).toBe("met");
    expect(judgeServiceLevels(fileOf(targets.slice(0, 1)), alone).state).toBe("unknown");
  });
});

describe("a level on a matrix of settings", () => {
  const slow = { cell: "numGpu=10", togetherTokS: [4.6, 4.7, 4.5, 4.6, 4.6] };
  const quick = { cell: "numGpu=60", togetherTokS: [100, 101, 99, 100, 100] };
  const analysis = analyseRun(
    twoAgentRun([
      { ...slow, record: () => ({ parameters: { numGpu: 10 } }) },
      { ...quick, record: () => ({ parameters: { numGpu: 60 } }) },
    ]),
  );

  it("has to hold in every configuration, whatever their mean is", () => {
    const report = judgeServiceLevels(fileOf([{ metric: "agentTokS", above: 10 }]), analysis);
    expect(report).toMatchObject({ perCell: true, state: "missed" });
    expect(report.levels).toMatchObject([{ cell: "numGpu=10", n: 5 }]);
    // Two requests of 128 tokens, 127 of them after the first: at 4.6 tok/s they take longer than 27 s each.
    expect(report.levels[0]?.value).toBeLessThan(128 / 27);
  });

  it("has no price for its mean wall: a price is of one configuration", () => {
    const option = (name: string, execution: string) => ({
      name,
      instances: [{ name: "server", count: { by: "time", execution }, pricePerMonth: 100 }],
      development: 0,
    });
    const costs = costOf(
      costFileSchema.parse({
        version: 1,
        title: "made",
        currency: "USD",
        executionsPerMonth: 100_000,
        years: 1,
        baseline: "mean",
        options: [option("mean", "overall/wallMs"), option("own", "cell/numGpu=60/wallMs")],
      }),
      runFigures(analysis),
    );
    expect(costs.options.map(({ perMonth }) => perMonth === undefined)).toEqual([true, false]);
    expect(costs.options[0]?.instances[0]?.why).toContain(
      "the cells differ in their settings, and a mean over them describes none; use the figures of one cell, such as cell/numGpu=10/wallMs",
    );
    const level = { metric: "costPerThousand", option: "mean", below: 1 };
    expect(judgeServiceLevels(fileOf([level]), analysis, costs).state).toBe("unknown");
  });
});

it("refuses a level with two limits, none, or a cost of no option", () => {
  const refused = (target: Targets[number]): boolean =>
    !serviceLevelFileSchema.safeParse({ version: 1, title: "made", targets: [target] }).success;
  expect(refused({ metric: "errorPct", below: 1, above: 0 })).toBe(true);
  expect(refused({ metric: "errorPct" })).toBe(true);
  expect(refused({ metric: "costPerThousand", below: 1 })).toBe(true);
  expect(refused({ metric: "errorPct", below: 1, option: "rust" })).toBe(true);
});

it("reads the levels of study 000", () => {
  const file = readYamlFile(
    serviceLevelFileSchema,
    new URL("../../../examples/service-levels/concurrent-agents.yaml", import.meta.url).pathname,
  );
  const analysis = analyseRun(twoAgentRun([{ cell: "chimera_homo", togetherTokS: [56, 57, 58] }]));
  const report = judgeServiceLevels(file, analysis);
  expect(report.levels.map((level) => level.state)).toEqual(["met", "met", "met"]);
});
