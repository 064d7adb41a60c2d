/** What the servers did that a figure does not show: queueing, cutting text short, loading. */
import type { EndpointFacts } from "../record/run-manifest.ts";
import type { CellAnalysis } from "./cell.ts";
import { servedAtOnce } from "./served-at-once.ts";
import type { RunWarning, WarningInput } from "./warning-check.ts";
import { blockAgents, count } from "./warning-check.ts";

export function slotsBelowAgents({ manifest, cells }: WarningInput): readonly RunWarning[] {
  return manifest.endpoints.flatMap((endpoint) => {
    const { slots } = endpoint;
    const agents = Math.max(0, ...cells.map((cell) => agentsOn(endpoint.name, cell)));
    if (slots === undefined || agents <= slots) return [];
    return [
      {
        code: "SLOTS_BELOW_AGENTS",
        message: `endpoint ${endpoint.name} serves ${count(slots, "request")} at once and ${agents} agents used it: the rest queued, which is not batching`,
        remedy: slotRemedy(endpoint, agents),
      },
    ];
  });
}

/** Of endpoints that do not state their slots; those that do are judged by what they state. */
export function requestsQueued({ manifest, run }: WarningInput): readonly RunWarning[] {
  const silent = new Map(
    manifest.endpoints.filter(({ slots }) => slots === undefined).map((facts) => [facts.name, facts]),
  );
  return [...servedAtOnce(run.trials, new Set(silent.keys()))].flatMap(([name, { served, present }]) => {
    const facts = silent.get(name);
    if (facts === undefined || served >= present) return [];
    return [
      {
        code: "REQUESTS_QUEUED",
        message: `endpoint ${name} never streamed more than ${served} of the ${present} answers it was asked for at once: the rest queued, which is not batching`,
        remedy: slotRemedy(facts, present),
      },
    ];
  });
}

function agentsOn(endpoint: string, cell: CellAnalysis): number {
  return cell.agents.filter((agent) => agent.endpoints.includes(endpoint)).length;
}

function slotRemedy({ engine }: EndpointFacts, agents: number): string {
  switch (engine) {
    case "ollama":
      return `restart Ollama with OLLAMA_NUM_PARALLEL=${agents}`;
    case "llama-server":
      return `restart llama-server with --parallel ${agents} (each slot gets its own part of --ctx-size)`;
    case "simulated":
      return `give the simulated engine --slots ${agents}`;
    default:
      return `give the server ${agents} slots, or add an endpoint`;
  }
}

export function contextExceeded({ manifest, run, cells }: WarningInput): readonly RunWarning[] {
  const refused = run.totals.failuresByCode["CONTEXT_EXCEEDED"] ?? 0;
  const over = manifest.endpoints.flatMap(({ name, contextTokens }) => {
    const most = Math.max(
      0,
      ...blockAgents(cells)
        .filter(({ agent }) => agent.together.endpoints.includes(name))
        .map(({ agent }) => agent.together.mostContextTokens ?? 0),
    );
    return contextTokens !== undefined && most > contextTokens
      ? [`${name}: ${most} tokens in a context of ${contextTokens}`]
      : [];
  });
  if (over.length === 0 && refused === 0) return [];
  const parts = [...over, ...(refused > 0 ? [`${count(refused, "request")} refused`] : [])];
  return [
    {
      code: "CONTEXT_OVERRUN",
      message: `prompt and output exceeded the context (${parts.join("; ")}): the server cut or shifted the text, so less was computed than asked`,
      remedy: "raise num_ctx or --ctx-size, or shorten prompts and outputs",
    },
  ];
}

export function coldModel({ cells }: WarningInput): readonly RunWarning[] {
  const loads = blockAgents(cells).reduce(
    (total, { agent }) => total + agent.together.coldLoads + (agent.solo?.coldLoads ?? 0),
    0,
  );
  if (loads === 0) return [];
  return [
    {
      code: "COLD_MODEL",
      message: `${count(loads, "request")} waited for the model to load. Loading is in their TTFT and latency, and kept out of baselines, true speedup and nulls`,
      remedy: "keep warm-up requests on, and give the server room to keep the model loaded",
    },
  ];
}
