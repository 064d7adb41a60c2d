import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alone, made, onlyBlock } from "../../test/fakes/made-block.ts";
import { madeRun } from "../../test/fakes/recorded-run.ts";
import type { RequestRecord } from "../record/request-record.ts";

describe("true speedup", () => {
  it("is scaled to the tokens that were produced together", () => {
    // Together 51 and 201 tokens. Alone that work takes 100 + 50 × 10 and 100 + 200 × 10 ms; the wall is 4,000 ms.
    const block = onlyBlock(
      madeRun([
        { kind: "solo", agents: { a: [alone] } },
        { kind: "solo", agents: { b: [alone] } },
        { kind: "together", agents: { a: [made(200, 51, 1_800)], b: [made(400, 201, 3_600)] } },
      ]),
    );
    expect(block.agents.map((agent) => agent.aloneMs)).toEqual([
      expect.closeTo(600, 6),
      expect.closeTo(2_100, 6),
    ]);
    expect(block.true?.speedup).toBeCloseTo(2_700 / 4_000, 9);
    // The published formula sees only how evenly they finished: (2,000 + 4,000) ÷ 4,000.
    expect(block.nominal?.speedup).toBeCloseTo(1.5, 9);
  });

  it("takes the prefill of the same position, and keeps model loading out of it", () => {
    const block = onlyBlock(
      madeRun([
        {
          kind: "solo",
          agents: {
            a: [made(5_100, 101, 1_000, { record: { split: { loadMs: 5_000 } } }), made(40, 101, 1_000)],
          },
        },
        { kind: "solo", agents: { b: [alone, alone] } },
        { kind: "together", agents: { a: [alone, alone], b: [alone, alone] } },
      ]),
    );
    expect(block.agents[0]?.aloneMs).toBeCloseTo(100 + 1_000 + 40 + 1_000, 6);
  });

  it("counts the tokens of an answer that arrived in one read, whose own decode rate is unknown", () => {
    // First and last token share a stamp. Alone, 64 tokens take 100 + 63 × 10 ms; the wall is 1,000 ms.
    const inOneRead = made(1_000, 64, 0);
    const block = onlyBlock(
      madeRun([
        { kind: "solo", agents: { a: [alone] }, record: { soloFor: ["a", "b"] } },
        { kind: "together", agents: { a: [inOneRead], b: [inOneRead] } },
      ]),
    );
    expect(block.agents[0]?.aloneMs).toBeCloseTo(730, 6);
    expect(block.true?.speedup).toBeCloseTo(1.46, 9);
  });

  it("counts the tokens of an answer that was sent in one event as decoding, as alone", () => {
    const oneEvent = made(1_000, 64, 0, {
      record: { tokens: { input: 200, cached: 0, output: 64, firstEvent: 64, outputSource: "engine" } },
    });
    const block = onlyBlock(
      madeRun([
        { kind: "solo", agents: { a: [alone] }, record: { soloFor: ["a", "b"] } },
        { kind: "together", agents: { a: [oneEvent], b: [oneEvent] } },
      ]),
    );
    expect(block.agents[0]?.aloneMs).toBeCloseTo(730, 6);
  });

  it("takes no prefill from a solo answer that came in one read: its TTFT holds the decoding too", () => {
    const block = onlyBlock(
      madeRun([
        { kind: "solo", agents: { a: [made(1_100, 101, 0), alone] }, record: { soloFor: ["a", "b"] } },
        { kind: "together", agents: { a: [alone, alone], b: [alone, alone] } },
      ]),
    );
    expect(block.agents[0]?.aloneMs).toBeCloseTo(2 * (100 + 1_000), 6);
  });

  it("needs no decode rate where every answer is one token", () => {
    const oneToken = made(100, 1, 0);
    const block = onlyBlock(
      madeRun([
        { kind: "solo", agents: { a: [oneToken] }, record: { soloFor: ["a", "b"] } },
        { kind: "together", agents: { a: [oneToken], b: [oneToken] } },
      ]),
    );
    expect(block.true?.speedup).toBeCloseTo(2, 9);
  });

  it("takes the solo trial of an agent that differs only in name", () => {
    const block = onlyBlock(
      madeRun([
        { kind: "solo", agents: { a: [alone] }, record: { soloFor: ["a", "b"] } },
        { kind: "together", agents: { a: [alone], b: [alone] } },
      ]),
    );
    expect(block.true?.speedup).toBeCloseTo(2, 9);
    expect(block.aggregateGain).toBeCloseTo(2, 9);
  });

  it("never takes a solo trial of another repeat", () => {
    const block = onlyBlock(
      madeRun([
        { kind: "solo", repeat: 1, agents: { a: [alone] }, record: { soloFor: ["a", "b"] } },
        { kind: "together", repeat: 0, agents: { a: [alone], b: [alone] } },
      ]),
    );
    expect(block.true).toBeUndefined();
    expect(block.agents[0]?.comparability).toMatchObject({ kind: "not-comparable", reason: "no-solo" });
  });

  it("is N for N agents that lose nothing", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 2, max: 300 }), (agents, tokens) => {
        const same = made(50, tokens, (tokens - 1) * 10);
        const names = Array.from({ length: agents }, (_, index) => `agent-${index}`);
        const block = onlyBlock(
          madeRun([
            { kind: "solo", agents: { "agent-0": [same] }, record: { soloFor: names } },
            { kind: "together", agents: Object.fromEntries(names.map((name) => [name, [same]])) },
          ]),
        );
        expect(block.true?.speedup).toBeCloseTo(agents, 6);
        expect(block.true?.efficiencyPct).toBeCloseTo(100, 6);
      }),
    );
  });
});

