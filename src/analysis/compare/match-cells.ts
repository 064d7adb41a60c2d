/**
 * Which cell of one run answers to which of another. The same specification comes first, then the
 * same name, then the same parameters with as many agents; a side that was narrowed to one cell is
 * matched with the other side's only one, whatever they are called.
 */
import { canonicalJson } from "../../core/ids.ts";
import type { ComparedCell } from "./side.ts";

export interface CellPair {
  readonly a: ComparedCell;
  readonly b: ComparedCell;
  readonly matchedBy: "specification" | "name" | "only-cells" | "parameters";
}

export interface CellMatch {
  readonly pairs: readonly CellPair[];
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
}

export function matchCells(a: readonly ComparedCell[], b: readonly ComparedCell[]): CellMatch {
  const [onlyA] = a;
  const [onlyB] = b;
  if (a.length === 1 && b.length === 1 && onlyA !== undefined && onlyB !== undefined)
    return { pairs: [{ a: onlyA, b: onlyB, matchedBy: sameness(onlyA, onlyB) }], onlyA: [], onlyB: [] };
  const pairs: CellPair[] = [];
  const left = new Set(a);
  const right = new Set(b);
  const match = (matchedBy: CellPair["matchedBy"], key: (cell: ComparedCell) => string): void => {
    const candidates = byUniqueKey(right, key);
    for (const [own, cell] of byUniqueKey(left, key)) {
      const other = candidates.get(own);
      if (other === undefined) continue;
      pairs.push({ a: cell, b: other, matchedBy });
      left.delete(cell);
      right.delete(other);
    }
  };
  match("specification", (cell) => cell.hash);
  match("name", (cell) => cell.label);
  match("parameters", (cell) => canonicalJson([cell.parameters, cell.agents]));
  return {
    pairs: pairs.sort((one, other) => a.indexOf(one.a) - a.indexOf(other.a)),
    onlyA: [...left].map((cell) => cell.label),
    onlyB: [...right].map((cell) => cell.label),
  };
}

function sameness(a: ComparedCell, b: ComparedCell): CellPair["matchedBy"] {
  if (a.hash === b.hash) return "specification";
  return a.label === b.label ? "name" : "only-cells";
}

/** A key that two cells of one side share says nothing about either. */
function byUniqueKey(
  cells: ReadonlySet<ComparedCell>,
  key: (cell: ComparedCell) => string,
): ReadonlyMap<string, ComparedCell> {
  const found = new Map<string, ComparedCell>();
  const twice = new Set<string>();
  for (const cell of cells) {
    if (found.has(key(cell))) twice.add(key(cell));
    found.set(key(cell), cell);
  }
  for (const own of twice) found.delete(own);
  return found;
}
