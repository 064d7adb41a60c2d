/**
 * Whether the trials of several cells may be averaged. A speedup, an efficiency, an aggregate rate
 * or a fairness of four agents is another quantity than that of two, and tokens per second of long
 * prompts another than of short ones: a mean over both describes neither, and its interval shows
 * the plan of the experiment as if it were noise. Server settings may differ: that is what a matrix varies.
 */
import type { AgentSpec } from "../workload/scenario.ts";
import type { AgentPlan } from "./agent-plan.ts";
import type { CellAnalysis } from "./cell.ts";

export type Pooling =
  | { readonly kind: "pooled"; readonly agents: number }
  | { readonly kind: "apart"; readonly differ: "agent counts" | "workloads" };

export function poolingOf(cells: readonly CellAnalysis[], plan: AgentPlan): Pooling {
  const [agents = 0, ...otherCounts] = new Set(cells.map((cell) => cell.agentNames.length));
  if (otherCounts.length > 0) return { kind: "apart", differ: "agent counts" };
  const workloads = new Set(cells.map((cell) => workloadOf(cell, plan)));
  return workloads.size > 1 ? { kind: "apart", differ: "workloads" } : { kind: "pooled", agents };
}

/** What the agents were asked to do; by the steps they took where the specification is not ours to read. */
function workloadOf(cell: CellAnalysis, plan: AgentPlan): string {
  const asked = cell.agentNames.map((name) => plan.agent(cell.hash, name));
  const known = asked.filter((agent) => agent !== undefined);
  const parts =
    known.length === asked.length ? known.map(askedOf) : (cell.blocks[0]?.agents ?? []).map(stepsOf);
  return [...parts].sort().join("\n");
}

function askedOf(agent: AgentSpec): string {
  const { program, command, role, model, cadence, requests, promptTokens, outputTokens } = agent;
  const { fixedOutput, growingContext, corpusCharacters } = agent;
  return JSON.stringify([
    [program, command, role, model, cadence, requests],
    [promptTokens, outputTokens, fixedOutput, growingContext, corpusCharacters],
  ]);
}

function stepsOf({ together }: CellAnalysis["blocks"][number]["agents"][number]): string {
  return [...together.steps].sort().join(" ");
}