describe("an agent that sent nothing", () => {
  const block = onlyBlock(
    madeRun([
      { kind: "solo", agents: { a: [alone] } },
      { kind: "solo", agents: { silent: [] } },
      { kind: "together", agents: { a: [alone], silent: [] } },
    ]),
  );

  it("keeps its seat: what the others did alone is no speedup of the trial", () => {
    expect(block.agents.map(({ together }) => [together.agent, together.requests])).toEqual([
      ["a", 1],
      ["silent", 0],
    ]);
    expect([block.true, block.nominal, block.aggregateGain, block.sharing, block.fairness]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(block.agents[1]?.comparability).toMatchObject({ reason: "nothing-finished" });
  });

  it("does not take from the others what they kept", () => {
    expect(block.agents[0]?.retention).toBeCloseTo(1, 9);
  });
});

describe("solo and together are not compared", () => {
  const compared = (changes: Partial<RequestRecord>) =>
    onlyBlock(
      madeRun([
        {
          kind: "solo",
          agents: { a: [made(100, 101, 1_000, { record: changes })] },
          record: { soloFor: ["a", "b"] },
        },
        { kind: "together", agents: { a: [alone], b: [alone] } },
      ]),
    ).agents[0];

  it("when only one of them found its prompts in the cache", () => {
    const agent = compared({ tokens: { input: 200, cached: 150, output: 101 } });
    expect(agent?.comparability).toMatchObject({ kind: "not-comparable", reason: "cache-differs" });
    expect([agent?.retention, agent?.aloneMs]).toEqual([undefined, undefined]);
  });

  it("when their prompts are of another length", () => {
    const agent = compared({ tokens: { input: 300, output: 101 }, promptHash: "ffffffffffffffff" });
    expect(agent?.comparability).toMatchObject({
      reason: "prompts-differ",
      message: "a: prompts average 300 tokens alone and 200 together",
    });
  });

  it("but are, when prompts differ only by what makes them unique", () => {
    expect(compared({ promptHash: "ffffffffffffffff" })?.comparability).toEqual({
      kind: "comparable",
      prompts: "alike",
    });
    expect(compared({})?.comparability).toEqual({ kind: "comparable", prompts: "identical" });
  });
});
