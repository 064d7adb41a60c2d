/**
 * One writer per run. Locks are numbered files, `writer-<n>.lock`, and the highest number counts:
 * who finds its holder dead or gone links a complete file of its own to the next number, which
 * only one process can do. A number is never used twice for two holders, so there is no moment in
 * which a lock is removed and two processes both believe to be next.
 */
import { linkSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { OperatorError, systemCodeOf } from "../core/errors.ts";
import { fileError } from "../core/file.ts";
import { type ProcessIdentity, identityOf, isAlive } from "../core/process-identity.ts";

interface Holder extends ProcessIdentity {
  readonly host: string;
}

export interface RunLock {
  /** The dead process that held it before. */
  readonly takenOverFromPid?: number;
  release(): void;
}

/** Losing a race means that another process won it and is found alive on the next look; a few looks are plenty. */
const MAX_ATTEMPTS = 20;

/** Throws RUN_LOCKED while another living process holds the lock, or this one does already. */
export function acquireRunLock(directory: string): RunLock {
  const draft = join(directory, `writer-${process.pid}.draft`);
  try {
    writeFileSync(draft, JSON.stringify({ ...identityOf(process.pid), host: hostname() }));
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const lock = tryAcquire(directory, draft);
      if (lock !== undefined) return lock;
    }
  } catch (thrown) {
    throw thrown instanceof OperatorError ? thrown : fileError(thrown, directory);
  } finally {
    rmSync(draft, { force: true });
  }
  throw lockedError(directory, "several processes try to write it at the same time", lockPath(directory, 1));
}

function tryAcquire(directory: string, draft: string): RunLock | undefined {
  const highest = highestLock(directory);
  const previous = highest === 0 ? undefined : readHolder(lockPath(directory, highest));
  if (previous === "vanished") return undefined;
  if (previous !== undefined && holds(previous))
    throw lockedError(
      directory,
      `process ${previous.pid} on ${previous.host} writes it`,
      lockPath(directory, highest),
    );
  const mine = lockPath(directory, highest + 1);
  try {
    linkSync(draft, mine);
  } catch (thrown) {
    if (systemCodeOf(thrown) === "EEXIST") return undefined;
    throw thrown;
  }
  // A slow process can link a low number that a later holder has already cleared away.
  if (highestLock(directory) !== highest + 1) {
    rmSync(mine, { force: true });
    return undefined;
  }
  for (const number of lockNumbers(directory))
    if (number <= highest) rmSync(lockPath(directory, number), { force: true });
  return {
    ...(previous === undefined ? {} : { takenOverFromPid: previous.pid }),
    release: () => freeLock(mine),
  };
}

/** An emptied lock is a free one. Emptying needs no space, so it works on a full disk too. */
function freeLock(path: string): void {
  try {
    truncateSync(path);
  } catch (thrown) {
    // Freed before, and cleared away by the next holder; or deleted by hand.
    if (systemCodeOf(thrown) !== "ENOENT") throw fileError(thrown, path);
  }
}

/** Whether a living process writes the run. */
export function isRunLocked(directory: string): boolean {
  const highest = highestLock(directory);
  const holder = highest === 0 ? undefined : readHolder(lockPath(directory, highest));
  return holder === "vanished" || (holder !== undefined && holds(holder));
}

function lockPath(directory: string, number: number): string {
  return join(directory, `writer-${number}.lock`);
}

function lockNumbers(directory: string): readonly number[] {
  return readdirSync(directory).flatMap((name) => {
    const match = /^writer-(\d{1,9})\.lock$/.exec(name);
    return match === null ? [] : [Number(match[1])];
  });
}

function highestLock(directory: string): number {
  return Math.max(0, ...lockNumbers(directory));
}

/** `undefined` for a released lock; `vanished` when a newer holder cleared it away in between. */
function readHolder(path: string): Holder | "vanished" | undefined {
  try {
    const holder: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isHolder(holder) ? holder : undefined;
  } catch (thrown) {
    if (systemCodeOf(thrown) === "ENOENT") return "vanished";
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

function isHolder(value: unknown): value is Holder {
  if (typeof value !== "object" || value === null) return false;
  const { pid, host } = value as Partial<Record<keyof Holder, unknown>>;
  return Number.isInteger(pid) && typeof host === "string";
}

/** A process of another host cannot be seen from here and counts as alive: two writers would be worse. */
function holds(holder: Holder): boolean {
  return holder.host !== hostname() || isAlive(holder);
}

function lockedError(directory: string, received: string, lock: string): OperatorError {
  return new OperatorError("RUN_LOCKED", {
    message: `another process writes the run ${directory}`,
    received,
    nextStep: `wait for it or stop it; if its machine is gone for good, delete ${lock}`,
  });
}
