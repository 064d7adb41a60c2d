/** What a process and everything it started hold of the host's memory, from /proc. */
import { meminfoBytes } from "./host-memory.ts";
import type { TextReader } from "./text-reader.ts";

export interface TreeMemory {
  /** Resident, a page that several processes share counted once over all of them. */
  readonly residentBytes: number;
  /**
   * The part that lies in files mapped into memory, a model's weights above all. The kernel counts
   * these pages as available although a server at work reads every one of them for each token.
   */
  readonly mappedFileBytes: number;
}

/** proc(5): field 4 is the parent's number, field 5 the process group's. */
function parentAndGroup(stat: string): readonly [parent: number, group: number] | undefined {
  const cells = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const parent = Number(cells[1]);
  const group = Number(cells[2]);
  return Number.isInteger(parent) && Number.isInteger(group) ? [parent, group] : undefined;
}

/**
 * The process, its descendants, and what is left of its group once parents in between have ended:
 * vLLM's engine is a child that outlives its parent (15 GiB were once held by such an orphan).
 */
export function processTree(read: TextReader, pids: readonly number[], root: number): ReadonlySet<number> {
  const links = pids.flatMap((pid) => {
    const stat = read(`/proc/${pid}/stat`);
    const link = stat === undefined ? undefined : parentAndGroup(stat);
    return link === undefined ? [] : [{ pid, parent: link[0], group: link[1] }];
  });
  const tree = new Set(
    links.filter(({ pid, group }) => pid === root || group === root).map(({ pid }) => pid),
  );
  for (let before = -1; before !== tree.size; ) {
    before = tree.size;
    for (const { pid, parent } of links) if (tree.has(parent)) tree.add(pid);
  }
  return tree;
}

/** Undefined when none of them can be read, as when all are gone. */
export function readTreeMemory(read: TextReader, pids: Iterable<number>): TreeMemory | undefined {
  const parts = [...pids].flatMap((pid) => processMemory(read, pid) ?? []);
  if (parts.length === 0) return undefined;
  const sum = (of: (part: TreeMemory) => number): number =>
    parts.reduce((total, part) => total + of(part), 0);
  return {
    residentBytes: sum((part) => part.residentBytes),
    mappedFileBytes: sum((part) => part.mappedFileBytes),
  };
}

/** Shares of pages where the kernel tells them (smaps_rollup, since Linux 4.14), else whole pages. */
function processMemory(read: TextReader, pid: number): TreeMemory | undefined {
  const shares = read(`/proc/${pid}/smaps_rollup`) ?? "";
  const shareBytes = meminfoBytes(shares, "Pss");
  if (shareBytes !== undefined) {
    // Kernels before 5.6 do not split the shares; what is not anonymous lies in files.
    const anonymousBytes = meminfoBytes(shares, "Pss_Anon") ?? meminfoBytes(shares, "Anonymous") ?? 0;
    const fileBytes = meminfoBytes(shares, "Pss_File") ?? Math.max(0, shareBytes - anonymousBytes);
    return { residentBytes: shareBytes, mappedFileBytes: fileBytes };
  }
  const status = read(`/proc/${pid}/status`) ?? "";
  const residentBytes = meminfoBytes(status, "VmRSS");
  if (residentBytes === undefined) return undefined;
  return { residentBytes, mappedFileBytes: meminfoBytes(status, "RssFile") ?? 0 };
}
