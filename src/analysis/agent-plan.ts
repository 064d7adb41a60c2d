/**
 * What the run's own specification says about pauses and the contention threshold. A run that was
 * imported, or comes from another version, may have a specification that is not ours to read; the
 * pauses are then taken from the solo trials alone.
 */
import { cellsOf } from "../workload/matrix.ts";
import { plannedScenario } from "./planned-scenario.ts";

export interface AgentPlan {
  readonly contentionThresholdMs: number | undefined;
  /** Start-to-start cadence of an agent in a cell, where it has one. */
  everyMs(cellHash: string, agent: string): number | undefined;
}

const NOTHING_KNOWN: AgentPlan = { contentionThresholdMs: undefined, everyMs: () => undefined };

export function agentPlan(spec: unknown): AgentPlan {
  const scenario = plannedScenario(spec);
  if (scenario === undefined) return NOTHING_KNOWN;
  const everyMs = new Map<string, number>();
  for (const cell of cellsOf(scenario))
    for (const { name, cadence } of cell.agents)
      if ("everyMs" in cadence) everyMs.set(`${cell.hash}/${name}`, cadence.everyMs);
  return {
    contentionThresholdMs: scenario.contentionThresholdMs,
    everyMs: (cellHash, agent) => everyMs.get(`${cellHash}/${agent}`),
  };
}
