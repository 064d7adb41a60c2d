/**
 * One holder per folder and purpose. Locks are numbered files, `<name>-<n>.lock`, and the highest
 * number counts: who finds its holder dead or gone links a complete file of its own to the next
 * number, which only one process can do. A number is never used twice for two holders, so there is
 * no moment in which a lock is removed and two processes both believe to be next.
 */
import { linkSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { OperatorError, systemCodeOf } from "./errors.ts";
import { fileError } from "./file.ts";
import { type ProcessIdentity, identityOf, isAlive } from "./process-identity.ts";

export interface LockHolder extends ProcessIdentity {
  readonly host: string;
}

export interface ProcessLock {
  /** The dead process that held it before. */
  readonly takenOverFromPid?: number;
  release(): void;
}

export interface LockPurpose {
  /** The beginning of the lock files' names: small letters. */
  readonly name: string;
  /** What to throw while it is held; without a holder, several processes try to take it at once. */
  readonly refusal: (lockPath: string, holder: LockHolder | undefined) => OperatorError;
}

/** Losing a race means that another process won it and is found alive on the next look; a few looks are plenty. */
const MAX_ATTEMPTS = 20;

/** Throws the purpose's refusal while another living process holds the lock, or this one does already. */
export function acquireProcessLock(directory: string, purpose: LockPurpose): ProcessLock {
  const draft = join(directory, `${purpose.name}-${process.pid}.draft`);
  try {
    writeFileSync(draft, JSON.stringify({ ...identityOf(process.pid), host: hostname() }));
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const lock = tryAcquire(directory, purpose, draft);
      if (lock !== undefined) return lock;
    }
  } catch (thrown) {
    throw thrown instanceof OperatorError ? thrown : fileError(thrown, directory);
  } finally {
    rmSync(draft, { force: true });
  }
  throw purpose.refusal(lockPath(directory, purpose.name, 1), undefined);
}

function tryAcquire(
  directory: string,
  { name, refusal }: LockPurpose,
  draft: string,
): ProcessLock | undefined {
  const highest = highestLock(directory, name);
  const previous = highest === 0 ? undefined : readHolder(lockPath(directory, name, highest));
  if (previous === "vanished") return undefined;
  if (previous !== undefined && holds(previous)) throw refusal(lockPath(directory, name, highest), previous);
  const mine = lockPath(directory, name, highest + 1);
  try {
    linkSync(draft, mine);
  } catch (thrown) {
    if (systemCodeOf(thrown) === "EEXIST") return undefined;
    throw thrown;
  }
  // A slow process can link a low number that a later holder has already cleared away.
  if (highestLock(directory, name) !== highest + 1) {
    rmSync(mine, { force: true });
    return undefined;
  }
  for (const number of lockNumbers(directory, name))
    if (number <= highest) rmSync(lockPath(directory, name, number), { force: true });
  return {
    ...(previous === undefined ? {} : { takenOverFromPid: previous.pid }),
    release: () => {
      // In a folder that was deleted and made anew this name is another holder's.
      const holder = readHolder(mine);
      if (holder !== "vanished" && holder?.pid === process.pid) freeLock(mine);
    },
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

/** Whether a living process holds the lock. */
export function isProcessLocked(directory: string, name: string): boolean {
  const highest = highestLock(directory, name);
  const holder = highest === 0 ? undefined : readHolder(lockPath(directory, name, highest));
  return holder === "vanished" || (holder !== undefined && holds(holder));
}

function lockPath(directory: string, name: string, number: number): string {
  return join(directory, `${name}-${number}.lock`);
}

function lockNumbers(directory: string, name: string): readonly number[] {
  const form = new RegExp(`^${name}-(\\d{1,9})\\.lock$`);
  return readdirSync(directory).flatMap((file) => {
    const match = form.exec(file);
    return match === null ? [] : [Number(match[1])];
  });
}

function highestLock(directory: string, name: string): number {
  return Math.max(0, ...lockNumbers(directory, name));
}

/** `undefined` for a released lock; `vanished` when a newer holder cleared it away in between. */
function readHolder(path: string): LockHolder | "vanished" | undefined {
  try {
    const holder: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isHolder(holder) ? holder : undefined;
  } catch (thrown) {
    if (systemCodeOf(thrown) === "ENOENT") return "vanished";
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

function isHolder(value: unknown): value is LockHolder {
  if (typeof value !== "object" || value === null) return false;
  const { pid, host } = value as Partial<Record<keyof LockHolder, unknown>>;
  return Number.isInteger(pid) && typeof host === "string";
}

/** A process of another host cannot be seen from here and counts as alive: two writers would be worse. */
function holds(holder: LockHolder): boolean {
  return holder.host !== hostname() || isAlive(holder);
}
