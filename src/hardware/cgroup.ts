/**
 * What a control group allows this process: a container sees the host's memory and cores in
 * /proc, and is killed for using them. Limits hold at every level, so all ancestors are read and
 * the tightest counts. Version 2 first; version 1 where its controllers are still mounted.
 */
import type { TextReader } from "./text-reader.ts";

export interface CgroupLimits {
  readonly memoryLimitBytes?: number;
  /** What is left under the tightest level. */
  readonly memoryAvailableBytes?: number;
  /** Cores' worth of CPU time. */
  readonly cpuLimitCores?: number;
}

const MOUNT = "/sys/fs/cgroup";

interface MemoryFiles {
  readonly limit: string;
  readonly usage: string;
  /** The line of memory.stat with the page cache that can be dropped at once. */
  readonly inactiveFile: string;
}

const V2_MEMORY: MemoryFiles = {
  limit: "memory.max",
  usage: "memory.current",
  inactiveFile: "inactive_file",
};
const V1_MEMORY: MemoryFiles = {
  limit: "memory.limit_in_bytes",
  usage: "memory.usage_in_bytes",
  inactiveFile: "total_inactive_file",
};

/** Version 1 writes "unlimited" as 2^63 − 1 rounded down to a page; no machine has 2^60 bytes. */
const UNLIMITED_FROM_BYTES = 2 ** 60;

export function readCgroupLimits(read: TextReader): CgroupLimits {
  const groups = read("/proc/self/cgroup") ?? "";
  const unified = /^0::(.*)$/m.exec(groups)?.[1];
  const memoryPath = controllerPath(groups, "memory");
  const cpuPath = controllerPath(groups, "cpu");
  const levels = [
    ...(unified === undefined ? [] : memoryLevels(read, MOUNT, unified, V2_MEMORY)),
    ...(memoryPath === undefined ? [] : memoryLevels(read, `${MOUNT}/memory`, memoryPath, V1_MEMORY)),
  ];
  const cores = [
    ...(unified === undefined ? [] : coresV2(read, unified)),
    ...(cpuPath === undefined ? [] : coresV1(read, cpuPath)),
  ];
  return {
    ...(levels.length === 0
      ? {}
      : {
          memoryLimitBytes: Math.min(...levels.map((level) => level.limitBytes)),
          memoryAvailableBytes: Math.min(...levels.map((level) => level.availableBytes)),
        }),
    ...(cores.length === 0 ? {} : { cpuLimitCores: Math.min(...cores) }),
  };
}

function controllerPath(groups: string, controller: string): string | undefined {
  for (const line of groups.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]+):(.*)$/.exec(line) ?? [];
    if (controllers?.split(",").includes(controller) === true) return path;
  }
  return undefined;
}

/** The group's folder and its ancestors. A path from outside a container does not exist inside; the mount's root does. */
function foldersUp(mount: string, path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== "..");
  return parts.map((_, index) => `${mount}/${parts.slice(0, index + 1).join("/")}`).concat(mount);
}

function memoryLevels(
  read: TextReader,
  mount: string,
  path: string,
  files: MemoryFiles,
): { readonly limitBytes: number; readonly availableBytes: number }[] {
  return foldersUp(mount, path).flatMap((folder) => {
    const limitBytes = integer(read(`${folder}/${files.limit}`));
    if (limitBytes === undefined || limitBytes >= UNLIMITED_FROM_BYTES) return [];
    const usedBytes = integer(read(`${folder}/${files.usage}`)) ?? 0;
    const stat = read(`${folder}/memory.stat`) ?? "";
    const droppable = integer(new RegExp(`^${files.inactiveFile} (\\d+)$`, "m").exec(stat)?.[1]) ?? 0;
    return [{ limitBytes, availableBytes: Math.max(0, limitBytes - Math.max(0, usedBytes - droppable)) }];
  });
}

function coresV2(read: TextReader, path: string): number[] {
  return foldersUp(MOUNT, path).flatMap((folder) => {
    const [, quota, period] = /^(\d+) (\d+)/.exec(read(`${folder}/cpu.max`) ?? "") ?? [];
    return quota === undefined ? [] : [Number(quota) / Number(period)];
  });
}

function coresV1(read: TextReader, path: string): number[] {
  return foldersUp(`${MOUNT}/cpu`, path).flatMap((folder) => {
    // −1 stands for no quota.
    const quota = integer(read(`${folder}/cpu.cfs_quota_us`));
    const period = integer(read(`${folder}/cpu.cfs_period_us`));
    return quota === undefined || period === undefined ? [] : [quota / period];
  });
}

/** A non-negative integer; "max", "-1" and absence are all "no limit here". */
function integer(text: string | undefined): number | undefined {
  const trimmed = text?.trim();
  return trimmed !== undefined && /^\d+$/.test(trimmed) ? Number(trimmed) : undefined;
}
