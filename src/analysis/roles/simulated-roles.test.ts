import { describe, expect, it } from "vitest";
import { PAPER_ENGINE } from "../../../test/fakes/paper-device.ts";
import type { SimulatedAgent } from "../../predict/simulate/simulate-workload.ts";
import { simulateWorkload } from "../../predict/simulate/simulate-workload.ts";
import { roleSchema } from "../../workload/role.ts";
import { roleTable } from "./role-table.ts";
import { SimulatedRoles } from "./simulated-roles.ts";

const MS = 1_000_000;

function simulated(roles: readonly object[], durationMs: number) {
  const agents: readonly SimulatedAgent[] = roles.map((fields, index) => ({
    name: `agent-${index + 1}`,
    role: roleSchema.parse({ name: "R", maxOutputTokens: 10, messageTokens: 20, ...fields }),
    server: 0,
  }));
  const fold = new SimulatedRoles(agents, durationMs * MS);
  simulateWorkload({ servers: [PAPER_ENGINE], agents, durationNs: durationMs * MS }, (turn) =>
    fold.add(turn),
  );
  return roleTable([fold.finish()], 1);
}

describe("a simulated workload", () => {
  it("ends in the table of a measured one: 20 ms of prompt, then 9 steps of 10 ms", () => {
    // Turns of 110 ms: 0, 110, and one cut off at 250 whose first token came at 240.
    const table = simulated([{}], 250);
    expect(table).toMatchObject({ trials: 1, windowMs: { mean: 250 } });
    expect(table.all.aggregateTokS?.mean).toBeCloseTo(21 / 0.25, 9);
    expect(table.all.perCallTokS?.mean).toBeCloseTo(10 / 0.11, 9);
    expect(table.all.turnMs).toMatchObject({ n: 2, mean: 110 });
    expect(table.all.turns).toEqual({ done: 2, refused: 0, failed: 0, unfinished: 1 });
    expect(table.all.longestUnfinishedMs).toBe(30);
  });

  it("has a row for each role, in the order of their agents, with the agents that never ran", () => {
    const roles = [{ name: "B" }, { name: "A" }, { name: "B", messageTokens: 1_000_000 }];
    const table = simulated(roles, 250);
    expect(table.roles.map(({ role, agents }) => [role, agents])).toEqual([
      ["B", 2],
      ["A", 1],
    ]);
    expect(table.roles[0]?.turns.refused).toBe(1);
    expect(table.all.agents).toBe(3);
  });

  it("knows no lost cache of conversations that end, and none of one that is compacted", () => {
    expect(simulated([{}], 1000).all.lostCaches).toBeUndefined();
    const growing = { kind: "growing", compactAtShare: 0.1, compactToShare: 0.06 };
    expect(simulated([{ conversation: growing }], 1000).all.lostCaches).toBe(0);
  });
});
