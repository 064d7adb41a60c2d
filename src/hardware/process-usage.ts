/** What single processes use, from /proc. Absent outside Linux. */
import { readdirSync } from "node:fs";
import { meminfoBytes } from "./host-memory.ts";
import type { TextReader } from "./text-reader.ts";

/** The kernel gives process times in USER_HZ, which is 100 on every architecture that Node runs on. */
const TICKS_PER_S = 100;

export interface ProcessTimes {
  readonly name: string;
  readonly cpuMs: number;
  /** Ticks after boot. A number used again by another process starts at another time. */
  readonly startTicks: number;
}

/** /proc/<pid>/stat. The name stands in parentheses and may itself hold blanks and parentheses. */
export function parseProcessStat(stat: string): ProcessTimes | undefined {
  const open = stat.indexOf("(");
  const close = stat.lastIndexOf(")");
  if (open < 0 || close < open) return undefined;
  const cells = stat.slice(close + 2).split(" ");
  // Numbered as in proc(5), where the name is field 2 and the state behind it field 3.
  const field = (number: number): number => Number(cells[number - 3]);
  const ticks = field(14) + field(15);
  const startTicks = field(22);
  if (!Number.isFinite(ticks) || !Number.isFinite(startTicks)) return undefined;
  return { name: stat.slice(open + 1, close), cpuMs: (ticks * 1000) / TICKS_PER_S, startTicks };
}

export interface ProcessUsage extends ProcessTimes {
  readonly rssBytes?: number;
}

/**
 * Undefined when the process is gone. Resident memory comes from `status` rather than `statm`:
 * that one counts pages, whose size differs between machines and is not in /proc.
 */
export function readProcessUsage(read: TextReader, pid: number): ProcessUsage | undefined {
  const stat = read(`/proc/${pid}/stat`);
  const times = stat === undefined ? undefined : parseProcessStat(stat);
  if (times === undefined) return undefined;
  const rssBytes = meminfoBytes(read(`/proc/${pid}/status`) ?? "", "VmRSS");
  return { ...times, ...(rssBytes === undefined ? {} : { rssBytes }) };
}

/** Numbers of all processes; empty outside Linux. */
export function listPids(): readonly number[] {
  try {
    return readdirSync("/proc")
      .filter((entry) => /^\d+$/.test(entry))
      .map(Number);
  } catch {
    return [];
  }
}
