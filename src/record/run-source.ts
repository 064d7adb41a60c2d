/**
 * A run as its readers see it, implemented by `store/read-run`. Analysis folds over visits instead
 * of holding arrays, so that a run of a million requests fits in little memory.
 */
import type { EventRecord, TelemetrySample } from "./event-record.ts";
import type { ChunkRecord, RequestRecord } from "./request-record.ts";
import type { RunManifest } from "./run-manifest.ts";
import type { TrialRecord } from "./trial-record.ts";

/**
 * `finished`: the record belongs to a trial of {@link RunSource.trials} whose status is complete.
 * `unfinished`: its trial was cut short, or is an attempt that a resume has since replaced.
 */
export type Membership = "finished" | "unfinished";

/** Something a reader should know about the files themselves, and tell. */
export interface RunNotice {
  readonly kind: "torn-line" | "damaged-line" | "impossible-line" | "missing-file" | "unfinished-trial";
  readonly file: string;
  /** Counted from 1. */
  readonly line?: number;
  readonly message: string;
}

export interface RunSource {
  readonly path: string;
  readonly manifest: RunManifest;
  /** One per planned trial, the latest attempt, in file order. */
  readonly trials: readonly TrialRecord[];
  /** Grows while files are visited; complete for a file once it was visited to its end. */
  readonly notices: readonly RunNotice[];
  /**
   * Visits in file order, without lines that cannot be true and without a second line of one request.
   * Each call reads the file again. Throws RUN_DAMAGED, RUN_VERSION_UNKNOWN.
   */
  eachRequest(visit: (record: RequestRecord, membership: Membership) => void): void;
  /**
   * A chunk line comes before its request's line, and one without a request was cut off by a crash.
   * Without chunks of requests that an earlier visit of the requests left out.
   */
  eachChunk(visit: (record: ChunkRecord, membership: Membership) => void): void;
  eachTelemetrySample(visit: (sample: TelemetrySample) => void): void;
  eachEvent(visit: (event: EventRecord) => void): void;
}
