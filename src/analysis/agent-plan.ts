/**
 * What the run's own specification says about its agents. A run that was imported, or comes from
 * another version, may have a specification that is not ours to read; pauses are then taken from
 * the trials alone, and what only the specification knows stays unknown.
 */
import type { Cell } from "../workload/matrix.ts";
import { cellsOf } from "../workload/matrix.ts";
import { plannedScenario } from "./planned-scenario.ts";
import type { AgentSpec } from "../workload/scenario.ts";
import { cadenceOf } from "../workload/scenario.ts";

export interface AgentPlan {
  readonly contentionThresholdMs: number | undefined;
  /** In the order of the scenario, a ladder by its number of agents. */
  readonly cells: readonly Cell[];
  agent(cellHash: string, name: string): AgentSpec | undefined;
}

const NOTHING_KNOWN: AgentPlan = { contentionThresholdMs: undefined, cells: [], agent: () => undefined };

/** `spec`: a manifest's, which holds the scenario beside the seed and the corpus, or a scenario itself. */
export function agentPlan(spec: unknown): AgentPlan {
  const scenario = plannedScenario(spec);
  if (scenario === undefined) return NOTHING_KNOWN;
  const agentCounts = [...scenario.agentCounts].sort((one, other) => one - other);
  const cells = cellsOf({ ...scenario, agentCounts });
  const agents = new Map(
    cells.flatMap((cell) => cell.agents.map((agent) => [`${cell.hash}/${agent.name}`, agent])),
  );
  return {
    contentionThresholdMs: scenario.contentionThresholdMs,
    cells,
    agent: (cellHash, name) => agents.get(`${cellHash}/${name}`),
  };
}

/** Start to start, where the agent has such a cadence. */
export function everyMsOf(agent: AgentSpec | undefined): number | undefined {
  if (agent === undefined) return undefined;
  const cadence = cadenceOf(agent);
  return "everyMs" in cadence ? cadence.everyMs : undefined;
}
