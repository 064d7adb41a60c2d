import { describe, expect, test } from "vitest";
import { listPids } from "./process-usage.ts";
import type { TextReader } from "./text-reader.ts";
import { readKernelFile } from "./text-reader.ts";
import { processTree, readTreeMemory } from "./tree-memory.ts";

const files =
  (contents: Readonly<Record<string, string>>): TextReader =>
  (path) =>
    contents[path];

const stat = (pid: number, name: string, parent: number, group: number): string =>
  `${pid} (${name}) S ${parent} ${group} ${group} 0 -1 4194304 0 0 0 0 1 2 0 0 20 0 1 0 500 0 0`;

describe("a server's process tree", () => {
  const machine = files({
    "/proc/1/stat": stat(1, "init", 0, 1),
    "/proc/10/stat": stat(10, "vllm (main) x", 1, 10),
    "/proc/11/stat": stat(11, "EngineCore", 10, 10),
    "/proc/12/stat": stat(12, "worker", 11, 12),
    // Its parent has ended; only the group still says whose it is.
    "/proc/13/stat": stat(13, "orphan", 1, 10),
    "/proc/20/stat": stat(20, "stranger", 1, 20),
  });

  test("holds the children, a grandchild in a group of its own, and an orphan of the group", () => {
    expect(processTree(machine, [12, 20, 13, 11, 10, 1], 10)).toEqual(new Set([10, 11, 12, 13]));
  });

  test("is empty when the process and its group are gone", () => {
    expect(processTree(machine, [1, 20], 10).size).toBe(0);
  });
});

describe("the memory of a tree", () => {
  test("counts shares of pages and says how much lies in mapped files", () => {
    const memory = readTreeMemory(
      files({
        "/proc/5/smaps_rollup":
          "55..ff [rollup]\nRss: 9000 kB\nPss:    3000 kB\nPss_Anon: 1000 kB\nPss_File: 2000 kB\n",
        "/proc/6/smaps_rollup": "Pss:  500 kB\nAnonymous: 400 kB\n",
      }),
      [5, 6],
    );
    expect(memory).toEqual({ residentBytes: 3500 * 1024, mappedFileBytes: 2100 * 1024 });
  });

  test("falls back to whole resident pages where the kernel has no shares", () => {
    const read = files({ "/proc/7/status": "Name: x\nVmRSS:\t  100 kB\nRssFile:\t   30 kB\n" });
    expect(readTreeMemory(read, [7])).toEqual({ residentBytes: 102_400, mappedFileBytes: 30_720 });
  });

  test("is unknown, not nothing, for processes that are gone", () => {
    expect(readTreeMemory(files({}), [7])).toBeUndefined();
  });

  test("reads this very process", (context) => {
    if (process.platform !== "linux") context.skip("/proc and /dev are Linux's own");
    const tree = processTree(readKernelFile, listPids(), process.pid);
    expect(tree.has(process.pid)).toBe(true);
    expect(readTreeMemory(readKernelFile, [process.pid])?.residentBytes).toBeGreaterThan(10_000_000);
  });
});
