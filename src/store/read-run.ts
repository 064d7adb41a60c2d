/**
 * Reads a run directory back, whatever became of its writer. Records are visited, not collected,
 * so a run of a million requests takes little memory. What a crash leaves behind (a torn last
 * line, requests of a trial that never ended, an attempt that a resume replaced) is tolerated and
 * told; damage in the middle is an error that names the line, unless the reader asks to skip it.
 * Whole lines that cannot be true are left out, and told.
 */
import { existsSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { isUtf8 } from "node:buffer";
import { OperatorError, messageOf } from "../core/errors.ts";
import { fileError, readTextFile } from "../core/file.ts";
import { MAX_DOCUMENT_BYTES } from "../core/limits.ts";
import type { EventRecord, TelemetrySample } from "../record/event-record.ts";
import { impossibleChunks, impossibleRequest, impossibleTrial } from "../record/impossible.ts";
import type { LineProblem } from "../record/parse-line.ts";
import { parseManifest, parseSummary, unknownVersion } from "../record/parse-document.ts";
import type { ChunkRecord, RequestRecord } from "../record/request-record.ts";
import type { RunManifest } from "../record/run-manifest.ts";
import type { Membership, RunNotice, RunSource } from "../record/run-source.ts";
import type { SummaryRecord } from "../record/summary-record.ts";
import type { TrialRecord } from "../record/trial-record.ts";
import { LeftOut } from "./left-out.ts";
import { eachLine } from "./read-lines.ts";
import type { RecordFile } from "./record-files.ts";
import { MANIFEST_FILE, SUMMARY_FILE, RECORD_FILES, RESUMED_EVENT } from "./record-files.ts";
import type { TrialKey } from "./resume.ts";
import { trialKey } from "./resume.ts";

export interface ReadRunOptions {
  /** Leave out damaged lines and tell of them in the notices, instead of stopping at the first. */
  readonly skipDamaged?: boolean;
}

/**
 * Opens a run for reading. The manifest, the trials and the marks of resumes are read at once, the
 * rest when it is visited. Throws RUN_DAMAGED, RUN_VERSION_UNKNOWN, FILE_NOT_FOUND.
 */
export function readRun(path: string, options: ReadRunOptions = {}): RunSource {
  const directory = resolve(path);
  return new RunReader(directory, readManifest(directory), options.skipDamaged ?? false);
}

/** The manifest of a run directory. Throws RUN_DAMAGED, RUN_VERSION_UNKNOWN, FILE_NOT_FOUND. */
export function readManifest(directory: string): RunManifest {
  const path = join(directory, MANIFEST_FILE);
  return parseManifest(readJsonDocument(path), path);
}

/** The summary of a run, where one was written. Throws RUN_DAMAGED, RUN_VERSION_UNKNOWN. */
export function readSummary(directory: string): SummaryRecord | undefined {
  const path = join(directory, SUMMARY_FILE);
  return existsSync(path) ? parseSummary(readJsonDocument(path), path) : undefined;
}

/** A whole JSON file of a run. Throws FILE_NOT_FOUND, RUN_DAMAGED. */
export function readJsonDocument(path: string): unknown {
  const damaged = (received: string, cause?: unknown): OperatorError =>
    new OperatorError("RUN_DAMAGED", {
      message: `${path} is not readable`,
      received,
      nextStep: "restore the file from a copy; the other files of the run are not affected",
      ...(cause === undefined ? {} : { cause }),
    });
  let sizeBytes: number;
  try {
    sizeBytes = statSync(path).size;
  } catch (thrown) {
    throw fileError(thrown, path);
  }
  if (sizeBytes > MAX_DOCUMENT_BYTES) throw damaged(`${sizeBytes} bytes, the limit is ${MAX_DOCUMENT_BYTES}`);
  try {
    return JSON.parse(readTextFile(path)) as unknown;
  } catch (thrown) {
    if (thrown instanceof OperatorError) throw thrown;
    throw damaged(messageOf(thrown), thrown);
  }
}

/** Where the attempt that counts begins in the files whose lines carry a trial's name. */
interface FinishedTrial {
  readonly requestsFromBytes: number;
  readonly chunksFromBytes: number;
}

/** What is wrong with a line of the attempt that counts whose request had one before. */
const SECOND_LINE = "the request has a line already";

interface ResumeMark {
  readonly requestsBytes: number;
  readonly chunksBytes: number;
  readonly trialsBytes: number;
}

class RunReader implements RunSource {
  readonly path: string;
  readonly manifest: RunManifest;
  readonly trials: readonly TrialRecord[];
  readonly #skipDamaged: boolean;
  readonly #finished = new Map<string, FinishedTrial>();
  /** By file and line, so that visiting twice tells once. */
  readonly #notices = new Map<string, RunNotice>();
  readonly #leftOut = new LeftOut();
  /** Requests that cannot be true, by id: their chunks enter no distribution either. */
  readonly #impossible = new Set<string>();

  constructor(path: string, manifest: RunManifest, skipDamaged: boolean) {
    this.path = path;
    this.manifest = manifest;
    this.#skipDamaged = skipDamaged;
    this.trials = this.#readTrials(this.#readResumeMarks());
  }

  get notices(): readonly RunNotice[] {
    return [...this.#notices.values(), ...this.#leftOut.notices];
  }

  eachRequest(visit: (record: RequestRecord, membership: Membership) => void): void {
    const { requests: file } = RECORD_FILES;
    const firstOf = firstLines();
    let unfinished = 0;
    this.#visit<RequestRecord>(file, (record, offsetBytes, line) => {
      const { requestId, trialId } = record;
      const trial = this.#finished.get(trialId);
      const finished = trial !== undefined && offsetBytes >= trial.requestsFromBytes;
      const reason = impossibleRequest(record);
      if (reason !== undefined) {
        this.#leftOut.add(file.name, line, reason);
        this.#impossible.add(requestId);
        return;
      }
      // An attempt that a resume replaced has the ids of the one that counts.
      if (finished && !firstOf(trialId, requestId)) {
        this.#leftOut.add(file.name, line, SECOND_LINE);
        return;
      }
      if (!finished) unfinished++;
      visit(record, finished ? "finished" : "unfinished");
    });
    if (unfinished > 0)
      this.#tell({
        kind: "unfinished-trial",
        file: RECORD_FILES.requests.name,
        message: `${unfinished} requests belong to trials that were cut short; they are kept and enter no figure`,
      });
  }

  eachChunk(visit: (record: ChunkRecord, membership: Membership) => void): void {
    const { chunks: file } = RECORD_FILES;
    const firstOf = firstLines();
    this.#visit<ChunkRecord>(file, (record, offsetBytes, line) => {
      const { requestId } = record;
      if (this.#impossible.has(requestId)) return;
      const trialId = trialIdOf(requestId);
      const trial = this.#finished.get(trialId);
      const finished = trial !== undefined && offsetBytes >= trial.chunksFromBytes;
      const reason =
        impossibleChunks(record) ?? (finished && !firstOf(trialId, requestId) ? SECOND_LINE : undefined);
      if (reason === undefined) visit(record, finished ? "finished" : "unfinished");
      else this.#leftOut.add(file.name, line, reason);
    });
  }

  eachTelemetrySample(visit: (sample: TelemetrySample) => void): void {
    this.#visit<TelemetrySample>(RECORD_FILES.telemetry, visit);
  }

  eachEvent(visit: (event: EventRecord) => void): void {
    this.#visit<EventRecord>(RECORD_FILES.events, visit);
  }

  #readResumeMarks(): readonly ResumeMark[] {
    const marks: ResumeMark[] = [];
    this.eachEvent((event) => {
      const mark = event.kind === RESUMED_EVENT ? resumeMark(event) : undefined;
      if (mark !== undefined) marks.push(mark);
    });
    return marks;
  }

  /** One record per planned trial: a complete one always, else the latest attempt. */
  #readTrials(marks: readonly ResumeMark[]): readonly TrialRecord[] {
    const latest = new Map<TrialKey, TrialRecord>();
    const { trials: file } = RECORD_FILES;
    this.#visit<TrialRecord>(file, (record, offsetBytes, line) => {
      const reason = impossibleTrial(record);
      if (reason !== undefined) {
        this.#leftOut.add(file.name, line, reason);
        return;
      }
      const key = trialKey({ ...record, cell: { hash: record.cellHash } });
      if (latest.get(key)?.status === "complete") return;
      latest.delete(key);
      latest.set(key, record);
      if (record.status !== "complete") return;
      const begun = marks.findLast((mark) => mark.trialsBytes <= offsetBytes);
      this.#finished.set(record.trialId, {
        requestsFromBytes: begun?.requestsBytes ?? 0,
        chunksFromBytes: begun?.chunksBytes ?? 0,
      });
    });
    return [...latest.values()];
  }

  #visit<T>(file: RecordFile, visit: (record: T, offsetBytes: number, line: number) => void): void {
    this.#leftOut.restart(file.name);
    const path = join(this.path, file.name);
    const tail = eachLine(path, {
      line: (text, number, offsetBytes) => {
        const parsed = parseLine(text);
        const problem = parsed.fault ?? file.check(parsed.value);
        if (problem === undefined) visit(parsed.value as T, offsetBytes, number);
        else this.#damaged(path, file, number, problem);
      },
      unreadable: (reason, number) => this.#damaged(path, file, number, reason),
    });
    if (tail === "missing") {
      this.#tell({ kind: "missing-file", file: file.name, message: `${file.name} does not exist` });
    } else if (tail !== undefined) {
      // Only the newline may have been cut off: a line that is whole JSON and keeps every rule is a record.
      const parsed = isUtf8(tail.bytes)
        ? parseLine(tail.bytes.toString("utf8"))
        : { fault: "not UTF-8 text" };
      if (parsed.fault === undefined && file.check(parsed.value) === undefined)
        visit(parsed.value as T, tail.offsetBytes, tail.number);
      else
        this.#tell({
          kind: "torn-line",
          file: file.name,
          line: tail.number,
          message: `the last line of ${file.name} was cut off while it was written, and is left out`,
        });
    }
  }

  #damaged(path: string, file: RecordFile, number: number, problem: NonNullable<LineProblem>): void {
    if (typeof problem === "object") throw unknownVersion(`${path}:${number}`, problem.version, file.version);
    if (!this.#skipDamaged)
      throw new OperatorError("RUN_DAMAGED", {
        message: `line ${number} of ${path} is damaged`,
        received: problem,
        nextStep: "restore the file from a copy, or leave damaged lines out with --skip-damaged",
      });
    this.#tell({
      kind: "damaged-line",
      file: file.name,
      line: number,
      message: `line ${number} of ${basename(path)} is damaged and left out: ${problem}`,
    });
  }

  #tell(notice: RunNotice): void {
    this.#notices.set(`${notice.kind} ${notice.file} ${notice.line ?? ""}`, notice);
  }
}

