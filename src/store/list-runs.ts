/** Finds runs below a runs directory and says what became of each. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ErrorCode } from "../core/error-codes.ts";
import { OperatorError, systemCodeOf } from "../core/errors.ts";
import { fileError } from "../core/file.ts";
import type { RunManifest, RunStatus } from "../record/run-manifest.ts";
import { readRun } from "./read-run.ts";
import { MANIFEST_FILE } from "./record-files.ts";
import { isRunLocked } from "./run-lock.ts";

export type RunListing =
  | {
      readonly kind: "readable";
      readonly runId: string;
      readonly path: string;
      readonly status: RunStatus;
      readonly manifest: RunManifest;
      /** Planned trials that have a complete record. */
      readonly completeTrials: number;
    }
  | {
      readonly kind: "unreadable";
      readonly runId: string;
      readonly path: string;
      readonly code: ErrorCode;
      readonly reason: string;
    };

/**
 * What became of a run. A manifest that says `running` while no living process holds the run is one
 * whose writer was killed: interrupted.
 */
export function runStatus(path: string, manifest: RunManifest): RunStatus {
  return manifest.status === "running" && !isRunLocked(path) ? "interrupted" : manifest.status;
}

/** Every run below the directory, by id, which begins with the time. A directory that does not exist has none. */
export function listRuns(runsDir: string): readonly RunListing[] {
  return runIds(runsDir).map((runId) => listing(runId, join(runsDir, runId)));
}

function listing(runId: string, path: string): RunListing {
  try {
    const { manifest, trials } = readRun(path, { skipDamaged: true });
    const completeTrials = trials.filter((trial) => trial.status === "complete").length;
    return { kind: "readable", runId, path, status: runStatus(path, manifest), manifest, completeTrials };
  } catch (thrown) {
    if (!(thrown instanceof OperatorError)) throw thrown;
    return { kind: "unreadable", runId, path, code: thrown.code, reason: thrown.message };
  }
}

/**
 * The directory of a run that was named by its path, its id, or a beginning of its id that only one
 * run has. A word without a slash is an id first, then a folder here, then a beginning: a run that
 * was copied or renamed is found by its name. Throws RUN_NOT_FOUND, with the names that come nearest.
 */
export function findRun(runsDir: string, name: string, cwd: string): string {
  const here = resolve(cwd, name);
  const isRunHere = name !== "" && existsSync(join(here, MANIFEST_FILE));
  if (isRunHere && /[/\\]/.test(name)) return here;
  const ids = runIds(runsDir);
  if (ids.includes(name)) return join(runsDir, name);
  if (isRunHere) return here;
  const matches = name === "" ? [] : ids.filter((id) => id.startsWith(name));
  const [only] = matches;
  if (only !== undefined && matches.length === 1) return join(runsDir, only);
  const shown = (matches.length > 0 ? matches : nearestNames(name, ids)).slice(0, MAX_SHOWN_NAMES);
  throw new OperatorError("RUN_NOT_FOUND", {
    message:
      matches.length > 1
        ? `${matches.length} runs in ${runsDir} begin so`
        : `no run in ${runsDir} has this name`,
    received: name,
    nextStep:
      shown.length === 0
        ? "give the path of a run directory, or another --runs-dir"
        : `give one of: ${shown.join(", ")}`,
  });
}

const MAX_SHOWN_NAMES = 5;

function runIds(runsDir: string): readonly string[] {
  let names: readonly string[];
  try {
    names = readdirSync(runsDir);
  } catch (thrown) {
    if (systemCodeOf(thrown) === "ENOENT") return [];
    throw fileError(thrown, runsDir);
  }
  return names
    .filter((name) => isDirectory(join(runsDir, name)) && existsSync(join(runsDir, name, MANIFEST_FILE)))
    .sort();
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** By edit distance to the id, its beginning or its part after the time; no worse than half of what was typed. */
function nearestNames(name: string, ids: readonly string[]): readonly string[] {
  const distanceTo = (id: string): number =>
    Math.min(
      ...[id, id.slice(0, name.length), id.replace(/^[^-]*-/, "")].map((part) => editDistance(name, part)),
    );
  return ids
    .map((id) => ({ id, distance: distanceTo(id) }))
    .filter(({ distance }) => distance <= Math.max(2, name.length / 2))
    .sort((a, b) => a.distance - b.distance)
    .map(({ id }) => id);
}

/** Levenshtein's distance, one row of the table at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row.at(-1) as number;
}
