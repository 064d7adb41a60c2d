/**
 * `slipway logs`: reads the files that servers write themselves. Nobody is asked and nothing is
 * held up by it: a reader that stops reading must never stop a server (it did elsewhere, where logs
 * went through the supervisor).
 */
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { OperatorError, printable, systemCodeOf } from "../../core/errors.ts";
import { fileError } from "../../core/file.ts";
import { msToNs } from "../../core/units.ts";
import type { CliIo } from "../io.ts";

/** Often enough for a person who waits for a line; reading a file's size costs microseconds. */
const FOLLOW_POLL_MS = 250;

const READ_BYTES = 64 * 1024;

/** The last lines are looked for within this; more is asked for with a pager on the file itself. */
const MAX_TAIL_BYTES = 8 * 1024 * 1024;

/** Throws LOG_ABSENT. */
export function showLog(path: string, preset: string, lines: number, io: CliIo): void {
  const file = openLog(path, preset);
  try {
    write(tail(file, lines), io);
  } finally {
    closeSync(file);
  }
}

/** Until Ctrl-C. A log that is rotated is read to its end, then its successor from the beginning. */
export async function followLog(path: string, preset: string, lines: number, io: CliIo): Promise<void> {
  let file = openLog(path, preset);
  try {
    let position = fstatSync(file).size;
    write(tail(file, lines), io);
    for (;;) {
      position = copyFrom(file, position, io);
      if (wasReplaced(path, file)) {
        copyFrom(file, position, io);
        closeSync(file);
        file = openLog(path, preset);
        position = copyFrom(file, 0, io);
      }
      if (!(await paused(io))) return;
    }
  } finally {
    closeSync(file);
  }
}

async function paused({ clock, interrupted }: CliIo): Promise<boolean> {
  try {
    await clock.sleepUntil(clock.nowNs() + msToNs(FOLLOW_POLL_MS), interrupted);
    return true;
  } catch {
    return false;
  }
}

function openLog(path: string, preset: string): number {
  try {
    return openSync(path, "r");
  } catch (thrown) {
    if (systemCodeOf(thrown) !== "ENOENT") throw fileError(thrown, path);
    throw new OperatorError("LOG_ABSENT", {
      message: `there is no log of ${preset}: it was never started on this state directory`,
      received: path,
      nextStep: "slipway status shows what runs; give --state-dir if the supervisor has another",
    });
  }
}

/** The last lines, with the line ends between them. */
function tail(file: number, lines: number): Buffer {
  if (lines === 0) return Buffer.alloc(0);
  const { size } = fstatSync(file);
  let found = Buffer.alloc(0);
  let start = size;
  while (start > 0 && found.length < MAX_TAIL_BYTES) {
    const length = Math.min(READ_BYTES, start);
    start -= length;
    found = Buffer.concat([readAt(file, start, length), found]);
    const from = beginningOfLast(found, lines);
    if (from !== undefined) return found.subarray(from);
  }
  return found;
}

/** Where the last n lines begin; undefined when there are fewer in these bytes. */
function beginningOfLast(bytes: Buffer, lines: number): number | undefined {
  let at = bytes.length - 1;
  for (let seen = 0; at > 0; seen++) {
    at = bytes.lastIndexOf(0x0a, at - 1);
    if (at < 0) return undefined;
    if (seen + 1 === lines) return at + 1;
  }
  return undefined;
}

function copyFrom(file: number, position: number, io: CliIo): number {
  // Emptied in place, which some rotations do: what is there now is new.
  let at = fstatSync(file).size < position ? 0 : position;
  for (;;) {
    const bytes = readAt(file, at, READ_BYTES);
    if (bytes.length === 0) return at;
    write(bytes, io);
    at += bytes.length;
  }
}

function readAt(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(file, bytes, 0, length, position));
}

function wasReplaced(path: string, file: number): boolean {
  if (!existsSync(path)) return false;
  const now = statSync(path);
  const open = fstatSync(file);
  return now.ino !== open.ino || now.dev !== open.dev;
}

/** A terminal obeys control characters, and a log holds what strangers sent; a pipe gets the bytes as text. */
function write(bytes: Buffer, io: CliIo): void {
  if (bytes.length === 0) return;
  const text = bytes.toString("utf8");
  io.out(io.outIsTerminal ? text.split("\n").map(printable).join("\n") : text);
}
