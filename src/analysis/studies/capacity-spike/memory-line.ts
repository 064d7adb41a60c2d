/**
 * Used memory as a straight line, fitted by least squares to the five launches:
 *
 *     used MiB = fixed + perSlot · slots + per1kCells · cells ÷ 1024
 *
 * All five had the vision projector loaded; a text-only launch spares its size.
 */
import { assert } from "../../../core/assert.ts";
import { fitLeastSquares } from "../../../stats/least-squares.ts";
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
  const fit = fitLeastSquares({
    observations: ceiling.map(({ slots, slotCells, usedMib }) => ({
      input: [1, slots, (slots * slotCells) / CELLS_PER_1K],
      value: usedMib,
    })),
    parameters: [{ start: 0 }, { start: 0 }, { start: 0 }],
    model: (terms, parameters) =>
      terms.reduce((sum, term, index) => sum + term * (parameters[index] ?? 0), 0),
    slopes: (terms) => terms,
  });
  assert(fit.kind === "converged", "five launches do not determine three parameters");
  const [fixedMib = 0, perSlotMib = 0, per1kCellsMib = 0] = fit.parameters.map((one) => one.value);
  const line = { fixedMib, perSlotMib, per1kCellsMib };
  const errorsPct = ceiling.map((row) => Math.abs(withProjectorMib(line, row) / row.usedMib - 1) * 100);
  return { ...line, worstPct: Math.max(...errorsPct) };
}

function withProjectorMib(
  line: Omit<MemoryLine, "worstPct">,
  { slots, slotCells }: Pick<WorkloadRow, "slots" | "slotCells">,
): number {
  return line.fixedMib + line.perSlotMib * slots + (line.per1kCellsMib * slots * slotCells) / CELLS_PER_1K;
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
  row: Pick<WorkloadRow, "slots" | "slotCells" | "textOnly">,
): number {
  const projectorMib = row.textOnly ? inputs.projectorGb.value * MIB_PER_GIB : 0;
  return withProjectorMib(line, row) - projectorMib;
}
