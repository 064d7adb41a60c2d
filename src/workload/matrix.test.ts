import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseWith, parseYaml } from "../core/yaml.ts";
import { cellsOf, soloGroups } from "./matrix.ts";
import type { ScenarioInput } from "./scenario.ts";
import { scenarioSchema } from "./scenario.ts";
import { planTrials } from "./trial-plan.ts";

const two: ScenarioInput = {
  name: "two",
  endpoints: { a: { url: "http://localhost:1" } },
  agents: [
    { name: "first", program: "synthetic", endpoint: "a" },
    { name: "second", program: "synthetic", endpoint: "a" },
  ],
};
const scenarioOf = (input: ScenarioInput) => parseWith(scenarioSchema, input, "test");

describe("cellsOf", () => {
  it("makes one cell of a scenario without a matrix", () => {
    const cells = cellsOf(scenarioOf(two));
    expect(cells.map((cell) => cell.label)).toEqual(["two"]);
    expect(cells[0]?.agents).toHaveLength(2);
  });

  it("crosses every parameter of a matrix and sets it on the agents it names", () => {
    const cells = cellsOf(
      scenarioOf({
        ...two,
        matrix: { "agents.*.options.numGpu": [60, 80], "agents.second.requests": [1, 2] },
      }),
    );
    expect(cells.map((cell) => cell.label)).toEqual([
      "two numGpu=60 requests=1",
      "two numGpu=60 requests=2",
      "two numGpu=80 requests=1",
      "two numGpu=80 requests=2",
    ]);
    expect(cells[3]?.agents.map((agent) => [agent.options.numGpu, agent.requests])).toEqual([
      [80, 3],
      [80, 2],
    ]);
  });

  it("makes a cell of each agent count of a ladder", () => {
    const cells = cellsOf(scenarioOf({ ...two, agentCounts: [1, 2] }));
    expect(cells.map((cell) => [cell.label, cell.agents.length])).toEqual([
      ["two N=1", 1],
      ["two N=2", 2],
    ]);
  });

  it("keys a cell by what it runs: other runs or order keep the key, other options change it", () => {
    const [plain] = cellsOf(scenarioOf(two));
    const [moreRuns] = cellsOf(scenarioOf({ ...two, runs: 9, order: "sequential" }));
    const [warm] = cellsOf(scenarioOf({ ...two, promptCache: "warm" }));
    expect(moreRuns?.hash).toBe(plain?.hash);
    expect(warm?.hash).not.toBe(plain?.hash);
  });

  it("refuses a scenario that names an agent twice, and says which", () => {
    const twice = scenarioOf({ ...two, agents: [two.agents[0]!, two.agents[0]!] });
    expect(() => cellsOf(twice)).toThrowErrorMatchingInlineSnapshot(
      `[OperatorError: scenario two names an agent twice]`,
    );
  });

  it("refuses a path to an agent that is not there, or a value that breaks the schema", () => {
    const unknown = scenarioOf({ ...two, matrix: { "agents.third.requests": [1] } });
    expect(() => cellsOf(unknown)).toThrowErrorMatchingInlineSnapshot(
      `[OperatorError: cell two sets an unknown path]`,
    );
    const negative = scenarioOf({ ...two, matrix: { "agents.first.requests": [-1] } });
    expect(() => cellsOf(negative)).toThrowErrorMatchingInlineSnapshot(
      `[OperatorError: cell two: field agents.0.requests: Too small: expected number to be >=1]`,
    );
  });
});

describe("soloGroups", () => {
  it("lets agents that differ only in name share one solo trial", () => {
    const [cell] = cellsOf(
      scenarioOf({
        ...two,
        agents: [...two.agents, { name: "third", program: "synthetic", endpoint: "a", outputTokens: 7 }],
      }),
    );
    expect(soloGroups(cell!)).toEqual([
      { agent: "first", standsFor: ["first", "second"] },
      { agent: "third", standsFor: ["third"] },
    ]);
  });
});

