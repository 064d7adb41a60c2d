/**
 * GPU memory on paper: a folder with a file for each process that claims some. A process that ended
 * keeps its claim for a while, as a driver frees late; whoever reads the ledger carries that out.
 */
import { appendFileSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const MIB = 1024 * 1024;

/** Claims of this process. Answers false, and notes it in `over-budget.log`, when all of them are then above the total. */
export function claim(folder, mib, totalMib, releaseMs) {
  const startTicks = startTicksOf(process.pid);
  write(join(folder, `${process.pid}-${startTicks}.json`), {
    pid: process.pid,
    startTicks,
    bytes: mib * MIB,
  });
  if (totalMib === undefined) return true;
  const heldMib = readClaims(folder, releaseMs).reduce((sum, { bytes }) => sum + bytes, 0) / MIB;
  if (heldMib <= totalMib) return true;
  appendFileSync(join(folder, "over-budget.log"), `${process.pid}: ${heldMib} of ${totalMib} MiB\n`);
  return false;
}

/** What is held now: by the living, and by those who ended less than `releaseMs` ago as far as readers saw it. */
export function readClaims(folder, releaseMs = 0) {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => {
      const path = join(folder, name);
      const held = read(path);
      if (held === undefined || startTicksOf(held.pid) === held.startTicks) return held ?? [];
      const seenDeadMs = held.seenDeadMs ?? Date.now();
      if (Date.now() - seenDeadMs >= releaseMs) {
        rmSync(path, { force: true });
        return [];
      }
      if (held.seenDeadMs === undefined) write(path, { ...held, seenDeadMs });
      return held;
    });
}

/** Undefined for a process that is gone or a zombie. */
function startTicksOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const cells = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return cells[0] === "Z" || cells[0] === "X" ? undefined : cells[19];
  } catch {
    return undefined;
  }
}

function read(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** Whole or not at all: others read meanwhile. */
function write(path, value) {
  writeFileSync(`${path}.${process.pid}.tmp`, JSON.stringify(value));
  renameSync(`${path}.${process.pid}.tmp`, path);
}
