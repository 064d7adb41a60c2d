/** `slipway logs -f`: the lines of a log as they come, through rotations. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { Clock } from "../core/clock.ts";
import { BYTES_PER_MIB, formatBytes, msToNs } from "../core/units.ts";
import { LogLineReader } from "./log-line.ts";

/** Short for a person who watches. File notices would come faster, and not at all on network file systems. */
export const FOLLOW_POLL_MS = 250;

/** Most that is read at one look; a flood beyond it is passed over, as nobody can read it. */
const MOST_PER_LOOK_BYTES = BYTES_PER_MIB;

/**
 * Lines written from now on, fit to be shown, until the signal is aborted. A log that does not exist
 * yet is waited for; one that was cut or replaced is read from its beginning. Lines are held back
 * while the reader is busy, and never more than one look's worth is in memory.
 */
export async function* followLog(path: string, clock: Clock, signal: AbortSignal): AsyncGenerator<string> {
  let reader = new LogLineReader();
  let before = look(path, undefined);
  while (!signal.aborted) {
    const now = look(path, before);
    if (now.beganAnew) reader = new LogLineReader();
    if (now.passedOverBytes > 0) yield `… ${formatBytes(now.passedOverBytes)} passed over …`;
    yield* reader.push(now.bytes);
    before = now;
    if (now.bytes.length === 0) await sleep(clock, signal);
  }
}

interface Look {
  /** Absent while there is no file. */
  readonly file?: number;
  readonly atBytes: number;
  readonly bytes: Buffer;
  readonly passedOverBytes: number;
  readonly beganAnew: boolean;
}

const NOTHING = Buffer.alloc(0);

/** The first look finds the end and reads nothing. */
function look(path: string, before: Look | undefined): Look {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch {
    return { atBytes: 0, bytes: NOTHING, passedOverBytes: 0, beganAnew: false };
  }
  try {
    const { ino: file, size } = fstatSync(descriptor);
    if (before === undefined)
      return { file, atBytes: size, bytes: NOTHING, passedOverBytes: 0, beganAnew: false };
    const beganAnew = file !== before.file || size < before.atBytes;
    const unread = beganAnew ? 0 : before.atBytes;
    const from = Math.max(unread, size - MOST_PER_LOOK_BYTES);
    const bytes = Buffer.alloc(size - from);
    const read = readSync(descriptor, bytes, 0, bytes.length, from);
    return {
      file,
      atBytes: from + read,
      bytes: bytes.subarray(0, read),
      passedOverBytes: from - unread,
      beganAnew,
    };
  } finally {
    closeSync(descriptor);
  }
}

async function sleep(clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleepUntil(clock.nowNs() + msToNs(FOLLOW_POLL_MS), signal);
  } catch {
    // Aborted: the loop sees it.
  }
}