describe("planTrials", () => {
  const scenario = scenarioOf({ ...two, runs: 4, matrix: { "agents.*.requests": [1, 2, 3] } });
  const cells = cellsOf(scenario);

  it("holds every block of every repeat exactly once, whatever the seed", () => {
    for (const seed of [1, 2, 3]) {
      const ids = planTrials(scenario, cells, seed).map((trial) => trial.trialId);
      expect(new Set(ids).size).toBe(4 * 3 * 2);
      expect(ids).toHaveLength(24);
    }
  });

  it("keeps a repeat's trials together, so that drift of the machine falls on all cells alike", () => {
    const repeats = planTrials(scenario, cells, 5).map((trial) => trial.repeat);
    expect(repeats).toEqual([...repeats].sort((a, b) => a - b));
  });

  it("shuffles with the seed when interleaved and not at all when sequential", () => {
    const idsOf = (order: "interleaved" | "sequential", seed: number) =>
      planTrials({ ...scenario, order }, cells, seed).map((trial) => trial.trialId);
    expect(idsOf("interleaved", 1)).toEqual(idsOf("interleaved", 1));
    expect(idsOf("interleaved", 1)).not.toEqual(idsOf("interleaved", 2));
    expect(idsOf("sequential", 1)).toEqual(idsOf("sequential", 2));
  });

  it("gives a lone agent no solo trial: the trial is its own baseline", () => {
    const alone = scenarioOf({ ...two, agents: [two.agents[0]!], runs: 1 });
    expect(planTrials(alone, cellsOf(alone), 1).map((trial) => trial.kind)).toEqual(["together"]);
  });
});

describe("cells with agents of their own", () => {
  const both = { url: "http://localhost:1" };
  const agents = ["lead", "dev", "qa"].map((name) => ({
    name,
    program: "synthetic" as const,
    endpoint: "a",
  }));
  const of = (cells: readonly Record<string, unknown>[]) =>
    cellsOf(
      scenarioOf({ name: "team", endpoints: { a: both, b: both }, agents, cells: [...cells] } as never),
    );

  it("take part with those they name, in the order of the scenario, each on the cell's own endpoint", () => {
    const [small, whole] = of([
      { name: "small", agents: ["dev", "lead"], set: { "agents.*.endpoint": "b" } },
      { name: "whole", set: {} },
    ]);
    expect(small?.agents.map(({ name, endpoint }) => [name, endpoint])).toEqual([
      ["lead", "b"],
      ["dev", "b"],
    ]);
    expect(whole?.agents).toHaveLength(3);
  });

  it("cannot name one that the scenario lacks", () => {
    expect(() => of([{ name: "small", agents: ["dev", "ops"], set: {} }])).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID", received: "ops" }),
    );
  });
});

describe("the shipped files", () => {
  const read = (path: string) => parseWith(scenarioSchema, parseYaml(readFileSync(path, "utf8"), path), path);

  it.each(["quick", "solo", "baseline_vs_chimera", "chimera_hetero", "chimera_homo", "single_instance"])(
    "scenario %s is valid",
    (name) => {
      expect(cellsOf(read(`examples/scenarios/${name}.yaml`))).toHaveLength(1);
    },
  );

  it("the dual-instance study has its 7 + 7 + 13 cells and no setting twice among the homogeneous", () => {
    const cells = cellsOf(read("examples/dual-instance-study.yaml"));
    const byScenario = (name: string) => cells.filter((cell) => cell.scenario === name);
    expect(byScenario("baseline_vs_chimera")).toHaveLength(7);
    expect(byScenario("chimera_hetero")).toHaveLength(7);
    const homogeneous = byScenario("chimera_homo");
    expect(homogeneous).toHaveLength(13);
    expect(homogeneous.map((cell) => cell.label)).toEqual(
      expect.arrayContaining(["test018", "test100", "test108", "test200"]),
    );
    expect(new Set(homogeneous.map((cell) => JSON.stringify(cell.parameters))).size).toBe(13);
    for (const cell of homogeneous)
      expect(cell.agents[0]?.options, cell.label).toEqual(cell.agents[1]?.options);
  });
});
