/** The files of a run directory; docs/run-directory.md describes every field. */
import type { LineCheck } from "../record/parse-line.ts";
import {
  chunkProblem,
  eventProblem,
  requestProblem,
  telemetryProblem,
  trialProblem,
} from "../record/parse-line.ts";
import { REQUEST_RECORD_VERSION } from "../record/request-record.ts";
import { RUN_FORMAT_VERSION } from "../record/run-manifest.ts";
import { TRIAL_RECORD_VERSION } from "../record/trial-record.ts";

export const MANIFEST_FILE = "manifest.json";
export const SUMMARY_FILE = "summary.json";

export interface RecordFile {
  readonly name: string;
  /** The version its lines carry; where they carry none, the format version of the directory. */
  readonly version: number;
  readonly check: LineCheck;
}

export const RECORD_FILES = {
  requests: { name: "requests.jsonl", version: REQUEST_RECORD_VERSION, check: requestProblem },
  chunks: { name: "chunks.jsonl", version: REQUEST_RECORD_VERSION, check: chunkProblem },
  trials: { name: "trials.jsonl", version: TRIAL_RECORD_VERSION, check: trialProblem },
  telemetry: { name: "telemetry.jsonl", version: RUN_FORMAT_VERSION, check: telemetryProblem },
  events: { name: "events.jsonl", version: RUN_FORMAT_VERSION, check: eventProblem },
} as const satisfies Record<string, RecordFile>;

export type RecordFileKey = keyof typeof RECORD_FILES;

export const RECORD_FILE_KEYS = Object.keys(RECORD_FILES) as readonly RecordFileKey[];

/**
 * The event with which a resume begins. Trials keep their ids when they are run again, so the
 * sizes of the files at that moment are what tells an abandoned attempt from the one that counts.
 */
export const RESUMED_EVENT = "run-resumed";

/** Bytes in each record file when the run was taken up again. */
export type FileSizes = Readonly<Record<RecordFileKey, number>>;
