import { describe, expect, it } from "vitest";
import { alone, made, onlyBlock } from "../../test/fakes/made-block.ts";
import type { MadeRequest, MadeTrial } from "../../test/fakes/recorded-run.ts";
import { madeRun, steadyRequest } from "../../test/fakes/recorded-run.ts";
import { defined } from "../core/assert.ts";
import type { RequestRecord } from "../record/request-record.ts";
import { cellsOf } from "../workload/matrix.ts";
import { scenarioSchema } from "../workload/scenario.ts";
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

describe("throughput", () => {
  it("of an agent is tokens over time in requests; thinking between them is not in it", () => {
    const block = onlyBlock(
      madeRun([
        { kind: "together", agents: { a: [made(0, 50, 1_000), made(0, 150, 1_000, { atMs: 9_000 })] } },
      ]),
    );
    expect(block.figures.agents[0]?.throughputTokS).toBe(100);
    expect(block.figures.whole).toMatchObject({ windowMs: 10_000, tokens: 200, tokS: 20 });
  });

  it("while all agents are busy ends with the first agent to finish, and counts by event stamps", () => {
    const run = madeRun([
      {
        kind: "together",
        agents: {
          a: [made(100, 10, 900)],
          // Tokens at 500, 600 … 2,500 ms, of which 500 … 1,000 are inside; events of 4 at first.
          b: [made(500, 24, 2_000, { chunkTokens: [4, ...Array.from({ length: 20 }, () => 1)] })],
        },
      },
    ]);
    expect(onlyBlock(run).figures.steady).toEqual({
      windowMs: 1_000,
      tokens: 19,
      tokS: 19,
      basis: "counted",
    });
    // Without stamps the first event counts as one token and the rest as evenly spread: 1 + 23 × 500 ÷ 2,000.
    const without = analyseRun(run, { chunks: false }).cells[0]?.blocks[0]?.figures.steady;
    expect(without).toMatchObject({ basis: "share", tokens: expect.closeTo(10 + 1 + 23 / 4, 9) });
  });

  it("of an agent leaves failed requests out and says so; that of the trial counts what they streamed", () => {
    const failed: Partial<RequestRecord> = {
      outcome: { kind: "failed", code: "CONNECTION_RESET", message: "reset", afterFirstToken: true },
    };
    const analysis = analyseRun(
      madeRun([
        { kind: "together", agents: { a: [made(0, 100, 1_000), made(0, 40, 3_000, { record: failed })] } },
      ]),
    );
    const figures = defined(analysis.cells[0]?.blocks[0]?.figures, "figures");
    expect(figures.agents[0]).toMatchObject({
      requests: 1,
      failed: 1,
      throughputTokS: 100,
      excluded: { requests: 1, outputTokens: 40 },
    });
    expect(figures.whole).toMatchObject({ tokens: 140, tokS: 35 });
    expect(analysis.warnings.find((warning) => warning.code === "FAILED_REQUESTS")?.message).toBe(
      "1 of 2 requests failed, in 1 trial (CONNECTION_RESET 1). Agent rates, TTFT and latency leave them out; aggregate throughput counts what they streamed",
    );
  });
});

