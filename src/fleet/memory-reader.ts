/**
 * Reads the memory that a mode may use, and what each of our servers holds of it: from the driver
 * where there are GPUs, else from /proc. The sources are an interface, so that all arithmetic is
 * tested on paper.
 */
import type { GpuFacts, GpuQuery } from "../hardware/facts.ts";
import type { SmiOptions } from "../hardware/gpu-query.ts";
import { queryComputeApps, queryGpus } from "../hardware/gpu-query.ts";
import type { HostMemory } from "../hardware/host-memory.ts";
import { readHostMemory } from "../hardware/host-memory.ts";
import type { ComputeApp } from "../hardware/nvidia-smi.ts";
import { listPids } from "../hardware/process-usage.ts";
import type { TextReader } from "../hardware/text-reader.ts";
import { readKernelFile } from "../hardware/text-reader.ts";
import type { TreeMemory } from "../hardware/tree-memory.ts";
import { processTree, readTreeMemory } from "../hardware/tree-memory.ts";
import type { MemoryReading, MemoryUser } from "./memory.ts";

export interface MemorySources {
  gpus(): Promise<GpuQuery>;
  /** Undefined when the driver does not answer. */
  computeApps(): Promise<readonly ComputeApp[] | undefined>;
  host(): HostMemory;
  /** All processes that belong to the server with this number. */
  treeOf(serverPid: number): ReadonlySet<number>;
  treeMemory(pids: ReadonlySet<number>): TreeMemory | undefined;
}

export interface MemoryQuestion {
  /** First processes of the servers that are ours. */
  readonly serverPids: readonly number[];
  /** All our servers together may hold this much, where that is less than the machine has. */
  readonly budgetBytes?: number;
}

export interface MemorySnapshot {
  readonly reading: MemoryReading;
  /** What each server's processes hold of the pool, by its first process; absent where nobody tells. */
  readonly heldBytes: ReadonlyMap<number, number>;
}

/** Never throws: what cannot be read is absent. */
export async function readMemory(sources: MemorySources, question: MemoryQuestion): Promise<MemorySnapshot> {
  // Asked at once: a driver takes its time for each question, and a switch waits for both.
  const [query, apps] = await Promise.all([sources.gpus(), sources.computeApps()]);
  const cards = query.kind === "found" ? query.gpus.flatMap(cardOf) : [];
  // Boards that share the host's memory report none of their own: their pool is the host's.
  if (cards.length > 0) return gpuSnapshot(sources, question, cards, apps);
  const snapshot = hostSnapshot(sources, question);
  if (query.kind !== "failed") return snapshot;
  const gpuTrouble = { reason: query.reason, nextStep: query.nextStep };
  return { ...snapshot, reading: { ...snapshot.reading, gpuTrouble } };
}

interface Card {
  readonly index: number;
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly usedBytes: number;
}

/** The driver keeps some memory for itself, so that free and used may not add up to the total. */
function cardOf({ index, memoryTotalBytes, memoryFreeBytes, memoryUsedBytes }: GpuFacts): Card[] {
  if (memoryTotalBytes === undefined || memoryFreeBytes === undefined) return [];
  const usedBytes = memoryUsedBytes ?? memoryTotalBytes - memoryFreeBytes;
  return [{ index, totalBytes: memoryTotalBytes, freeBytes: memoryFreeBytes, usedBytes }];
}

