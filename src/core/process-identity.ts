/** A process, told apart from a later one with the same number. */
import { readFileSync } from "node:fs";
import { systemCodeOf } from "./errors.ts";
import { readProcessEntry } from "./process-table.ts";

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to the start of the process, where /proc says so. */
  readonly startTicks?: string;
  /** A new one with every boot of the kernel. */
  readonly bootId?: string;
}

/** What there is to know of the process that has this number now; it may have ended and not been asked how. */
export function identityOf(pid: number): ProcessIdentity {
  const startTicks = readProcessEntry(pid)?.startTicks;
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
  if (identity.startTicks !== undefined) {
    const entry = readProcessEntry(identity.pid);
    return entry?.startTicks === identity.startTicks && !entry.zombie;
  }
  try {
    process.kill(identity.pid, 0);
    return true;
  } catch (thrown) {
    return systemCodeOf(thrown) === "EPERM";
  }
}

function currentBootId(): string | undefined {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return undefined;
  }
}