describe("the cells of an analysis", () => {
  const scenario = scenarioSchema.parse({
    name: "ladder",
    endpoints: { a: { url: "http://127.0.0.1:1" } },
    agents: ["a", "b", "c"].map((name) => ({ name, program: "synthetic", endpoint: "a" })),
    agentCounts: [3, 1, 2],
  });

  it("go up the ladder, in whatever order they were executed", () => {
    const executed = cellsOf(scenario).map(
      ({ hash, label, agents }): MadeTrial => ({
        kind: "together",
        cell: label,
        agents: Object.fromEntries(agents.map(({ name }) => [name, [alone]])),
        record: { cellHash: hash },
      }),
    );
    const analysis = analyseRun(madeRun(executed, { spec: { scenario, seed: 7 } }));
    expect(analysis.cells.map((cell) => cell.agentNames.length)).toEqual([1, 2, 3]);
  });

  it("are not averaged where they have different numbers of agents", () => {
    const two: MadeTrial = { kind: "together", cell: "two", agents: { a: [alone], b: [alone] } };
    const three: MadeTrial = {
      kind: "together",
      cell: "three",
      agents: { a: [alone], b: [alone], c: [alone] },
    };
    const ladder = analyseRun(madeRun([two, three]));
    expect(ladder.pooling).toEqual({ kind: "apart", differ: "agent counts" });
    expect(Object.values(ladder.overall).every((figure) => figure === undefined)).toBe(true);
    const matrix = analyseRun(madeRun([two, { ...two, cell: "again" }]));
    expect(matrix.pooling).toEqual({ kind: "pooled", agents: 2 });
    expect(matrix.overall.balanceIndex).toMatchObject({ n: 2, mean: 2 });
  });

  it("are not averaged where the agents were asked for other work, settings of the server aside", () => {
    const matrixOf = (path: string, values: readonly number[]) => {
      const spec = scenarioSchema.parse({ ...scenario, agentCounts: [], matrix: { [path]: values } });
      const trials = cellsOf(spec).map(
        ({ hash, label }): MadeTrial => ({
          kind: "together",
          cell: label,
          agents: { a: [alone], b: [alone], c: [alone] },
          record: { cellHash: hash },
        }),
      );
      return analyseRun(madeRun(trials, { spec })).pooling;
    };
    expect(matrixOf("agents.*.options.numGpu", [0, 60])).toEqual({ kind: "pooled", agents: 3 });
    expect(matrixOf("agents.*.promptTokens", [128, 4096])).toEqual({ kind: "apart", differ: "workloads" });
  });
});

describe("an analysis", () => {
  it("survives being written as JSON, failures and all", () => {
    const failed: Partial<RequestRecord> = {
      outcome: { kind: "failed", code: "SERVER_ERROR", message: "500", afterFirstToken: false },
    };
    const analysis = analyseRun(
      madeRun([{ kind: "together", agents: { a: [alone, made(0, 0, 10, { record: failed })], b: [alone] } }]),
    );
    expect(analysis.totals).toMatchObject({ failed: 1, failuresByCode: { SERVER_ERROR: 1 } });
    expect(JSON.parse(JSON.stringify(analysis))).toEqual(analysis);
  });
});

describe("what enters no figure", () => {
  it("is a warm-up request, with its chunks", () => {
    const run = madeRun([{ kind: "together", agents: { a: [made(100, 11, 1_000)] } }]);
    const [measured] = run.requests;
    const warmUp: RequestRecord = {
      ...defined(measured, "a request"),
      requestId: "made-r0-together/a/warm-up-0",
      phase: "warm-up",
    };
    const analysis = analyseRun({
      ...run,
      eachRequest: (visit) => [warmUp, ...run.requests].forEach((request) => visit(request, "finished")),
      eachChunk: (visit) =>
        [{ v: 1, requestId: warmUp.requestId, firstNs: 0, gapsUs: [7, 7] } as const, ...run.chunks].forEach(
          (chunk) => visit(chunk, "finished"),
        ),
    });
    expect(analysis.totals).toMatchObject({ measured: 1, warmUp: 1 });
    const requests = analysis.cells[0]?.agents[0]?.requestsTogether;
    expect(requests?.ttftMs.n).toBe(1);
    expect(requests?.chunkGapMs?.n).toBe(10);
  });

  it("is a request of a trial that did not finish", () => {
    const run = madeRun([
      { kind: "together", agents: { a: [alone] } },
      { kind: "together", repeat: 1, agents: { a: [alone] }, record: { status: "interrupted" } },
    ]);
    const analysis = analyseRun(run);
    expect(analysis.totals).toMatchObject({ measured: 1, unfinished: 1 });
    expect(analysis.cells[0]?.blocks).toHaveLength(1);
    expect(analysis.warnings.map((warning) => warning.code)).toContain("TRIALS_MISSING");
  });

  it("leaves an analysis of nothing when no trial finished at all", () => {
    const analysis = analyseRun(madeRun([]));
    expect(analysis).toMatchObject({ cells: [], repeats: [], overall: { trueSpeedup: undefined } });
  });
});

