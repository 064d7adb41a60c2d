import type { HostFacts } from "../hardware/facts.ts";
import type { HostSummary } from "../record/run-manifest.ts";

/** What a run's manifest says of the machine. A container's memory limit is its memory. */
export function hostSummary(host: HostFacts): HostSummary {
  const memoryBytes = host.memoryLimitBytes ?? host.memoryBytes;
  return {
    ...(host.hostname === undefined ? {} : { hostname: host.hostname }),
    os: host.os,
    ...(host.cpuModel === undefined ? {} : { cpuModel: host.cpuModel }),
    ...(host.logicalCores === undefined ? {} : { logicalCores: host.logicalCores }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    gpus: host.gpus,
  };
}
