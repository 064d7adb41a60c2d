import { freemem, totalmem } from "node:os";
import { BYTES_PER_KIB } from "../core/units.ts";
import { readCgroupLimits } from "./cgroup.ts";
import type { TextReader } from "./text-reader.ts";

export interface HostMemory {
  /** What this process may use at most: the host's, or its control group's limit if that is less. */
  readonly totalBytes: number;
  /** What a new program could take now without swapping. */
  readonly availableBytes: number;
  readonly hostBytes: number;
  /** Present where a control group allows less than the host has. */
  readonly limitBytes?: number;
}

/** One line of /proc/meminfo in bytes. Its unit "kB" means KiB. */
export function meminfoBytes(meminfo: string, name: string): number | undefined {
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(meminfo)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * BYTES_PER_KIB;
}

/**
 * Memory of the host as its kernel sees it. On systems without /proc/meminfo Node's own figures
 * are used, whose "free" leaves reclaimable cache out and is therefore too low.
 */
export function readHostMemory(read: TextReader): HostMemory {
  const meminfo = read("/proc/meminfo") ?? "";
  const hostBytes = meminfoBytes(meminfo, "MemTotal") ?? totalmem();
  const freeBytes = meminfoBytes(meminfo, "MemAvailable") ?? freemem();
  const { memoryLimitBytes, memoryAvailableBytes } = readCgroupLimits(read);
  if (memoryLimitBytes === undefined || memoryLimitBytes >= hostBytes)
    return { totalBytes: hostBytes, availableBytes: freeBytes, hostBytes };
  return {
    totalBytes: memoryLimitBytes,
    availableBytes: Math.min(freeBytes, memoryAvailableBytes ?? memoryLimitBytes),
    hostBytes,
    limitBytes: memoryLimitBytes,
  };
}
