import { describe, expect, it } from "vitest";
import { roleSchema } from "../workload/role.ts";
import type { Role } from "../workload/role.ts";
import { cellsOf } from "../workload/matrix.ts";
import { capacityStudySchema } from "../workload/capacity-study.ts";
import type { SweepGrid } from "./sweep-cells.ts";
import { gridCells, roleTooLarge, studyCells, sweepScenario } from "./sweep-cells.ts";

const ROLES: Readonly<Record<string, Role>> = {
  TL: roleSchema.parse({ name: "TL", maxOutputTokens: 100, toolResultTokens: 400, messageTokens: 50 }),
  Dev: roleSchema.parse({ name: "Dev", maxOutputTokens: 100, toolResultTokens: 1_000, messageTokens: 24 }),
};
const read = (name: string): Role => ROLES[name] as Role;

const grid = (fields: Partial<SweepGrid>): SweepGrid => ({
  slots: [1, 2, 4],
  contextTokensPerSlot: [4096],
  kvTypes: [undefined],
  vision: "as-preset",
  mix: "TL,Dev",
  ...fields,
});

const TIMING = { name: "capacity", description: "", durationMs: 1_000, runs: 2, seed: 7 };

describe("a grid of cells", () => {
  it("has as many agents as slots, the roles of the mix in turn, and each agent one name everywhere", () => {
    const cells = gridCells(grid({}), read);
    expect(cells.map(({ name, agents }) => [name, agents.map((agent) => agent.name)])).toEqual([
      ["1x4k", ["TL-1"]],
      ["2x4k", ["TL-1", "Dev-1"]],
      ["4x4k", ["TL-1", "Dev-1", "TL-2", "Dev-2"]],
    ]);
  });

  it("names cells after what varies, whole kibitokens short", () => {
    const cells = gridCells(
      grid({ slots: [2], contextTokensPerSlot: [1000, 8192], kvTypes: ["f16", "q8_0"] }),
      read,
    );
    expect(cells.map(({ name }) => name)).toEqual(["2x1000-f16", "2x8k-f16", "2x1000-q8_0", "2x8k-q8_0"]);
    expect(cells[3]?.configuration).toEqual({
      slots: 2,
      contextTokensPerSlot: 8192,
      kvTypeK: "q8_0",
      kvTypeV: "q8_0",
    });
  });

  it("becomes one scenario, in which every cell has an endpoint of its own", () => {
    const scenario = sweepScenario(gridCells(grid({}), read), TIMING);
    expect(
      cellsOf(scenario).map(({ label, agents }) => [
        label,
        agents.map(({ name, endpoint }) => `${name}@${endpoint}`),
      ]),
    ).toEqual([
      ["1x4k", ["TL-1@1x4k"]],
      ["2x4k", ["TL-1@2x4k", "Dev-1@2x4k"]],
      ["4x4k", ["TL-1@4x4k", "Dev-1@4x4k", "TL-2@4x4k", "Dev-2@4x4k"]],
    ]);
    expect(scenario).toMatchObject({
      runs: 2,
      seed: 7,
      durationMs: 1_000,
      prompts: "per-repeat",
      solo: false,
    });
  });

  it("knows a role whose turn does not fit a slot", () => {
    // 1,000 and 24 tokens are a slot of 1,024 to the last: no token of an answer is left.
    const [small, enough] = gridCells(grid({ slots: [2], contextTokensPerSlot: [1024, 1025] }), read);
    expect(small && roleTooLarge(small)?.name).toBe("Dev");
    expect(enough && roleTooLarge(enough)).toBeUndefined();
  });
});

describe("the cells of a study", () => {
  const study = (mixes: readonly string[]) =>
    capacityStudySchema.parse({
      name: "study",
      question: "How many?",
      configurations: mixes.map((mix, index) => ({
        name: `c${index}`,
        slots: 3,
        contextTokensPerSlot: 65_536,
        vision: "off",
        mix,
      })),
    });

  it("have their own mixes, whatever the slots", () => {
    const cells = studyCells(study(["TL,2xDev", "Dev"]), read);
    expect(cells.map(({ agents }) => agents.map(({ name }) => name))).toEqual([
      ["TL-1", "Dev-1", "Dev-2"],
      ["Dev-1"],
    ]);
    expect(cells[0]).toMatchObject({
      vision: "off",
      configuration: { slots: 3, contextTokensPerSlot: 65_536 },
    });
  });

  it("cannot have two different roles of one name", () => {
    let asked = 0;
    const other = roleSchema.parse({ ...ROLES["Dev"], maxOutputTokens: 9 });
    const cells = studyCells(study(["Dev", "Dev"]), () => (asked++ === 0 ? read("Dev") : other));
    expect(() => sweepScenario(cells, TIMING)).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID", received: "Dev" }),
    );
  });
});
