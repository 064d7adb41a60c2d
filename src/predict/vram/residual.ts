/**
 * What a ledger cannot know (driver context, pools, fragmentation, a compositor) is the difference
 * between what was measured and what was predicted. It is kept per machine, and the mean of what
 * was seen is a line of the next ledger.
 */
import type { LedgerLine, MemoryLedger, MemoryPlace } from "./ledger.ts";
import { bytesAt } from "./ledger.ts";

/** One start that was measured. Plain data, to be stored beside the machine it belongs to. */
export interface ResidualObservation {
  /** The ledger's, its residual, overhead and margin lines left out. */
  readonly predictedBytes: number;
  /** In use after the server was healthy. */
  readonly measuredBytes: number;
}

export interface ExpectedResidual {
  readonly bytes: number;
  readonly lowestBytes: number;
  readonly highestBytes: number;
  readonly observations: number;
}

/** Undefined without observations: unknown is not 0. */
export function expectedResidual(observations: readonly ResidualObservation[]): ExpectedResidual | undefined {
  if (observations.length === 0) return undefined;
  const differences = observations.map((seen) => seen.measuredBytes - seen.predictedBytes);
  return {
    bytes: differences.reduce((sum, difference) => sum + difference, 0) / differences.length,
    lowestBytes: Math.min(...differences),
    highestBytes: Math.max(...differences),
    observations: differences.length,
  };
}

/** What a ledger predicts of a place apart from overheads that are only ever measured, and from a margin that stays free. */
export function knownBytes(ledger: MemoryLedger, place: MemoryPlace): number {
  return bytesAt(
    ledger.lines.filter((line) => !isUnknowable(line)),
    place,
  );
}

export function isUnknowable(line: LedgerLine): boolean {
  return line.item === "overhead" || line.item === "residual" || line.item === "margin";
}

/** A start that was measured, for the machine's book; `place` is the host on a machine without GPU. */
export function observationOf(
  ledger: MemoryLedger,
  measuredBytes: number,
  place: MemoryPlace = "device",
): ResidualObservation {
  return { predictedBytes: knownBytes(ledger, place), measuredBytes };
}