describe("deltas, fairness and gaps", () => {
  it("subtract the second agent from the first", () => {
    const block = onlyBlock(
      madeRun([{ kind: "together", agents: { a: [made(500, 100, 500)], b: [made(300, 50, 700)] } }]),
    );
    expect(block.throughputDeltaTokS).toBe(50);
    expect(block.ttftDeltaMs).toBe(200);
  });

  it("judge fairness by retention where roles differ: half and half is fair, whatever the rates", () => {
    const fast = made(0, 101, 1_000);
    const slow = made(0, 11, 1_000, { record: { step: "summarise" } });
    const halved = (request: MadeRequest): MadeRequest => ({ ...request, decodeMs: 2 * request.decodeMs });
    const block = onlyBlock(
      madeRun([
        { kind: "solo", agents: { a: [fast] } },
        { kind: "solo", agents: { b: [slow] } },
        { kind: "together", agents: { a: [halved(fast)], b: [halved(slow)] } },
      ]),
    );
    expect(block.rolesAlike).toBe(false);
    expect(block.fairness).toBeCloseTo(1, 12);
    expect(block.sharing?.equalShare).toBeUndefined();
  });

  it("divide chunk gaps by the tokens of the chunk where the server streams counts", () => {
    const run = madeRun([
      { kind: "together", agents: { a: [made(10, 12, 300, { chunkTokens: [3, 3, 3, 3] })] } },
    ]);
    const requests = analyseRun(run).cells[0]?.agents[0]?.requestsTogether;
    // Three gaps of 100 ms, each for three tokens.
    expect(requests?.chunkGapMs).toMatchObject({ n: 3, mean: expect.closeTo(100, 6) });
    expect(requests?.itl).toMatchObject({ kind: "chunk", ms: { n: 9, mean: expect.closeTo(100 / 3, 6) } });
  });

  it("label the mean per request as such where it does not", () => {
    const run = madeRun([{ kind: "together", agents: { a: [made(10, 11, 300)] } }]);
    expect(analyseRun(run).cells[0]?.agents[0]?.requestsTogether.itl).toMatchObject({
      kind: "mean",
      ms: { n: 1, mean: 30 },
    });
  });
});

describe("where the time went", () => {
  it("is told by the engine, and what it does not account for is the residual", () => {
    const split = { queueMs: 30, prefillMs: 60, decodeMs: 900, decodeTokens: 90 };
    const run = madeRun([
      { kind: "together", agents: { a: [made(100, 101, 1_000, { record: { split } }), alone] } },
    ]);
    // Latency 1,100 ms against 990; the second request says nothing.
    expect(analyseRun(run).cells[0]?.agents[0]?.engineSplit).toEqual({
      requests: 1,
      queueMs: 30,
      loadMs: undefined,
      prefillMs: 60,
      decodeMs: 900,
      residualMs: expect.closeTo(110, 6),
      decodeTokS: 100,
    });
  });

  it("is absent where the engine is silent", () => {
    const run = madeRun([{ kind: "together", agents: { a: [alone] } }]);
    expect(analyseRun(run).cells[0]?.agents[0]?.engineSplit).toBeUndefined();
  });

  it("is the mean over trials of the parts of each agent's time", () => {
    const run = madeRun(
      [0, 1].map((repeat) => ({
        kind: "together",
        repeat,
        agents: { a: [alone, { ...alone, atMs: 2_000 + repeat * 100 }] },
      })),
    );
    // 1,100 ms each in two requests; the second starts at 2,000 and 2,100 ms.
    expect(analyseRun(run).cells[0]?.agents[0]?.time).toMatchObject({
      totalMs: 3_150,
      requestMs: 2_200,
      otherMs: 950,
    });
  });
});

describe("cells with the same effective settings", () => {
  it("are repeats, and the difference of their means is the noise floor", () => {
    const cell = (name: string, decodeMs: number): readonly MadeTrial[] => [
      {
        kind: "together",
        cell: name,
        agents: { a: [made(0, 100, 1_000)], b: [made(0, 100, decodeMs)] },
        record: { effectiveHash: "same" },
      },
    ];
    const [group] = analyseRun(madeRun([...cell("num_gpu=60", 1_000), ...cell("num_gpu=80", 1_250)])).repeats;
    expect(group?.cells).toEqual(["num_gpu=60", "num_gpu=80"]);
    // Balance 100 % against (1,000 + 1,250) ÷ 1,250 ÷ 2 = 90 %; 200 tok/s against 160.
    expect(group?.noiseFloor.balancePct).toBeCloseTo(10, 9);
    expect(group?.noiseFloor.aggregateTokS).toBeCloseTo(40, 9);
  });
});