function gpuSnapshot(
  sources: MemorySources,
  { serverPids, budgetBytes }: MemoryQuestion,
  cards: readonly Card[],
  apps: readonly ComputeApp[] | undefined,
): MemorySnapshot {
  const trees = serverPids.map((pid) => ({ pid, tree: sources.treeOf(pid) }));
  const heldBytes = new Map<number, number>();
  for (const { pid, tree } of trees) {
    const held = bytesOf((apps ?? []).filter((app) => tree.has(app.pid)));
    if (held !== undefined) heldBytes.set(pid, held);
  }
  const ours = new Set(trees.flatMap(({ tree }) => [...tree]));
  const foreignUsers = apps?.filter((app) => !ours.has(app.pid)).map(userOf);
  const usedBytes = sum(cards.map((card) => card.usedBytes));
  const freeBytes = sum(cards.map((card) => card.freeBytes));
  const ourBytes =
    apps !== undefined && heldBytes.size === serverPids.length ? sum(heldBytes.values()) : undefined;
  const host = sources.host();
  return {
    heldBytes,
    reading: {
      kind: "gpu",
      totalBytes: sum(cards.map((card) => card.totalBytes)),
      // Where nobody says whose it is, all that is in use counts against the budget.
      freeBytes: withinBudget(freeBytes, budgetBytes, ourBytes ?? usedBytes),
      ...(ourBytes === undefined ? {} : { foreignBytes: Math.max(0, usedBytes - ourBytes) }),
      ...(foreignUsers === undefined ? {} : { foreignUsers }),
      hostAvailableBytes: host.availableBytes,
      ...(budgetBytes === undefined ? {} : { budgetBytes }),
      cards: cards.map(({ index, totalBytes, freeBytes: free }) => ({ index, totalBytes, freeBytes: free })),
    },
  };
}

function hostSnapshot(sources: MemorySources, { serverPids, budgetBytes }: MemoryQuestion): MemorySnapshot {
  const heldBytes = new Map<number, number>();
  let mappedFileBytes = 0;
  for (const pid of serverPids) {
    const memory = sources.treeMemory(sources.treeOf(pid));
    if (memory === undefined) continue;
    heldBytes.set(pid, memory.residentBytes);
    mappedFileBytes += memory.mappedFileBytes;
  }
  const host = sources.host();
  // Weights mapped by a server at work count as available to the kernel; taking them would stop its work.
  const unusedBytes = Math.max(0, host.availableBytes - mappedFileBytes);
  return {
    heldBytes,
    reading: {
      kind: "host",
      totalBytes: host.totalBytes,
      freeBytes: withinBudget(unusedBytes, budgetBytes, sum(heldBytes.values())),
      foreignBytes: Math.max(0, host.totalBytes - unusedBytes - sum(heldBytes.values())),
      hostAvailableBytes: host.availableBytes,
      ...(budgetBytes === undefined ? {} : { budgetBytes }),
    },
  };
}

function withinBudget(freeBytes: number, budgetBytes: number | undefined, heldBytes: number): number {
  return budgetBytes === undefined ? freeBytes : Math.max(0, Math.min(freeBytes, budgetBytes - heldBytes));
}

/** Undefined when there are none, or one of them is not told: a sum with a hole is no sum. */
function bytesOf(apps: readonly ComputeApp[]): number | undefined {
  const bytes = apps.flatMap((app) => app.vramBytes ?? []);
  return apps.length === 0 || bytes.length < apps.length ? undefined : sum(bytes);
}

function userOf({ pid, name, vramBytes }: ComputeApp): MemoryUser {
  return { pid, name, ...(vramBytes === undefined ? {} : { bytes: vramBytes }) };
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** The sources of this machine. */
export function machineMemorySources(options: SmiOptions, read: TextReader = readKernelFile): MemorySources {
  let absent: GpuQuery | undefined;
  return {
    async gpus() {
      // A machine does not get a driver while it is watched, and trying to start what is not there costs 10 ms.
      if (absent !== undefined) return absent;
      const query = await queryGpus(options);
      if (query.kind === "absent") absent = query;
      return query;
    },
    computeApps: async () => (absent === undefined ? queryComputeApps(options) : undefined),
    host: () => readHostMemory(read),
    treeOf: (serverPid) => processTree(read, listPids(), serverPid),
    treeMemory: (pids) => readTreeMemory(read, pids),
  };
}
