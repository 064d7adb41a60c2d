/**
 * Each preset's output, in one file that its server writes by itself and that we keep small.
 *
 * A log is rotated by copying and cutting off: the server holds the file open, and since it was
 * opened for appending, its next write begins at the new end. What is written between the last
 * copied byte and the cut is lost, which is microseconds of output; of a log that grew by more than
 * the limit between two looks, only the last part is copied.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Timer } from "../core/clock.ts";
import { fileError, makeFolder, writeFully } from "../core/file.ts";
import { BYTES_PER_MIB, msToNs } from "../core/units.ts";
import { LogLineReader } from "./log-line.ts";

export interface LogLimits {
  /** A log beyond this is rotated. llama-server writes about 1 KB a request: some ten thousand requests. */
  readonly fileBytes: number;
  /** Older parts kept beside the log. */
  readonly generations: number;
  /** All logs and their older parts together; the oldest parts go first. */
  readonly folderBytes: number;
}

export const LOG_LIMITS: LogLimits = {
  fileBytes: 16 * BYTES_PER_MIB,
  generations: 2,
  folderBytes: 512 * BYTES_PER_MIB,
};

/** A server that floods a fast disk writes about a gigabyte between two looks. */
const LOOK_EVERY_MS = 2_000;

/** Longest part of a log that is read to show its end: a thousand long lines. */
const TAIL_BYTES = BYTES_PER_MIB;

const COPY_BYTES = BYTES_PER_MIB;

/** Logs hold what was asked of servers. */
const PRIVATE_MODE = 0o600;

/** Stands before each start's output, so that an earlier start's last words are not taken for this one's. */
const START_MARK = "=== slipway starts ";

export function logPath(logFolder: string, presetName: string): string {
  return join(logFolder, `${presetName}.log`);
}

export interface TailOptions {
  readonly lines: number;
  /** `last-start`: nothing from before the server was started last. */
  readonly from: "last-start" | "anywhere";
}

/** The last lines, fit to be shown; none when there is no log. Reads the end only, of the part rotated away too. */
export function tailLog(path: string, { lines, from }: TailOptions): readonly string[] {
  const live = readEnd(path, TAIL_BYTES);
  const older = live.length < TAIL_BYTES ? readEnd(generation(path, 1), TAIL_BYTES - live.length) : undefined;
  const reader = new LogLineReader();
  const all = [...(older === undefined ? [] : reader.push(older)), ...reader.push(live), ...reader.rest()];
  const lastStart = all.findLastIndex((line) => line.startsWith(START_MARK));
  const wanted = from === "last-start" ? all.slice(lastStart + 1) : all;
  return lines === 0 ? [] : wanted.slice(-lines);
}

export interface ServerLogs {
  /**
   * Opens a preset's log for a server that is about to start, and notes the start in it. The caller
   * closes the descriptor. Throws DIRECTORY_UNWRITABLE.
   */
  open(presetName: string, serverId: string): number;
  tail(presetName: string, lines: number): readonly string[];
  /** Looks at every log now. Never throws: a log that cannot be rotated is looked at again. */
  rotate(): Promise<void>;
  /** Ends the looking. */
  close(): void;
}

/** Begins to look after the logs in this folder, which is made when it is missing. Throws DIRECTORY_UNWRITABLE. */
export function keepServerLogs(folder: string, clock: Clock, limits: LogLimits = LOG_LIMITS): ServerLogs {
  try {
    makeFolder(folder);
  } catch (thrown) {
    throw fileError(thrown, folder);
  }
  let timer: Timer | undefined;
  let rotating: Promise<void> | undefined;
  const rotate = (): Promise<void> => {
    rotating ??= rotateAll(folder, limits).finally(() => {
      rotating = undefined;
    });
    return rotating;
  };
  const look = (): void => {
    timer = clock.timerAt(clock.nowNs() + msToNs(LOOK_EVERY_MS), () => {
      look();
      void rotate();
    });
  };
  look();
  return {
    open: (presetName, serverId) => openLog(logPath(folder, presetName), `${clock.wallIso()} ${serverId}`),
    tail: (presetName, lines) => tailLog(logPath(folder, presetName), { lines, from: "last-start" }),
    rotate,
    close: () => timer?.cancel(),
  };
}

