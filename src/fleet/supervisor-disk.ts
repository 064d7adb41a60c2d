/**
 * The state directory as the supervisor needs it. An interface, so that tests can fill the disk,
 * tear a line, or end the supervisor between two bytes.
 */
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { OperatorError, messageOf, systemCodeOf } from "../core/errors.ts";
import { writeFileWhole, writeFully } from "../core/file.ts";

/**
 * What a text outlives once it is written. The kernel keeps what a killed process wrote, and writes
 * it out in its own time; only a power cut takes it, and waiting for the disk has cost 6 ms a line.
 */
export type Lasting = "power-cut" | "kill";

export interface StateDisk {
  /** Undefined when there is no such file. */
  read(name: string): string | undefined;
  /** A failed append leaves the file as it was. Throws DISK_FULL, DIRECTORY_UNWRITABLE. */
  append(name: string, text: string, lasting: Lasting): void;
  /** The old text or the new, never a half. Throws as {@link append}. */
  replace(name: string, text: string, lasting: Lasting): void;
  /** Keeps a copy of a file that cannot be read, for a person to look at, and returns its name. */
  setAside(name: string): string;
  /** Appends without waiting for the disk; the file is begun anew, the old one kept once, beyond this size. */
  note(name: string, text: string, limitBytes: number): void;
}

/** Presets stand in these files with their environments filled in, tokens among them. */
const PRIVATE_MODE = 0o600;

/** Damaged files are kept for a person to look at; more than this many nobody looks at. */
const MAX_SET_ASIDE = 20;

export function openStateDisk(directory: string): StateDisk {
  const refuseOtherFolder = guardFolder(directory);
  const at = (name: string): string => join(directory, name);
  const forWriting = (name: string): string => {
    refuseOtherFolder();
    return at(name);
  };
  return {
    read: (name) => readIfThere(at(name)),
    append: (name, text, lasting) =>
      appendTo(forWriting(name), text, lasting === "power-cut" ? fsyncSync : () => undefined),
    replace(name, text, lasting) {
      const path = forWriting(name);
      try {
        writeFileWhole(path, text, { mode: PRIVATE_MODE, durable: lasting === "power-cut" });
      } catch (thrown) {
        throw stateError(thrown instanceof Error ? (thrown.cause ?? thrown) : thrown, path);
      }
    },
    setAside(name) {
      let number = 1;
      while (number < MAX_SET_ASIDE && existsSync(at(`${name}.damaged-${number}`))) number++;
      const aside = `${name}.damaged-${number}`;
      copyFileSync(at(name), at(aside));
      chmodSync(at(aside), PRIVATE_MODE);
      return aside;
    },
    note(name, text, limitBytes) {
      const path = forWriting(name);
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (size + Buffer.byteLength(text) > limitBytes && size > 0) renameSync(path, `${path}.1`);
      appendTo(path, text, () => undefined);
    },
  };
}

/**
 * A folder that was deleted may be there again by its name, as the state of another supervisor,
 * and what is written into it would be read as that one's. Kept open, the first keeps its number.
 */
function guardFolder(directory: string): () => void {
  if (!existsSync(directory)) return () => undefined;
  const opened = openSync(directory, "r");
  return () => {
    const there = statSync(directory, { throwIfNoEntry: false });
    const { dev, ino } = fstatSync(opened);
    if (there?.dev === dev && there.ino === ino) return;
    throw new OperatorError("DIRECTORY_UNWRITABLE", {
      message: `the state directory ${directory} was deleted${there === undefined ? "" : " and made anew"} while its supervisor runs`,
      nextStep:
        "end this supervisor with Ctrl-C or SIGTERM: it stops its servers, and no other command reaches it any more",
    });
  };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    if (systemCodeOf(thrown) === "ENOENT") return undefined;
    throw stateError(thrown, path);
  }
}

function appendTo(path: string, text: string, settle: (descriptor: number) => void): void {
  try {
    const descriptor = openSync(path, "a", PRIVATE_MODE);
    try {
      const before = fstatSync(descriptor).size;
      try {
        writeFully(descriptor, Buffer.from(text));
        settle(descriptor);
      } catch (thrown) {
        // A half line would spoil the next one; cutting a file off needs no space.
        ftruncateSync(descriptor, before);
        throw thrown;
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (thrown) {
    throw stateError(thrown, path);
  }
}

function stateError(thrown: unknown, path: string): OperatorError {
  const code = systemCodeOf(thrown);
  const full = code === "ENOSPC" || code === "EDQUOT";
  return new OperatorError(full ? "DISK_FULL" : "DIRECTORY_UNWRITABLE", {
    message: full ? `no space left while writing ${path}` : `cannot use ${path}: ${messageOf(thrown)}`,
    received: code,
    nextStep: full
      ? "free some space and ask again; what ran goes on running"
      : "mend the permissions of the state directory and ask again; what ran goes on running",
    cause: thrown,
  });
}
