import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PAPER_ENGINE } from "../../../test/fakes/paper-device.ts";
import type { Role } from "../../workload/role.ts";
import { RoleConversation } from "../../workload/programs/role-conversation.ts";
import { roleSchema } from "../../workload/role.ts";
import { RoleTurns } from "./role-turns.ts";
import type { SimulatedAgent, SimulatedTurn, WorkloadOptions } from "./simulate-workload.ts";
import { simulateWorkload } from "./simulate-workload.ts";
import type { SlotEngineOptions } from "./slot-engine-options.ts";

const MS = 1_000_000;

/** The paper device with a cache that costs 1 ms per token of context. */
const CONTEXT_COSTS: SlotEngineOptions = {
  ...PAPER_ENGINE,
  time: {
    ...PAPER_ENGINE.time,
    model: { ...PAPER_ENGINE.time.model, headDimension: 1, kvBytesPerElement: 0.5 },
    // Prompts attend for nothing, so that every duration is a whole number of milliseconds.
    efficiency: { ...PAPER_ENGINE.time.efficiency, attention: Infinity },
  },
};

function role(fields: object): Role {
  return roleSchema.parse({ name: "R", maxOutputTokens: 10, messageTokens: 20, ...fields });
}

function turnsOf(options: WorkloadOptions): SimulatedTurn[] {
  const turns: SimulatedTurn[] = [];
  simulateWorkload(options, (turn) => turns.push(turn));
  return turns;
}

function alone(fields: object, durationMs: number, server: Partial<SlotEngineOptions> = {}): SimulatedTurn[] {
  return turnsOf({
    servers: [{ ...PAPER_ENGINE, ...server }],
    agents: [{ name: "a", role: role(fields), server: 0 }],
    durationNs: durationMs * MS,
  });
}

