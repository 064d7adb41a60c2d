/**
 * A ledger of memory: one line per item, each with the formula it came from and where its number
 * comes from. The totals are the sums of the lines and nothing else.
 */

/** `declared`: computed from a file's header and settings; `parsed`: the server's own log; `measured`: what the driver said. */
export type Provenance = "declared" | "parsed" | "measured";

export type MemoryPlace = "device" | "host";

export type LedgerItem =
  | "weights"
  | "projector"
  | "cache"
  | "state"
  | "compute"
  | "output"
  | "overhead"
  | "co-tenant"
  | "residual"
  | "margin";

export interface LedgerLine {
  readonly item: LedgerItem;
  /** As a person reads it: "KV cache, 5 layers of full context". */
  readonly label: string;
  readonly place: MemoryPlace;
  readonly bytes: number;
  readonly provenance: Provenance;
  /** With its numbers: "5 layers × 131,072 cells × 3 slots × …". */
  readonly formula: string;
}

export interface MemoryLedger {
  readonly lines: readonly LedgerLine[];
  readonly deviceBytes: number;
  readonly hostBytes: number;
  /** What is assumed or not counted, as sentences. */
  readonly caveats: readonly string[];
}

export function ledgerOf(lines: readonly LedgerLine[], caveats: readonly string[]): MemoryLedger {
  return {
    lines: lines.filter((line) => line.bytes !== 0),
    deviceBytes: bytesAt(lines, "device"),
    hostBytes: bytesAt(lines, "host"),
    caveats,
  };
}

export function bytesAt(lines: readonly LedgerLine[], place: MemoryPlace): number {
  return lines.reduce((sum, line) => (line.place === place ? sum + line.bytes : sum), 0);
}
