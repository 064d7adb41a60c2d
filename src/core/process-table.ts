/** The processes there are now, from /proc. Empty outside Linux: there nothing can be known to be ours. */
import { readFileSync, readdirSync } from "node:fs";

export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
  /** Clock ticks from boot to its start. With the number it names one process of this boot. */
  readonly startTicks: string;
  /** Ended, and its parent has not asked how. It holds nothing any more. */
  readonly zombie: boolean;
}

/**
 * Fields of /proc/<pid>/stat, proc(5): 3 state, 4 parent, 5 group, 6 session, 22 start time. The
 * name in field 2 may hold spaces and parentheses, so counting begins after the last one.
 */
export function parseProcessEntry(pid: number, stat: string): ProcessEntry | undefined {
  const cells = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const field = (number: number): string | undefined => cells[number - 3];
  const startTicks = field(22);
  if (startTicks === undefined || !/^\d+$/.test(startTicks)) return undefined;
  return {
    pid,
    parentPid: Number(field(4)),
    groupId: Number(field(5)),
    sessionId: Number(field(6)),
    startTicks,
    zombie: field(3) === "Z" || field(3) === "X",
  };
}

/** Undefined when no process has this number. */
export function readProcessEntry(pid: number): ProcessEntry | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  return stat === undefined ? undefined : parseProcessEntry(pid, stat);
}

/** Not one moment's picture: processes begin and end while it is taken. */
export function listProcesses(): readonly ProcessEntry[] {
  return numbersIn("/proc")
    .map(readProcessEntry)
    .filter((entry) => entry !== undefined);
}

/**
 * Whether a process was started with this variable. False for other users' processes, whose
 * environment is closed to us, and for one that has written over its own, as programs do that
 * change their title.
 */
export function startedWith(pid: number, name: string, value: string): boolean {
  return readProc(`/proc/${pid}/environ`)?.split("\0").includes(`${name}=${value}`) ?? false;
}

function numbersIn(folder: string): readonly number[] {
  try {
    return readdirSync(folder)
      .filter((entry) => /^\d+$/.test(entry))
      .map(Number);
  } catch {
    return [];
  }
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It ended meanwhile, or is another user's.
    return undefined;
  }
}
