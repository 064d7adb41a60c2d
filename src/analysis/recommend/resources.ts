/** What a cell takes, as far as its own specification says. */
import { cellsOf } from "../../workload/matrix.ts";
import type { AgentSpec } from "../../workload/scenario.ts";
import type { CellAnalysis } from "../cell.ts";
import { plannedScenario } from "../planned-scenario.ts";

export interface CellResources {
  /** Each holds its own copy of the model, unless they are one server under two names. */
  readonly endpoints: number;
  /** Σ over agents of the context asked for, tokens; absent where an agent leaves it to the server. */
  readonly contextTokens: number | undefined;
}

export function cellResources(cell: CellAnalysis, spec: unknown): CellResources {
  const contexts = agentsAsPlanned(cell, spec).map((agent) => agent.options.numCtx);
  const known = contexts.filter((tokens) => tokens !== undefined);
  return {
    endpoints: new Set(cell.agents.flatMap((agent) => agent.endpoints)).size,
    contextTokens:
      contexts.length > 0 && known.length === contexts.length
        ? known.reduce((sum, tokens) => sum + tokens, 0)
        : undefined,
  };
}

/**
 * Engines whose context follows each request. What the manifest says of it is that of one moment;
 * what a cell ran with is what its agents asked for.
 */
export function contextFollowsRequests(engine: string): boolean {
  return engine === "ollama" || engine === "simulated";
}

/** What the agents on an endpoint ask for, tokens each; none that leaves it to the server. */
export function contextsAsked(cell: CellAnalysis, spec: unknown, endpoint: string): readonly number[] {
  return agentsAsPlanned(cell, spec)
    .filter((agent) => agent.endpoint === endpoint)
    .map((agent) => agent.options.numCtx)
    .filter((tokens) => tokens !== undefined);
}

/** None where the specification is not ours to read. */
function agentsAsPlanned(cell: CellAnalysis, spec: unknown): readonly AgentSpec[] {
  const scenario = plannedScenario(spec);
  if (scenario === undefined) return [];
  return cellsOf(scenario).find((planned) => planned.hash === cell.hash)?.agents ?? [];
}

interface Priced {
  readonly cell: CellAnalysis;
  readonly resources: CellResources;
}

export interface Thriftiest {
  readonly cells: readonly CellAnalysis[];
  readonly resources: CellResources;
}

/** The cells that take least; `undefined` where none takes less than another. */
export function thriftiest(priced: readonly Priced[]): Thriftiest | undefined {
  const fewest = Math.min(...priced.map(({ resources }) => resources.endpoints));
  const few = priced.filter(({ resources }) => resources.endpoints === fewest);
  const contexts = few
    .map(({ resources }) => resources.contextTokens)
    .filter((tokens) => tokens !== undefined);
  const least = contexts.length === few.length ? Math.min(...contexts) : undefined;
  const chosen = least === undefined ? few : few.filter(({ resources }) => resources.contextTokens === least);
  if (chosen.length === priced.length) return undefined;
  return {
    cells: chosen.map(({ cell }) => cell),
    resources: { endpoints: fewest, contextTokens: least },
  };
}
