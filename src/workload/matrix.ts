/**
 * From a scenario to cells: every combination of the matrix, crossed with every named cell. A cell
 * is keyed by the hash of its full specification, so a resumed run knows what it already has.
 */
import { OperatorError } from "../core/errors.ts";
import { specHash } from "../core/ids.ts";
import { parseWith } from "../core/yaml.ts";
import type { AgentSpec, ParameterValue, Scenario } from "./scenario.ts";
import { scenarioSchema } from "./scenario.ts";

export interface Cell {
  readonly hash: string;
  readonly label: string;
  readonly scenario: string;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  readonly agents: readonly AgentSpec[];
}

/** Cells in the order of the file; each agent list is complete and checked against the schema again. */
export function cellsOf(scenario: Scenario): readonly Cell[] {
  refuseDuplicateAgents(scenario);
  const named =
    scenario.cells.length > 0 ? scenario.cells : [{ name: scenario.name, scenario: scenario.name, set: {} }];
  const counts = scenario.agentCounts.length > 0 ? scenario.agentCounts : [undefined];
  const cells = named.flatMap((cell) =>
    combinationsOf(scenario.matrix).flatMap((combination) =>
      counts.map((agentCount) => cellOf(scenario, cell, combination, agentCount)),
    ),
  );
  refuseDuplicateCells(cells);
  return cells;
}

function cellOf(
  scenario: Scenario,
  named: Scenario["cells"][number],
  combination: Readonly<Record<string, ParameterValue>>,
  agentCount: number | undefined,
): Cell {
  const set = { ...named.set, ...combination };
  const agents = applied(withAgentsOf(scenario, named), set, named.name).slice(0, agentCount);
  const suffix = [
    ...Object.entries(combination).map(([path, value]) => `${path.split(".").at(-1)}=${value}`),
    ...(agentCount === undefined ? [] : [`N=${agentCount}`]),
  ];
  return {
    hash: specHash({
      agents,
      endpoints: scenario.endpoints,
      settings: cellSettings(scenario),
      name: named.name,
    }),
    label: [named.name, ...suffix].join(" "),
    scenario: named.scenario ?? scenario.name,
    parameters: agentCount === undefined ? set : { ...set, agents: agentCount },
    agents,
  };
}

function withAgentsOf(scenario: Scenario, { name, agents }: Scenario["cells"][number]): Scenario {
  if (agents === undefined) return scenario;
  const unknown = agents.find((wanted) => scenario.agents.every((agent) => agent.name !== wanted));
  if (unknown !== undefined)
    throw new OperatorError("CONFIG_INVALID", {
      message: `cell ${name} names an agent that the scenario does not have`,
      received: unknown,
      nextStep: `its agents are ${scenario.agents.map((agent) => agent.name).join(", ")}`,
    });
  return { ...scenario, agents: scenario.agents.filter((agent) => agents.includes(agent.name)) };
}

/** What else a trial depends on, beside its agents and endpoints. Runs and order are left out: more runs of a cell are the same cell. */
function cellSettings(scenario: Scenario): unknown {
  const { solo, warmUpRequests, unload, coolDownMs, promptCache, retries, limits, seed, corpus } = scenario;
  // These have no defaults: absent, they leave the hash of a cell as it was before there were any.
  const { durationMs, stop, prompts } = scenario;
  return {
    ...{ solo, warmUpRequests, unload, coolDownMs, promptCache, retries, limits, seed, corpus },
    ...{ durationMs, stop, prompts },
  };
}

function combinationsOf(matrix: Scenario["matrix"]): readonly Readonly<Record<string, ParameterValue>>[] {
  let combinations: Record<string, ParameterValue>[] = [{}];
  for (const [path, values] of Object.entries(matrix))
    combinations = combinations.flatMap((combination) =>
      values.map((value) => ({ ...combination, [path]: value })),
    );
  return combinations;
}

function applied(
  scenario: Scenario,
  parameters: Readonly<Record<string, ParameterValue>>,
  cellName: string,
): readonly AgentSpec[] {
  const copy = structuredClone({ ...scenario, matrix: {}, cells: [], agentCounts: [] }) as Record<
    string,
    unknown
  >;
  for (const [path, value] of Object.entries(parameters)) setPath(copy, path, value, cellName);
  return parseWith(scenarioSchema, copy, `cell ${cellName}`).agents;
}

function setPath(
  target: Record<string, unknown>,
  path: string,
  value: ParameterValue,
  cellName: string,
): void {
  const [root, who, ...rest] = path.split(".");
  const agents = target["agents"] as Record<string, unknown>[];
  const chosen = agents.filter((agent) => who === "*" || agent["name"] === who);
  if (root !== "agents" || chosen.length === 0 || rest.length === 0)
    throw new OperatorError("CONFIG_INVALID", {
      message: `cell ${cellName} sets an unknown path`,
      received: path,
      nextStep: `write agents.<name>.<field> or agents.*.<field>; the agents are ${agents.map((agent) => String(agent["name"])).join(", ")}`,
    });
  for (const agent of chosen) {
    let holder = agent;
    for (const key of rest.slice(0, -1)) {
      const next = holder[key];
      // A path may reach into a group that the file left out; anything else there is for the schema to refuse.
      holder[key] = typeof next === "object" && next !== null && !Array.isArray(next) ? next : {};
      holder = holder[key] as Record<string, unknown>;
    }
    holder[rest.at(-1) as string] = value;
  }
}

function refuseDuplicateAgents(scenario: Scenario): void {
  const seen = new Set<string>();
  for (const agent of scenario.agents) {
    if (seen.has(agent.name))
      throw new OperatorError("AGENT_DUPLICATE", {
        message: `scenario ${scenario.name} names an agent twice`,
        received: agent.name,
        nextStep: "give every agent a name of its own; records are told apart by it",
      });
    seen.add(agent.name);
  }
}

function refuseDuplicateCells(cells: readonly Cell[]): void {
  const seen = new Map<string, Cell>();
  for (const cell of cells) {
    const twin = seen.get(cell.label);
    if (twin !== undefined)
      throw new OperatorError("CONFIG_INVALID", {
        message: "two cells have the same name",
        received: cell.label,
        nextStep: "rename one; a repeat of the same settings is asked for with runs",
      });
    seen.set(cell.label, cell);
  }
}

/**
 * Which agents need a solo trial of their own: agents that differ only in name share one, taken by
 * the first of them. Returns each representative with the agents it stands for.
 */
export function soloGroups(
  cell: Cell,
): readonly { readonly agent: string; readonly standsFor: readonly string[] }[] {
  const groups = new Map<string, { agent: string; standsFor: string[] }>();
  for (const agent of cell.agents) {
    const key = specHash({ ...agent, name: "" });
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { agent: agent.name, standsFor: [agent.name] });
    else group.standsFor.push(agent.name);
  }
  return [...groups.values()];
}
