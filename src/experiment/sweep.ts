/** What all parts of a sweep share. */
import type { Clock } from "../core/clock.ts";
import type { ResidualObservation } from "../predict/vram/residual.ts";
import type { LlamaServerPreset, Preset } from "../preset/preset.ts";
import type { RecordSink } from "../record/record-sink.ts";
import type { Pool, ServerModel } from "../predict/vram/preset-ledger.ts";
import type { StartRecord } from "./start-record.ts";
import { START_EVENT } from "./start-record.ts";
import type { SweepCell } from "./sweep-cells.ts";
import type { SweepMachine } from "./sweep-machine.ts";

export interface Sweep {
  readonly machine: SweepMachine;
  readonly clock: Clock;
  /** Every cell's preset is this one with other slots, context and cache types. */
  readonly base: LlamaServerPreset;
  /** Run all the time, as they would when the result is used. */
  readonly beside: readonly Preset[];
  readonly model: ServerModel;
  readonly pool: Pool;
  /** Of the pool, with nothing but `beside` running. */
  readonly freeAtRestBytes: number;
  /** Must be free once a server is up; absent: what images need where a projector is loaded, else nothing. */
  readonly floorBytes?: number;
  /** Between two servers, after memory is back: drivers and caches settle. */
  readonly quiesceMs: number;
  /** Grows with each start. */
  readonly residuals: ResidualObservation[];
  readonly sink: RecordSink;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SweepProgress) => void;
}

export type SweepProgress =
  | { readonly kind: "start"; readonly cell: SweepCell }
  | { readonly kind: "started"; readonly record: StartRecord }
  | { readonly kind: "trial"; readonly cell: string; readonly index: number; readonly total: number }
  | {
      readonly kind: "trial-end";
      readonly cell: string;
      readonly requests: number;
      readonly failures: number;
    }
  | { readonly kind: "trouble"; readonly message: string };

export function noteStart(sweep: Sweep, record: StartRecord): StartRecord {
  const { cell, outcome } = record;
  const why = "reason" in outcome ? `: ${outcome.reason}` : "";
  sweep.sink.event({
    atNs: sweep.clock.nowNs(),
    kind: START_EVENT,
    message: `${cell} ${OUTCOMES[outcome.kind]}${why}`,
    data: record,
  });
  sweep.onProgress({ kind: "started", record });
  return record;
}

const OUTCOMES: Readonly<Record<StartRecord["outcome"]["kind"], string>> = {
  fits: "fits",
  excluded: "is excluded by the ledger",
  refused: "was refused before its start",
  "did-not-start": "did not start",
  "not-resident": "is not resident",
  "too-tight": "leaves too little free",
};
