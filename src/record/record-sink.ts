import type { EventRecord, TelemetrySample } from "./event-record.ts";
import type { ChunkRecord, RequestRecord } from "./request-record.ts";
import type { TrialRecord } from "./trial-record.ts";

/**
 * Where the runner and the recording endpoint put what they measured. Implemented by
 * `store/run-directory`, and in tests by {@link MemorySink}. Every call is on disk when it
 * returns; it throws an OperatorError (DISK_FULL, …) and never drops a record.
 */
export interface RecordSink {
  request(record: RequestRecord, chunks?: ChunkRecord): void;
  trial(record: TrialRecord): void;
  telemetry(sample: TelemetrySample): void;
  event(event: EventRecord): void;
}

/** Keeps records in memory, in order. */
export class MemorySink implements RecordSink {
  readonly requests: RequestRecord[] = [];
  readonly chunks: ChunkRecord[] = [];
  readonly trials: TrialRecord[] = [];
  readonly samples: TelemetrySample[] = [];
  readonly events: EventRecord[] = [];

  request(record: RequestRecord, chunks?: ChunkRecord): void {
    if (chunks !== undefined) this.chunks.push(chunks);
    this.requests.push(record);
  }

  trial(record: TrialRecord): void {
    this.trials.push(record);
  }

  telemetry(sample: TelemetrySample): void {
    this.samples.push(sample);
  }

  event(event: EventRecord): void {
    this.events.push(event);
  }
}
