import { describe, expect, it } from "vitest";
import type { MadeRequest, MadeTrial } from "../../../test/fakes/recorded-run.ts";
import { madeEndpoint, madeRun } from "../../../test/fakes/recorded-run.ts";
import { parseWith } from "../../core/yaml.ts";
import type { RequestRecord } from "../../record/request-record.ts";
import { cellsOf } from "../../workload/matrix.ts";
import { scenarioSchema } from "../../workload/scenario.ts";
import { analyseRun } from "../analyse-run.ts";

const scenario = parseWith(
  scenarioSchema,
  {
    name: "roles",
    endpoints: { a: { url: "http://localhost:1" }, b: { url: "http://localhost:2" } },
    agents: [
      {
        name: "dev",
        endpoint: "a",
        role: { name: "Dev", maxOutputTokens: 100, conversation: { kind: "growing" } },
      },
      { name: "lead", endpoint: "b", role: { name: "TL", maxOutputTokens: 50 } },
    ],
    durationMs: 1000,
    solo: false,
  },
  "test",
);
const cellHash = cellsOf(scenario)[0]?.hash as string;

/** 10 tokens, one every 10 ms: 100 ms to the first, 90 ms to the last. */
const turn = (atMs: number, record: Partial<RequestRecord> = {}): MadeRequest => ({
  atMs,
  ttftMs: 100,
  tokens: 10,
  decodeMs: 90,
  record,
});
const tokens = (more: Partial<RequestRecord["tokens"]>): Pick<RequestRecord, "tokens"> => ({
  tokens: { output: 10, outputSource: "engine", ...more },
});
const ended: Partial<RequestRecord> = { outcome: { kind: "cancelled", reason: "window-ended" } };

function analysed(
  agents: MadeTrial["agents"],
  trial: Partial<MadeTrial> = {},
  options: { readonly chunks?: boolean } = {},
) {
  const made = madeRun(
    [0, 1].map((repeat) => ({
      kind: "together" as const,
      repeat,
      agents,
      ...trial,
      record: { cellHash, cell: "roles", windowNs: 1000e6, ...trial.record },
    })),
    {
      spec: scenario,
      endpoints: [
        madeEndpoint("a", { contextTokens: 400 }),
        madeEndpoint("b", { contextTokens: 400, model: "tiny" }),
      ],
    },
  );
  return analyseRun(made, options);
}

const rolesOf = (...given: Parameters<typeof analysed>) => analysed(...given).roles;

const figures = (agents: MadeTrial["agents"], options: { readonly chunks?: boolean } = {}) => {
  const [cell] = rolesOf(agents, {}, options);
  const of = (name: string) => cell?.roles.find(({ role }) => role === name);
  return { dev: of("Dev"), lead: of("TL"), all: cell?.all, cell };
};

describe("the throughput of a role in a set time", () => {
  it("is what came inside the window by its length, and no turn of it is longer than the window", () => {
    const { dev, all, cell } = figures({ dev: [turn(0), turn(200)], lead: [turn(500)] });
    expect(dev?.aggregateTokS?.mean).toBe(20);
    expect(all?.aggregateTokS?.mean).toBe(30);
    expect(cell).toMatchObject({ trials: 2, windowMs: { mean: 1000 }, label: "roles", hash: cellHash });
  });

  it("counts what an unfinished turn had given, by the stamps of its events", () => {
    // The first token at 860 + 100 = 960, then one every 10 ms: 960 … 1000 are five of the ten.
    const { dev } = figures({ dev: [turn(0), turn(860, ended)], lead: [] });
    expect(dev?.aggregateTokS?.mean).toBe(15);
    expect(dev?.turns).toEqual({ done: 2, refused: 0, failed: 0, unfinished: 2 });
  });

  it("takes an even share where the stamps of events were not read", () => {
    const { dev } = figures({ dev: [turn(860, ended)], lead: [] }, { chunks: false });
    // One token at the first event, and of the nine others 40 ms in 90.
    expect(dev?.aggregateTokS?.mean).toBeCloseTo(1 + (9 * 40) / 90, 9);
  });

  it("per call is tokens by the time of finished turns alone", () => {
    const { dev } = figures({ dev: [turn(0), turn(860, ended)], lead: [] });
    expect(dev?.perCallTokS?.mean).toBeCloseTo(10 / 0.19, 9);
  });

  it("never exceeds what the agents could have had per call, where one agent calls without pause", () => {
    // The flaw of the study's first row, 117.2 over all and 109.5 per call with one agent.
    const busy = Array.from({ length: 6 }, (_, index) => turn(index * 190, index === 5 ? ended : {}));
    const { dev } = figures({ dev: busy, lead: [] });
    expect(dev?.aggregateTokS?.mean).toBeLessThanOrEqual(dev?.perCallTokS?.mean as number);
  });
});

