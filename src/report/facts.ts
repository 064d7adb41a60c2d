/** What a run was made with, as names and values: the machine, the endpoints, the seed. */
import type { RunAnalysis } from "../analysis/analyse-run.ts";
import { contextFollowsRequests, contextsAsked } from "../analysis/recommend/resources.ts";
import { formatBytes } from "../core/units.ts";
import type { RunManifest } from "../record/run-manifest.ts";

export interface FactView {
  readonly name: string;
  readonly value: string;
}

export function factsOf({ manifest, totals, cells }: RunAnalysis): readonly FactView[] {
  const { host } = manifest;
  const machine = [
    host.cpuModel,
    host.logicalCores === undefined ? undefined : `${host.logicalCores} logical cores`,
    host.memoryBytes === undefined ? undefined : formatBytes(host.memoryBytes),
    ...host.gpus.map((gpu) => gpu.name),
  ].filter((part) => part !== undefined);
  return [
    { name: "started", value: manifest.startedIso },
    { name: "status", value: manifest.status },
    { name: "seed", value: String(manifest.seed) },
    { name: "slipway", value: `${manifest.slipwayVersion} on Node ${manifest.nodeVersion}` },
    { name: "machine", value: machine.length === 0 ? host.os : machine.join(", ") },
    ...manifest.endpoints.map((endpoint) => ({
      name: `endpoint ${endpoint.name}`,
      value: endpointFact(
        endpoint,
        cells.flatMap((cell) => contextsAsked(cell, manifest.spec, endpoint.name)),
      ),
    })),
    {
      name: "requests",
      value: `${totals.measured} measured, ${totals.warmUp} warm-up${totals.unfinished > 0 ? `, ${totals.unfinished} of unfinished trials` : ""}`,
    },
  ];
}

function endpointFact(endpoint: RunManifest["endpoints"][number], asked: readonly number[]): string {
  const parts = [
    endpoint.url,
    [endpoint.engine, endpoint.version].filter((part) => part !== undefined).join(" "),
    endpoint.model,
    endpoint.slots === undefined ? undefined : `${endpoint.slots} slot${endpoint.slots === 1 ? "" : "s"}`,
    contextFact(endpoint, asked),
    endpoint.simulated ? "SIMULATED" : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}

/** The manifest has the context of one moment; one that follows each request was what the cells asked for. */
function contextFact(
  { engine, contextTokens }: RunManifest["endpoints"][number],
  asked: readonly number[],
): string | undefined {
  const contexts = [...new Set(asked)].sort((one, other) => one - other);
  if (contextFollowsRequests(engine) && contexts.length > 1)
    return `context as each cell asks: ${contexts.join(", ")}`;
  return contextTokens === undefined ? undefined : `context ${contextTokens}`;
}
