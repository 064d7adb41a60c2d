/** What a run was made with, as names and values: the machine, the endpoints, the seed. */
import type { RunAnalysis } from "../analysis/analyse-run.ts";
import { formatBytes } from "../core/units.ts";
import type { RunManifest } from "../record/run-manifest.ts";

export interface FactView {
  readonly name: string;
  readonly value: string;
}

export function factsOf({ manifest, totals }: RunAnalysis): readonly FactView[] {
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
      value: endpointFact(endpoint),
    })),
    {
      name: "requests",
      value: `${totals.measured} measured, ${totals.warmUp} warm-up${totals.unfinished > 0 ? `, ${totals.unfinished} of unfinished trials` : ""}`,
    },
  ];
}

function endpointFact(endpoint: RunManifest["endpoints"][number]): string {
  const parts = [
    endpoint.url,
    [endpoint.engine, endpoint.version].filter((part) => part !== undefined).join(" "),
    endpoint.model,
    endpoint.slots === undefined ? undefined : `${endpoint.slots} slot${endpoint.slots === 1 ? "" : "s"}`,
    endpoint.contextTokens === undefined ? undefined : `context ${endpoint.contextTokens}`,
    endpoint.simulated ? "SIMULATED" : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}