describe("the turns of a role", () => {
  it("last from when they were due to their end, the finished ones alone", () => {
    const late = turn(300);
    const { dev } = figures({ dev: [turn(0), late, turn(860, ended)], lead: [] });
    expect(dev?.turnMs).toMatchObject({ n: 4, mean: 190 });
    expect(dev?.turnMs.percentiles[0]).toMatchObject({ kind: "too-few", needed: 11 });
    expect(dev?.longestUnfinishedMs).toBe(190);
  });

  it("are refused, failed or unfinished, each for its reason", () => {
    const failed = (code: "CONTEXT_EXCEEDED" | "SERVER_ERROR", afterFirstToken: boolean) =>
      ({ outcome: { kind: "failed", code, message: "", afterFirstToken } }) as const;
    const { dev, all } = figures({
      dev: [
        turn(0, failed("CONTEXT_EXCEEDED", false)),
        turn(200, failed("CONTEXT_EXCEEDED", true)),
        turn(400, failed("SERVER_ERROR", false)),
        turn(600, { outcome: { kind: "cancelled", reason: "interrupted" } }),
      ],
      lead: [turn(0)],
    });
    expect(dev?.turns).toEqual({ done: 0, refused: 2, failed: 6, unfinished: 0 });
    expect(all?.turns).toMatchObject({ done: 2, refused: 2 });
  });

  it("have lost their cache when less than half of the prompt before is in it", () => {
    const { dev, lead } = figures({
      dev: [
        turn(0, { ...tokens({ input: 100, cached: 0 }), step: "turn" }),
        turn(200, { ...tokens({ input: 150, cached: 99 }), step: "turn" }),
        turn(400, { ...tokens({ input: 200, cached: 20 }), step: "turn" }),
        // A compaction is another text: nothing of it was to be found.
        turn(600, { ...tokens({ input: 120, cached: 0 }), step: "compacted-turn" }),
      ],
      lead: [turn(0, tokens({ input: 100, cached: 0 })), turn(200, tokens({ input: 100, cached: 0 }))],
    });
    expect(dev?.lostCaches).toBe(2);
    expect(lead?.lostCaches).toBeUndefined();
  });

  it("were larger than the context where counts do not go together otherwise", () => {
    const { dev } = figures({
      dev: [
        turn(0, tokens({ input: 80, inputTarget: 100 })),
        turn(200, tokens({ input: 395 })),
        turn(400, { ...tokens({ input: 390, outputLimit: 40 }), finishReason: "length" }),
        turn(600, { ...tokens({ input: 99, inputTarget: 100, outputLimit: 10 }), finishReason: "length" }),
      ],
      lead: [],
    });
    expect(dev?.contextFaults).toEqual({ truncated: 2, shifted: 2, cut: 2 });
  });
});

describe("which trials count", () => {
  it("are together trials that are complete", () => {
    expect(rolesOf({ dev: [turn(0)], lead: [turn(0)] }, { record: { status: "interrupted" } })).toEqual([]);
    expect(rolesOf({ dev: [turn(0)] }, { kind: "solo" })).toEqual([]);
  });

  it("are none of a run whose agents have neither roles nor a set time", () => {
    expect(analyseRun(madeRun([{ kind: "together", agents: { one: [turn(0)] } }])).roles).toEqual([]);
  });

  it("have an agent that never got a token among their agents", () => {
    expect(figures({ dev: [turn(0)], lead: [] }).lead).toMatchObject({
      agents: 1,
      aggregateTokS: { mean: 0 },
      perCallTokS: undefined,
    });
  });
});

describe("a trial of a set time", () => {
  const { cells, warnings } = analysed({ dev: [turn(0), turn(860, ended)], lead: [turn(0)] });

  it("has no balance index, which would be the number of agents whatever happened", () => {
    expect(cells[0]?.figures).toMatchObject({ balanceIndex: undefined, balancePct: undefined });
  });

  it("has its rates over the set time, and not until the last agent was told to end", () => {
    expect(cells[0]?.blocks[0]?.figures).toMatchObject({ windowMs: 1000, whole: { windowMs: 1000 } });
  });

  it("misses no solo trials", () => {
    expect(warnings.map(({ code }) => code)).not.toContain("SOLO_MISSING");
  });
});
