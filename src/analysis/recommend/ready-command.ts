/** The command that runs one cell again, from what the run recorded: to be pasted, not adapted. */
import type { RunManifest } from "../../record/run-manifest.ts";
import type { CellAnalysis } from "../cell.ts";

/** The whole run again with so many repeats. */
export function repeatCommand({ command }: RunManifest, runs: number): string {
  return words(withFlag(command, "--runs", String(runs)));
}

/**
 * One cell again. A run of one cell is its own command, a rung of a ladder is that with one count,
 * and any other cell is named by its label.
 */
export function readyCommand(cell: CellAnalysis, { cells, command }: RunManifest): string {
  const { agents, ...settings } = cell.parameters;
  if (cells.length === 1) return words(command);
  if (agents !== undefined && Object.keys(settings).length === 0)
    return words(withFlag(command, "--agents", String(agents)));
  return words(withFlag(command, "--cell", cell.label));
}

function withFlag(command: readonly string[], flag: string, value: string): readonly string[] {
  const place = command.indexOf(flag);
  if (place >= 0) return command.map((word, index) => (index === place + 1 ? value : word));
  return [...command.filter((word) => !word.startsWith(`${flag}=`)), flag, value];
}

function words(command: readonly string[]): string {
  return command.map(quoted).join(" ");
}

function quoted(word: string): string {
  return /^[\w./:=,@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
