/**
 * Writes a run directory: the only place that does. Records go out line by line as they happen,
 * documents whole. One process at a time holds a run.
 */
import { closeSync, existsSync, fsyncSync, openSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../core/assert.ts";
import type { Clock } from "../core/clock.ts";
import { OperatorError } from "../core/errors.ts";
import { fileError, makeFolder, writeFileWhole } from "../core/file.ts";
import type { EventRecord, TelemetrySample } from "../record/event-record.ts";
import type { RecordSink } from "../record/record-sink.ts";
import type { ChunkRecord, RequestRecord } from "../record/request-record.ts";
import type { RunManifest, RunStatus } from "../record/run-manifest.ts";
import type { TrialRecord } from "../record/trial-record.ts";
import { LineFile } from "./line-file.ts";
import { readManifest } from "./read-run.ts";
import type { FileSizes, RecordFileKey } from "./record-files.ts";
import { MANIFEST_FILE, RECORD_FILES, RECORD_FILE_KEYS, RESUMED_EVENT } from "./record-files.ts";
import type { RunLock } from "./run-lock.ts";
import { acquireRunLock } from "./run-lock.ts";

export interface RunWriter extends RecordSink {
  readonly path: string;
  readonly manifest: RunManifest;
  updateManifest(patch: Partial<Omit<RunManifest, "formatVersion" | "runId">>): void;
  /** Writes a whole file, for example `summary.json`; anything but text is written as JSON. */
  writeDocument(name: string, content: unknown): void;
  /** Stamps the status and the end, closes the files and frees the run. A second call does nothing. */
  close(status: RunStatus): void;
}

export interface CreateRunOptions {
  readonly runsDir: string;
  readonly manifest: RunManifest;
  /** Wait for the disk after every line: survives a power cut, and costs a disk flush per record. */
  readonly durable: boolean;
  readonly clock: Clock;
}

/** Begins a new run. Throws DIRECTORY_UNWRITABLE, DISK_FULL, RUN_LOCKED, RUN_EXISTS. */
export function createRunDirectory(options: CreateRunOptions): RunWriter {
  const path = join(options.runsDir, options.manifest.runId);
  makeDirectory(options.runsDir, path);
  const lock = acquireRunLock(path);
  return whileLocked(lock, () => {
    if (existsSync(join(path, MANIFEST_FILE)))
      throw new OperatorError("RUN_EXISTS", {
        message: "a run of this name stands there already, and nothing is ever overwritten",
        received: path,
        nextStep: "give another --runs-dir, or continue that run with --resume",
      });
    const files = openFiles(path, options.durable);
    return begin(new DirectoryWriter({ ...options, path, files, lock }), (writer) => {
      writer.updateManifest({});
      if (!options.durable) return;
      flushDirectory(path);
      flushDirectory(options.runsDir);
    });
  });
}

export interface OpenRunOptions {
  readonly path: string;
  readonly durable: boolean;
  readonly clock: Clock;
}

/**
 * Takes an existing run up again, to complete it. Ends of lines that a crash cut off are mended,
 * and an event notes where this attempt begins. Throws RUN_LOCKED, RUN_DAMAGED,
 * RUN_VERSION_UNKNOWN, DIRECTORY_UNWRITABLE, DISK_FULL.
 */
export function openRunDirectory(options: OpenRunOptions): RunWriter {
  readManifest(options.path);
  const lock = acquireRunLock(options.path);
  return whileLocked(lock, () => {
    // Read again under the lock: the last writer may have changed it in between.
    const { endedIso: _, ...manifest } = readManifest(options.path);
    const files = openFiles(options.path, options.durable);
    return begin(new DirectoryWriter({ ...options, manifest, files, lock }), (writer) => {
      writer.event(resumedEvent(files, lock, options.clock.nowNs()));
      writer.updateManifest({ status: "running" });
    });
  });
}

/** A run that could not be opened after all must not stay locked. */
function whileLocked<T>(lock: RunLock, action: () => T): T {
  try {
    return action();
  } catch (thrown) {
    lock.release();
    throw thrown;
  }
}

function begin(writer: DirectoryWriter, firstWrites: (writer: DirectoryWriter) => void): RunWriter {
  try {
    firstWrites(writer);
    return writer;
  } catch (thrown) {
    writer.letGo();
    throw thrown;
  }
}

type Files = Readonly<Record<RecordFileKey, LineFile>>;

function openFiles(path: string, durable: boolean): Files {
  const opened: [RecordFileKey, LineFile][] = [];
  try {
    for (const key of RECORD_FILE_KEYS)
      opened.push([key, new LineFile(join(path, RECORD_FILES[key].name), durable)]);
  } catch (thrown) {
    for (const [, file] of opened) file.close();
    throw thrown;
  }
  return Object.fromEntries(opened) as Record<RecordFileKey, LineFile>;
}

function resumedEvent(files: Files, lock: RunLock, atNs: number): EventRecord {
  const of = (value: (file: LineFile) => number): FileSizes =>
    Object.fromEntries(RECORD_FILE_KEYS.map((key) => [key, value(files[key])])) as FileSizes;
  const { takenOverFromPid } = lock;
  return {
    atNs,
    kind: RESUMED_EVENT,
    message:
      takenOverFromPid === undefined
        ? "the run was taken up again"
        : `the run was taken over from process ${takenOverFromPid}, which ended without closing it`,
    data: {
      fileBytes: of((file) => file.sizeBytes),
      tornBytes: of((file) => file.tornBytes),
      ...(takenOverFromPid === undefined ? {} : { takenOverFromPid }),
    },
  };
}

interface WriterParts {
  readonly path: string;
  readonly manifest: RunManifest;
  readonly files: Files;
  readonly lock: RunLock;
  readonly clock: Clock;
}

class DirectoryWriter implements RunWriter {
  readonly path: string;
  #manifest: RunManifest;
  #open = true;
  readonly #files: Files;
  readonly #lock: RunLock;
  readonly #clock: Clock;

  constructor(parts: WriterParts) {
    this.path = parts.path;
    this.#manifest = parts.manifest;
    this.#files = parts.files;
    this.#lock = parts.lock;
    this.#clock = parts.clock;
  }

  get manifest(): RunManifest {
    return this.#manifest;
  }

  request(record: RequestRecord, chunks?: ChunkRecord): void {
    if (chunks !== undefined) this.#append("chunks", chunks);
    this.#append("requests", record);
  }

  trial(record: TrialRecord): void {
    this.#append("trials", record);
  }

  telemetry(sample: TelemetrySample): void {
    this.#append("telemetry", sample);
  }

  event(event: EventRecord): void {
    this.#append("events", event);
  }

  updateManifest(patch: Partial<Omit<RunManifest, "formatVersion" | "runId">>): void {
    assert(this.#open, "a closed run was written to");
    const manifest = { ...this.#manifest, ...patch };
    this.writeDocument(MANIFEST_FILE, manifest);
    this.#manifest = manifest;
  }

  writeDocument(name: string, content: unknown): void {
    assert(this.#open, "a closed run was written to");
    assert(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name), `no name for a document: ${name}`);
    const text = typeof content === "string" ? content : `${JSON.stringify(content, undefined, 2)}\n`;
    writeFileWhole(join(this.path, name), text);
  }

  close(status: RunStatus): void {
    if (!this.#open) return;
    try {
      this.updateManifest({ status, endedIso: this.#clock.wallIso() });
    } finally {
      this.letGo();
    }
  }

  /** Closes the files and frees the run without a word in the manifest. */
  letGo(): void {
    this.#open = false;
    for (const file of Object.values(this.#files)) file.close();
    this.#lock.release();
  }

  #append(key: RecordFileKey, record: unknown): void {
    assert(this.#open, "a closed run was written to");
    this.#files[key].append(record);
  }
}

/** Fails where a file stands in the way or the disk is read-only; one that exists already is fine. */
function makeDirectory(runsDir: string, path: string): void {
  try {
    makeFolder(runsDir);
    makeFolder(path);
  } catch (thrown) {
    const error = fileError(thrown, path);
    if (error.code === "DISK_FULL") throw error;
    throw new OperatorError("DIRECTORY_UNWRITABLE", {
      message: `cannot make the run directory ${path}`,
      received: error.received,
      nextStep: "give a writable directory with --runs-dir, or mend its permissions",
      cause: thrown,
    });
  }
}

/** A new file survives a power cut only once the directory that names it is on the disk. */
function flushDirectory(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
