/** `run` and `run:cell`, as they are typed. */
import { resolve } from "node:path";
import { OperatorError } from "../../core/errors.ts";
import { findRun } from "../../store/list-runs.ts";
import { matchingCells, shownLabels } from "../cell-name.ts";

export interface NamedRun {
  /** As it was typed. */
  readonly name: string;
  readonly path: string;
  /** What follows the colon. */
  readonly cell: string | undefined;
}

/**
 * Paths and labels may hold colons themselves, so each colon is tried in turn until what stands
 * before it is a run. Throws RUN_NOT_FOUND.
 */
export function findNamedRun(name: string, runsDir: string, cwd: string): NamedRun {
  const directory = resolve(cwd, runsDir);
  const whole = tryRun(directory, name, cwd);
  if (whole.kind === "found") return { name, path: whole.path, cell: undefined };
  for (let colon = name.indexOf(":"); colon >= 0; colon = name.indexOf(":", colon + 1)) {
    const found = tryRun(directory, name.slice(0, colon), cwd);
    if (found.kind === "found") return { name, path: found.path, cell: name.slice(colon + 1) };
  }
  const colon = name.indexOf(":");
  if (colon >= 0) findRun(directory, name.slice(0, colon), cwd);
  throw whole.error;
}

type Found =
  | { readonly kind: "found"; readonly path: string }
  | { readonly kind: "none"; readonly error: OperatorError };

function tryRun(runsDir: string, name: string, cwd: string): Found {
  try {
    return { kind: "found", path: findRun(runsDir, name, cwd) };
  } catch (thrown) {
    if (thrown instanceof OperatorError && thrown.code === "RUN_NOT_FOUND")
      return { kind: "none", error: thrown };
    throw thrown;
  }
}

/**
 * The one cell that was meant: by its label, a beginning of its hash, or words that only its label
 * has. Without a name all cells. Throws FLAG_INVALID, with the labels that there are.
 */
export function chosenCells<Cell extends { readonly label: string; readonly hash: string }>(
  cells: readonly Cell[],
  { name, cell }: NamedRun,
): readonly Cell[] {
  if (cells.length === 0)
    throw new OperatorError("FLAG_INVALID", {
      message: "the run has no finished trial of agents together",
      received: name,
      nextStep: "finish it with slipway bench --resume, or name another run",
    });
  if (cell === undefined) return cells;
  const found = matchingCells(cells, cell);
  if (found.length === 1) return found;
  throw new OperatorError("FLAG_INVALID", {
    message: found.length > 1 ? `${found.length} cells have these words` : "the run has no such cell",
    received: name,
    nextStep: `name one of: ${shownLabels(found.length > 0 ? found : cells)}`,
  });
}