function openLog(path: string, start: string): number {
  try {
    const { O_APPEND, O_CREAT, O_WRONLY } = constants;
    const descriptor = openSync(path, O_APPEND | O_CREAT | O_WRONLY, PRIVATE_MODE);
    try {
      // Whatever was written last may lack its line end.
      const newLine = fstatSync(descriptor).size === 0 ? "" : "\n";
      writeSync(descriptor, `${newLine}${START_MARK}${start} ===\n`);
    } catch {
      // A full disk: the mark is missed, and the server runs all the same.
    }
    return descriptor;
  } catch (thrown) {
    throw fileError(thrown, path);
  }
}

function generation(path: string, number: number): string {
  return `${path}.${number}`;
}

async function rotateAll(folder: string, limits: LogLimits): Promise<void> {
  for (const name of namesIn(folder))
    if (name.endsWith(".log")) await rotateOne(join(folder, name), limits).catch(() => undefined);
  dropOldest(folder, limits.folderBytes);
}

async function rotateOne(path: string, limits: LogLimits): Promise<void> {
  if (statSync(path).size <= limits.fileBytes) return;
  const source = await open(path, "r+");
  try {
    try {
      for (let number = limits.generations; number > 1; number--)
        if (sizeOf(generation(path, number - 1)) !== undefined)
          renameSync(generation(path, number - 1), generation(path, number));
      await copyEnd(source, generation(path, 1), limits.fileBytes);
    } catch {
      // No space for a copy, mostly. Room for what comes is worth more than what was: cut all the same.
      for (let number = 1; number <= limits.generations; number++)
        rmSync(generation(path, number), { force: true, recursive: true });
    }
    ftruncateSync(source.fd, 0);
  } finally {
    await source.close();
  }
}

async function copyEnd(source: FileHandle, to: string, longestBytes: number): Promise<void> {
  const target = await open(to, "w", PRIVATE_MODE);
  try {
    let at = Math.max(0, (await source.stat()).size - longestBytes);
    const endAt = at + longestBytes;
    const piece = Buffer.alloc(COPY_BYTES);
    while (at < endAt) {
      const { bytesRead } = await source.read(piece, 0, Math.min(piece.length, endAt - at), at);
      if (bytesRead === 0) break;
      await target.write(piece.subarray(0, bytesRead));
      at += bytesRead;
    }
    // What came meanwhile is copied in one breath with the cut that follows.
    const meanwhile = readSync(source.fd, piece, 0, piece.length, at);
    writeFully(target.fd, piece.subarray(0, meanwhile));
  } finally {
    await target.close();
  }
}

function dropOldest(folder: string, mostBytes: number): void {
  const files = namesIn(folder).flatMap((name) => {
    const facts = statSync(join(folder, name), { throwIfNoEntry: false });
    return facts === undefined ? [] : [{ name, bytes: facts.size, changedMs: facts.mtimeMs }];
  });
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const parts = files.filter(({ name }) => /\.log\.\d+$/.test(name));
  for (const part of parts.toSorted((one, other) => one.changedMs - other.changedMs)) {
    if (bytes <= mostBytes) return;
    rmSync(join(folder, part.name), { force: true });
    bytes -= part.bytes;
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

/** The end of a file, from the beginning of a line where there is one; empty when there is no file. */
function readEnd(path: string, longestBytes: number): Buffer {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch {
    return Buffer.alloc(0);
  }
  try {
    const { size } = fstatSync(descriptor);
    const from = Math.max(0, size - longestBytes);
    const bytes = Buffer.alloc(size - from);
    const read = readSync(descriptor, bytes, 0, bytes.length, from);
    const end = bytes.subarray(0, read);
    return from === 0 ? end : end.subarray(end.indexOf(0x0a) + 1);
  } finally {
    closeSync(descriptor);
  }
}
