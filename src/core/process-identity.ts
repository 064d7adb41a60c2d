/** A process, told apart from a later one with the same number. */
import { readFileSync } from "node:fs";
import { systemCodeOf } from "./errors.ts";

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to the start of the process, where /proc says so. */
  readonly startTicks?: string;
  /** A new one with every boot of the kernel. */
  readonly bootId?: string;
}

/** What there is to know of the process that has this number now. */
export function identityOf(pid: number): ProcessIdentity {
  const startTicks = startTicksOf(pid);
  const bootId = currentBootId();
  return {
    pid,
    ...(startTicks === undefined ? {} : { startTicks }),
    ...(bootId === undefined ? {} : { bootId }),
  };
}

/** Whether that very process lives; a zombie does not. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.bootId !== currentBootId()) return false;
  if (identity.startTicks !== undefined) return startTicksOf(identity.pid) === identity.startTicks;
  try {
    process.kill(identity.pid, 0);
    return true;
  } catch (thrown) {
    return systemCodeOf(thrown) === "EPERM";
  }
}

function currentBootId(): string | undefined {
  return readProc("/proc/sys/kernel/random/boot_id");
}

/**
 * Fields 3 (state) and 22 (start time) of /proc/<pid>/stat, proc(5). The name in field 2 may hold
 * spaces and parentheses, so counting begins after the last one. A zombie no longer acts.
 */
function startTicksOf(pid: number): string | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields?.[0] === "Z" || fields?.[0] === "X" ? undefined : fields?.[19];
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}
