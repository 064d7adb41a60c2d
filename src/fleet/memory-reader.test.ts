import { describe, expect, test } from "vitest";
import type { GpuQuery } from "../hardware/facts.ts";
import type { ComputeApp } from "../hardware/nvidia-smi.ts";
import type { TreeMemory } from "../hardware/tree-memory.ts";
import type { MemorySources } from "./memory-reader.ts";
import { readMemory } from "./memory-reader.ts";

const GIB = 1_073_741_824;

interface Machine {
  readonly gpus?: GpuQuery;
  readonly apps?: readonly ComputeApp[];
  readonly trees?: Readonly<Record<number, readonly number[]>>;
  readonly memory?: Readonly<Record<number, TreeMemory>>;
}

const NO_GPU: GpuQuery = { kind: "absent", reason: "none", nextStep: "none" };
const ONE_CARD: GpuQuery = {
  kind: "found",
  gpus: [
    {
      index: 0,
      name: "card",
      memoryTotalBytes: 24 * GIB,
      memoryUsedBytes: 10 * GIB,
      memoryFreeBytes: 13.5 * GIB,
    },
  ],
};

/** A host of 32 GiB with 20 GiB available. */
function sources({ gpus = NO_GPU, apps, trees = {}, memory = {} }: Machine): MemorySources {
  return {
    gpus: () => Promise.resolve(gpus),
    computeApps: () => Promise.resolve(apps),
    host: () => ({ totalBytes: 32 * GIB, availableBytes: 20 * GIB, hostBytes: 32 * GIB }),
    treeOf: (pid) => new Set(trees[pid] ?? [pid]),
    treeMemory: (pids) => memory[[...pids][0] as number],
  };
}

describe("memory of a machine with a GPU", () => {
  test("is the card's, and others' processes are named and counted", async () => {
    const apps = [
      { pid: 101, name: "EngineCore", vramBytes: 6 * GIB },
      { pid: 7, name: "Xorg", vramBytes: 3 * GIB },
    ];
    const machine = sources({ gpus: ONE_CARD, apps, trees: { 100: [100, 101] } });
    const { reading, heldBytes } = await readMemory(machine, { serverPids: [100] });
    expect(heldBytes).toEqual(new Map([[100, 6 * GIB]]));
    expect(reading).toEqual({
      kind: "gpu",
      totalBytes: 24 * GIB,
      freeBytes: 13.5 * GIB,
      // 10 in use, 6 of it ours: also what the driver lists nobody for is not ours.
      foreignBytes: 4 * GIB,
      foreignUsers: [{ pid: 7, name: "Xorg", bytes: 3 * GIB }],
      hostAvailableBytes: 20 * GIB,
      cards: [{ index: 0, totalBytes: 24 * GIB, freeBytes: 13.5 * GIB }],
    });
  });

  test("says nothing of shares where the driver tells no process's memory", async () => {
    const machine = sources({ gpus: ONE_CARD, apps: [{ pid: 100, name: "server" }] });
    const { reading, heldBytes } = await readMemory(machine, { serverPids: [100] });
    expect(heldBytes.size).toBe(0);
    expect(reading).not.toHaveProperty("foreignBytes");
  });

  test("with a budget counts what ours hold, or all that is used where nobody tells whose it is", async () => {
    const told = sources({ gpus: ONE_CARD, apps: [{ pid: 100, name: "server", vramBytes: 2 * GIB }] });
    const question = { serverPids: [100], budgetBytes: 12 * GIB };
    expect((await readMemory(told, question)).reading.freeBytes).toBe(10 * GIB);
    const untold = sources({ gpus: ONE_CARD });
    expect((await readMemory(untold, question)).reading.freeBytes).toBe(2 * GIB);
  });

  test("is the host's on boards that report no memory of their own", async () => {
    const shared: GpuQuery = { kind: "found", gpus: [{ index: 0, name: "board" }] };
    expect((await readMemory(sources({ gpus: shared }), { serverPids: [] })).reading.kind).toBe("host");
  });
});

describe("memory of a machine without a GPU", () => {
  const memory = { 5: { residentBytes: 6 * GIB, mappedFileBytes: 4 * GIB } };

  test("leaves out the weights that a server at work has mapped, though the kernel counts them available", async () => {
    const { reading, heldBytes } = await readMemory(sources({ memory }), { serverPids: [5] });
    expect(reading).toEqual({
      kind: "host",
      totalBytes: 32 * GIB,
      freeBytes: 16 * GIB,
      // Of 32: 16 free, 6 ours.
      foreignBytes: 10 * GIB,
      hostAvailableBytes: 20 * GIB,
    });
    expect(heldBytes.get(5)).toBe(6 * GIB);
  });

  test("is a budget less what ours hold, and never below nothing", async () => {
    const free = async (budgetBytes: number): Promise<number> =>
      (await readMemory(sources({ memory }), { serverPids: [5], budgetBytes })).reading.freeBytes;
    expect(await free(8 * GIB)).toBe(2 * GIB);
    expect(await free(3 * GIB)).toBe(0);
    expect(await free(100 * GIB)).toBe(16 * GIB);
  });

  test("says so when there is a driver that does not answer", async () => {
    const failed: GpuQuery = { kind: "failed", reason: "mismatch", nextStep: "reboot" };
    const { reading } = await readMemory(sources({ gpus: failed }), { serverPids: [] });
    expect(reading).toMatchObject({ kind: "host", gpuTrouble: { reason: "mismatch", nextStep: "reboot" } });
  });
});
