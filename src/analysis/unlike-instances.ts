/**
 * Endpoints whose agents were asked for the same and whose servers are not alike. A difference
 * between such agents is then the servers', and no cost of sharing.
 */
import type { EndpointFacts } from "../record/run-manifest.ts";
import type { AgentPlan } from "./agent-plan.ts";
import type { RunWarning, WarningInput } from "./warning-check.ts";

interface Fact {
  readonly name: string;
  readonly of: (facts: EndpointFacts) => string | number | undefined;
}

/** What a server was started with. */
const OF_THE_SERVER: readonly Fact[] = [
  { name: "version", of: ({ version }) => version },
  { name: "slots", of: ({ slots }) => slots },
];

/** What a request may change: told apart only where every agent of both endpoints asks for the same. */
const OF_THE_REQUESTS: readonly Fact[] = [
  { name: "model", of: ({ model }) => model },
  { name: "context tokens", of: ({ contextTokens }) => contextTokens },
  { name: "layers on the GPU", of: ({ gpuLayers }) => gpuLayers },
];

export function instancesUnlike({ manifest, plan }: WarningInput): readonly RunWarning[] {
  const unlike = manifest.endpoints.flatMap((facts, index) => {
    // Each is held against the first it should be like; all pairs would say the same many times.
    const first = manifest.endpoints
      .slice(0, index)
      .find((other) => factsToCompare(other, facts, plan).length > 0);
    if (first === undefined) return [];
    const apart = factsToCompare(first, facts, plan).flatMap((fact) => {
      const [one, other] = [fact.of(first), fact.of(facts)];
      return one === undefined || other === undefined || one === other
        ? []
        : [`${fact.name} ${one} and ${other}`];
    });
    return apart.length === 0 ? [] : [`${first.name} and ${facts.name} (${apart.join(", ")})`];
  });
  if (unlike.length === 0) return [];
  return [
    {
      code: "INSTANCES_DIFFER",
      message: `agents with equal settings used servers that are not alike: ${unlike.join("; ")}. Differences between these agents may be the servers' own`,
      remedy:
        "start the servers with the same version and settings, or give the agents different settings to say that it is meant",
    },
  ];
}

/** None where the two are not meant to be alike. Another engine is never meant to be. */
function factsToCompare(one: EndpointFacts, other: EndpointFacts, plan: AgentPlan): readonly Fact[] {
  if (one.name === other.name || one.engine !== other.engine) return [];
  const meant = plan.cells.some(({ agents }) => {
    const asked = new Set(agents.filter((agent) => agent.endpoint === one.name).map(settingsOf));
    return agents.some((agent) => agent.endpoint === other.name && asked.has(settingsOf(agent)));
  });
  if (!meant) return [];
  const all = new Set(
    plan.cells.flatMap(({ agents }) =>
      agents.filter(({ endpoint }) => endpoint === one.name || endpoint === other.name).map(settingsOf),
    ),
  );
  return all.size === 1 ? [...OF_THE_SERVER, ...OF_THE_REQUESTS] : OF_THE_SERVER;
}

function settingsOf({ model, options }: AgentPlan["cells"][number]["agents"][number]): string {
  return JSON.stringify([model, Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
