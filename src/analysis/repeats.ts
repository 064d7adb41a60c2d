/**
 * Cells that came out the same. A model of 35 layers runs the same with 60, 80 and 120 asked for;
 * whatever such cells differ by is the noise of the whole procedure, an A/A test for free, and no
 * difference between other cells that is smaller than it means anything.
 */
import type { CellAnalysis } from "./cell.ts";

export interface RepeatGroup {
  readonly effectiveHash: string;
  readonly cells: readonly string[];
  /** Largest − smallest of the cells' means. */
  readonly noiseFloor: NoiseFloor;
}

export interface NoiseFloor {
  readonly balancePct: number | undefined;
  readonly trueSpeedup: number | undefined;
  readonly retention: number | undefined;
  readonly aggregateTokS: number | undefined;
}

export function repeatGroups(cells: readonly CellAnalysis[]): readonly RepeatGroup[] {
  const byHash = new Map<string, CellAnalysis[]>();
  for (const cell of cells) {
    if (cell.effectiveHash === undefined) continue;
    const group = byHash.get(cell.effectiveHash);
    if (group === undefined) byHash.set(cell.effectiveHash, [cell]);
    else group.push(cell);
  }
  return [...byHash]
    .filter(([, group]) => group.length > 1)
    .map(([effectiveHash, group]) => ({
      effectiveHash,
      cells: group.map((cell) => cell.label),
      noiseFloor: {
        balancePct: range(group.map((cell) => cell.figures.balancePct?.mean)),
        trueSpeedup: range(group.map((cell) => cell.figures.trueSpeedup?.mean)),
        retention: range(group.map((cell) => cell.figures.retention?.mean)),
        aggregateTokS: range(group.map((cell) => cell.figures.aggregateTokS?.mean)),
      },
    }));
}

function range(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length < 2 ? undefined : Math.max(...known) - Math.min(...known);
}
