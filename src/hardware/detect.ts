/** Puts together what this machine is. Every part that cannot be known is left out. */
import { availableParallelism, cpus, hostname, release, type as systemType } from "node:os";
import { readCgroupLimits } from "./cgroup.ts";
import type { HostFacts } from "./facts.ts";
import type { SmiOptions } from "./gpu-query.ts";
import { queryGpus } from "./gpu-query.ts";
import { readHostMemory } from "./host-memory.ts";
import type { TextReader } from "./text-reader.ts";
import { readKernelFile } from "./text-reader.ts";

/** Never throws. Takes as long as one call of nvidia-smi, at most its answer limit. */
export async function detectHost(options: SmiOptions, read: TextReader = readKernelFile): Promise<HostFacts> {
  const query = await queryGpus(options);
  const memory = readHostMemory(read);
  const { cpuLimitCores } = readCgroupLimits(read);
  const logicalCores = availableParallelism();
  const cpuModel = cpus()[0]?.model.trim();
  const cpuGovernor = read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")?.trim();
  return {
    hostname: hostname(),
    os: osName(read),
    logicalCores,
    memoryBytes: memory.hostBytes,
    memoryAvailableBytes: memory.availableBytes,
    // Some Arm kernels name no model.
    ...(cpuModel === undefined || cpuModel === "" || cpuModel === "unknown" ? {} : { cpuModel }),
    ...(cpuLimitCores === undefined || cpuLimitCores >= logicalCores ? {} : { cpuLimitCores }),
    ...(cpuGovernor === undefined ? {} : { cpuGovernor }),
    ...(memory.limitBytes === undefined ? {} : { memoryLimitBytes: memory.limitBytes }),
    ...(query.kind === "found" ? { gpus: query.gpus } : { gpus: [], gpuTrouble: query }),
  };
}

function osName(read: TextReader): string {
  const distribution = /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(read("/etc/os-release") ?? "")?.[1];
  const kernel = `${systemType()} ${release()}`;
  return distribution === undefined ? kernel : `${distribution} (${kernel})`;
}