describe("an agent in a role", () => {
  it("starts its next turn when the last has ended: 20 ms of prompt and 9 steps of 10 ms each", () => {
    expect(alone({}, 250).map((turn) => [turn.submittedNs / MS, turn.endNs / MS, turn.outcome])).toEqual([
      [0, 110, "done"],
      [110, 220, "done"],
      [220, 250, "unfinished"],
    ]);
  });

  it("keeps its period, from start to start, and is late only when a turn takes longer", () => {
    const starts = (everyMs: number): number[] =>
      alone({ cadence: { everyMs } }, 400).map((turn) => turn.submittedNs / MS);
    expect(starts(150)).toEqual([0, 150, 300]);
    expect(starts(50)).toEqual([0, 110, 220, 330]);
  });

  it("thinks from end to start", () => {
    expect(alone({ cadence: { thinkMs: 40 } }, 400).map((turn) => turn.submittedNs / MS)).toEqual([
      0, 150, 300,
    ]);
  });

  it("counts the tokens of a turn that the end of time cuts off", () => {
    // The first token at 220 + 20, one more at 250: before 250 one has come out, at 251 two.
    expect(alone({}, 250).at(-1)).toMatchObject({ outcome: "unfinished", outputTokens: 1 });
    expect(alone({}, 251).at(-1)).toMatchObject({ outcome: "unfinished", outputTokens: 2 });
    expect(alone({}, 235).at(-1)).toMatchObject({ outcome: "unfinished", outputTokens: 0 });
  });

  it("pays for a growing conversation only what is new, until it is compacted", () => {
    const turns = alone(
      { conversation: { kind: "growing", compactAtShare: 0.1, compactToShare: 0.06 } },
      1_000,
    );
    // Each turn adds 20 + 10 tokens; the fourth would pass 100, so 60 − 30 are kept, and count as new text.
    expect(turns.slice(0, 5).map((turn) => [turn.promptTokens, turn.cachedTokens])).toEqual([
      [20, 0],
      [50, 29],
      [80, 59],
      [50, 0],
      [80, 59],
    ]);
  });

  it("drops whole turns: of the room for 45 tokens, a turn of 30 is kept", () => {
    const turns = alone(
      { conversation: { kind: "growing", compactAtShare: 0.1, compactToShare: 0.075 } },
      1_000,
    );
    expect(turns.slice(0, 5).map((turn) => turn.promptTokens)).toEqual([20, 50, 80, 50, 80]);
  });

  it("loses no cache where the limit is passed and nothing has to go", () => {
    // The fourth turn passes 100 and has room up to 120: it keeps all three turns, and its cache.
    const turns = alone(
      { conversation: { kind: "growing", compactAtShare: 0.1, compactToShare: 0.12 } },
      1_000,
    );
    expect(turns.slice(0, 5).map((turn) => [turn.promptTokens, turn.cachedTokens])).toEqual([
      [20, 0],
      [50, 29],
      [80, 59],
      [110, 89],
      [110, 0],
    ]);
  });

  it("keeps the turns that the real program keeps, whatever the sizes", () => {
    const sizes = fc.record({
      toolResultTokens: fc.nat(80),
      maxOutputTokens: fc.integer({ min: 1, max: 60 }),
      compactAtShare: fc.double({ min: 0.1, max: 1, noNaN: true }),
      compactToShare: fc.double({ min: 0.1, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(sizes, ({ toolResultTokens, maxOutputTokens, compactAtShare, compactToShare }) => {
        const conversation = { kind: "growing", compactAtShare, compactToShare };
        const playing = role({ toolResultTokens, maxOutputTokens, conversation });
        const simulated = new RoleTurns(playing, 0, 1000);
        const real = new RoleConversation(playing, 1000);
        const turnTokens = toolResultTokens + 20 + maxOutputTokens;
        for (let turn = 0; turn < 40; turn++) {
          real.compact();
          const { promptTokens } = simulated.next();
          const keptTurns = real.messages.length / 2;
          expect(promptTokens).toBe(keptTurns * turnTokens + toolResultTokens + 20);
          simulated.answered(maxOutputTokens);
          const answer = { user: "", answer: "", inputTokens: promptTokens, outputTokens: maxOutputTokens };
          real.answered(answer);
        }
      }),
    );
  });

  it("stops when its prompt does not fit the context, for the next would not either", () => {
    const turns = alone({ toolResultTokens: 5_000 }, 10_000);
    expect(turns).toHaveLength(1);
    expect(turns[0]).toMatchObject({ outcome: "refused", outputTokens: 0 });
  });
});

describe("one cache for all slots", () => {
  it("gives up idle caches first, then ends every running turn and goes on", () => {
    const pooled = { ...PAPER_ENGINE, slots: 2, poolTokens: 50 };
    const turns = turnsOf({
      servers: [pooled],
      agents: ["a", "b"].map((name) => ({ name, role: role({}), server: 0 })),
      durationNs: 300 * MS,
    });
    // Two prompts of 20 leave 10 cells: 40 ms of prompts, then 5 steps of 10 ms, and the sixth has no room.
    expect(turns.slice(0, 2)).toMatchObject([
      { agent: 0, outcome: "aborted", outputTokens: 6, endNs: 90 * MS + 1 },
      { agent: 1, outcome: "aborted", outputTokens: 6, endNs: 90 * MS + 1 },
    ]);
    expect(turns.length).toBeGreaterThan(4);
  });
});

const anyRole = fc
  .record({
    maxOutputTokens: fc.integer({ min: 1, max: 60 }),
    messageTokens: fc.integer({ min: 1, max: 90 }),
    toolResultTokens: fc.nat(300),
    cadence: fc.oneof(
      fc.record({ everyMs: fc.nat(50).map((count) => count * 10) }),
      fc.record({ thinkMs: fc.nat(20).map((count) => count * 10) }),
    ),
    conversation: fc.constantFrom({ kind: "fresh" }, { kind: "growing" }),
  })
  .map((fields) => role(fields));

const anyWorkload = fc
  .record({
    mode: fc.constantFrom("continuous", "sequential", "time-shared"),
    slots: fc.integer({ min: 1, max: 4 }),
    batchTokens: fc.integer({ min: 5, max: 300 }),
    pooled: fc.boolean(),
    window: fc.option(fc.integer({ min: 10, max: 400 }), { nil: undefined }),
    agents: fc.array(fc.record({ role: anyRole, server: fc.nat(1), startMs: fc.nat(300) }), {
      minLength: 1,
      maxLength: 6,
    }),
    durationMs: fc.integer({ min: 100, max: 20_000 }),
  })
  .map(({ mode, slots, batchTokens, pooled, window, agents, durationMs }): WorkloadOptions => {
    const model = {
      ...CONTEXT_COSTS.time.model,
      ...(window === undefined ? {} : { slidingWindow: { windowTokens: window, layers: 1 } }),
    };
    const server: SlotEngineOptions = {
      ...CONTEXT_COSTS,
      time: { ...CONTEXT_COSTS.time, model },
      mode,
      slots,
      batchTokens,
      ...(pooled ? { poolTokens: 700 } : {}),
    };
    return {
      servers: [server, server],
      agents: agents.map(
        ({ role: drawn, server: index, startMs }, agent): SimulatedAgent => ({
          name: `a${agent}`,
          role: drawn,
          server: index,
          startNs: startMs * MS,
        }),
      ),
      durationNs: durationMs * MS,
    };
  });

describe("the laws of a simulated workload", () => {
  it("is the same in stretches as token by token", () => {
    fc.assert(
      fc.property(anyWorkload, (workload) => {
        expect(turnsOf({ ...workload, reach: "until-change" })).toEqual(
          turnsOf({ ...workload, reach: "one-step" }),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("reports every turn once, in order, each agent with one turn at a time", () => {
    fc.assert(
      fc.property(anyWorkload, (workload) => {
        const turns = turnsOf(workload);
        for (const agent of workload.agents.keys()) {
          const own = turns.filter((turn) => turn.agent === agent);
          expect(own.map((turn) => turn.position)).toEqual([...own.keys()]);
          for (const [index, turn] of own.entries()) {
            const before = own[index - 1];
            if (before !== undefined) expect(turn.submittedNs).toBeGreaterThanOrEqual(before.endNs);
            if (turn.outcome !== "done" && turn.outcome !== "aborted") expect(turn).toBe(own.at(-1));
          }
        }
      }),
    );
  });

  it("lets no token out before its prompt is read, and no answer be longer than it was asked for", () => {
    fc.assert(
      fc.property(anyWorkload, (workload) => {
        for (const turn of turnsOf(workload)) {
          const { maxOutputTokens } = (workload.agents[turn.agent] as SimulatedAgent).role;
          expect(turn.outputTokens).toBeLessThanOrEqual(maxOutputTokens);
          if (turn.outcome === "done" && !turn.cutByContext) expect(turn.outputTokens).toBe(maxOutputTokens);
          if (turn.firstTokenNs === undefined || turn.startedNs === undefined) continue;
          // 1 ms per prompt token that is not cached, at the least.
          const readNs = (turn.promptTokens - (turn.cachedTokens ?? 0)) * MS;
          expect(turn.firstTokenNs - turn.startedNs).toBeGreaterThanOrEqual(readNs);
          expect(turn.startedNs).toBeGreaterThanOrEqual(turn.submittedNs);
          expect(turn.endNs).toBeGreaterThanOrEqual(turn.firstTokenNs);
        }
      }),
    );
  });
});
