/** What study 003 published: memory of five launches, nine workload runs. */
import { z } from "zod";
import { namedEntry } from "../named-entry.ts";
import { printedNumber } from "../printed-number.ts";

const ceilingRow = z.strictObject({
  id: z.string(),
  slots: z.int(),
  slotCells: z.int(),
  usedMib: z.int(),
  freeMib: z.int(),
  bootS: z.number(),
  freeAfterImageMib: printedNumber,
});

const workloadRow = z.strictObject({
  id: z.string(),
  slots: z.int(),
  slotCells: z.int(),
  agents: z.array(z.string()),
  aggregateTokS: printedNumber,
  perCallTokS: printedNumber,
  devP50S: printedNumber.exactOptional(),
  devP95S: printedNumber.exactOptional(),
  turnP50S: printedNumber.exactOptional(),
  turnP95S: printedNumber.exactOptional(),
  turns: z.int().exactOptional(),
  devTurnsFinished: z.int().exactOptional(),
  freeMib: z.int(),
  textOnly: z.boolean(),
});
export type WorkloadRow = z.output<typeof workloadRow>;

export const capacitySpikeInputs = z.strictObject({
  cardMib: z.int(),
  overheadGb: z.strictObject({ coTenant: printedNumber, compositor: printedNumber, scratch: printedNumber }),
  weightsGb: printedNumber,
  projectorGb: printedNumber,
  /** What the study's formula subtracts, as it writes it. */
  formulaGb: z.strictObject({
    overhead: printedNumber,
    backbone: printedNumber,
    fragmentation: printedNumber,
  }),
  kvMbPer1kCells: z.number(),
  imageMib: z.number(),
  marginMib: z.tuple([z.number(), z.number()]),
  freeFloorGib: z.number(),
  durationS: z.number(),
  roles: z.record(
    z.string(),
    z.strictObject({ cadenceS: z.number(), maxTokens: z.int(), toolTokens: z.int() }),
  ),
  safeguards: z.strictObject({
    ramPreflightGib: z.number(),
    vramPreflightMib: z.number(),
    watchdogRamGib: z.number(),
    watchdogVramMib: z.number(),
    watchdogSustainedS: z.number(),
    quiesceS: z.tuple([z.number(), z.number()]),
    /** Free host memory under which the machine froze, and from which on it did not. */
    unrecoverableRamGib: z.number(),
    safeRamGib: z.number(),
  }),
  /** For a team, and for a single agent with images. */
  recommended: z.strictObject({
    slots: z.int(),
    totalCells: z.int(),
    visionSlots: z.int(),
    visionTotalCells: z.int(),
  }),
  ceiling: z.array(ceilingRow),
  workloads: z.array(workloadRow),
});
export type CapacitySpikeInputs = z.output<typeof capacitySpikeInputs>;

export const MIB_PER_GIB = 1024;
/** Cells are counted in units of 1,024, as the study's "1K". */
export const CELLS_PER_1K = 1024;

export function workload({ workloads }: CapacitySpikeInputs, id: string): WorkloadRow {
  return namedEntry(workloads, id);
}
