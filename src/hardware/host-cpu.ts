/** Use of all cores since boot, in ticks. Only differences mean something. */
export interface CpuTicks {
  readonly busy: number;
  readonly total: number;
}

/**
 * The first line of /proc/stat. Waiting for disk is idle; time stolen by the hypervisor is busy,
 * since nobody here could use it. Guest time is already inside user time and not added again.
 */
export function parseCpuTicks(stat: string): CpuTicks | undefined {
  const cells = /^cpu +([\d ]+)$/m.exec(stat)?.[1]?.trim().split(/ +/).map(Number);
  if (cells === undefined || cells.length < 4) return undefined;
  const total = cells.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0);
  const idle = (cells[3] ?? 0) + (cells[4] ?? 0);
  return { busy: total - idle, total };
}

/** Percent of all cores together, 0 to 100; undefined when no tick has passed. */
export function cpuPctBetween(before: CpuTicks, after: CpuTicks): number | undefined {
  const total = after.total - before.total;
  if (total <= 0) return undefined;
  // The kernel's idle counters may step back by a tick on some machines.
  return Math.min(100, Math.max(0, ((after.busy - before.busy) / total) * 100));
}
