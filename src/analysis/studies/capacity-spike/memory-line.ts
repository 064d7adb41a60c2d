/**
 * Used memory as a straight line, fitted by least squares to the five launches:
 *
 *     used MiB = fixed + perSlot · slots + per1kCells · cells ÷ 1024
 *
 * All five had the vision projector loaded; a text-only launch spares its size.
 */
import type { CapacitySpikeInputs, WorkloadRow } from "./inputs.ts";
import { CELLS_PER_1K, MIB_PER_GIB } from "./inputs.ts";

export interface MemoryLine {
  readonly fixedMib: number;
  readonly perSlotMib: number;
  readonly per1kCellsMib: number;
  /** Largest |fitted − used| ÷ used over the five launches. */
  readonly worstPct: number;
}

export function fitMemoryLine({ ceiling }: CapacitySpikeInputs): MemoryLine {
  const rows = ceiling.map(({ slots, slotCells, usedMib }) => ({
    terms: [1, slots, (slots * slotCells) / CELLS_PER_1K],
    usedMib,
  }));
  // Normal equations XᵀX·b = Xᵀy: three unknowns, well apart in size, so elimination is exact enough.
  const equations = [0, 1, 2].map((row) => [
    ...[0, 1, 2].map((column) =>
      rows.reduce((sum, { terms }) => sum + term(terms, row) * term(terms, column), 0),
    ),
    rows.reduce((sum, { terms, usedMib }) => sum + term(terms, row) * usedMib, 0),
  ]);
  const [fixedMib = 0, perSlotMib = 0, per1kCellsMib = 0] = solve(equations);
  const fitted = (terms: readonly number[]): number =>
    fixedMib + perSlotMib * term(terms, 1) + per1kCellsMib * term(terms, 2);
  const worstPct = Math.max(
    ...rows.map(({ terms, usedMib }) => (Math.abs(fitted(terms) - usedMib) / usedMib) * 100),
  );
  return { fixedMib, perSlotMib, per1kCellsMib, worstPct };
}

/** Gauss–Jordan elimination of an augmented matrix, the largest pivot first. */
function solve(equations: readonly (readonly number[])[]): readonly number[] {
  const rows = equations.map((row) => [...row]);
  for (let column = 0; column < rows.length; column++) {
    const pivot = rows
      .slice(column)
      .reduce((best, row) => (Math.abs(term(row, column)) > Math.abs(term(best, column)) ? row : best));
    const place = rows.indexOf(pivot);
    [rows[column], rows[place]] = [pivot, rows[column] as number[]];
    for (const row of rows) {
      if (row === pivot) continue;
      const factor = term(row, column) / term(pivot, column);
      for (let index = column; index < row.length; index++)
        row[index] = term(row, index) - factor * term(pivot, index);
    }
  }
  return rows.map((row, index) => term(row, rows.length) / term(row, index));
}

function term(row: readonly number[], index: number): number {
  return row[index] ?? 0;
}

/** Free memory that the line leaves: below 0, the launch cannot have been wholly on the card. */
export function freeByLine(
  inputs: CapacitySpikeInputs,
  line: MemoryLine,
  row: Pick<WorkloadRow, "slots" | "slotCells" | "textOnly">,
): number {
  return inputs.cardMib - usedByLine(inputs, line, row);
}

export function usedByLine(
  inputs: CapacitySpikeInputs,
  line: MemoryLine,
  { slots, slotCells, textOnly }: Pick<WorkloadRow, "slots" | "slotCells" | "textOnly">,
): number {
  const cells = (slots * slotCells) / CELLS_PER_1K;
  const projectorMib = textOnly ? inputs.projectorGb.value * MIB_PER_GIB : 0;
  return line.fixedMib + line.perSlotMib * slots + line.per1kCellsMib * cells - projectorMib;
}