type ParsedLine =
  | { readonly value: unknown; readonly fault?: undefined }
  | { readonly fault: string; readonly value?: undefined };

function parseLine(text: string): ParsedLine {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { fault: "not JSON" };
  }
}

/** Whether a request's line is its first. Ids are kept by trial: one set of all would end at 16 million. */
function firstLines(): (trialId: string, requestId: string) => boolean {
  const trials = new Map<string, Set<string>>();
  return (trialId, requestId) => {
    const seen = trials.get(trialId);
    if (seen === undefined) trials.set(trialId, new Set([requestId]));
    else if (seen.has(requestId)) return false;
    else seen.add(requestId);
    return true;
  };
}

/** `<trialId>/<agent>/<position>`: names hold no slash. */
function trialIdOf(requestId: string): string {
  const end = requestId.lastIndexOf("/", requestId.lastIndexOf("/") - 1);
  return end < 0 ? requestId : requestId.slice(0, end);
}

function resumeMark(event: EventRecord): ResumeMark | undefined {
  const sizes = event.data?.["fileBytes"];
  if (typeof sizes !== "object" || sizes === null) return undefined;
  const { requests, chunks, trials } = sizes as Record<string, unknown>;
  if (typeof requests !== "number" || typeof chunks !== "number" || typeof trials !== "number")
    return undefined;
  return { requestsBytes: requests, chunksBytes: chunks, trialsBytes: trials };
}
