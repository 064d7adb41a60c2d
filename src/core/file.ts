/** Files: whole ones are replaced by rename, so that a reader sees the old or the new, never a half. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { OperatorError, messageOf, systemCodeOf } from "./errors.ts";

/** Turns what the file system threw into an operator error that names the path and the way out. */
export function fileError(thrown: unknown, path: string): OperatorError {
  const code = systemCodeOf(thrown);
  if (code === "ENOSPC" || code === "EDQUOT")
    return new OperatorError("DISK_FULL", {
      message: `no space left while writing ${path}`,
      received: code,
      nextStep: "free some space and run again with --resume <run>; what was written is kept",
      cause: thrown,
    });
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "ENOTDIR")
    return new OperatorError("DIRECTORY_UNWRITABLE", {
      message: `cannot write ${path}`,
      received: code,
      nextStep: "give a writable directory with --runs-dir, or mend its permissions",
      cause: thrown,
    });
  if (code === "ENOENT" || code === "EISDIR")
    return new OperatorError("FILE_NOT_FOUND", {
      message: `cannot read ${path}`,
      received: code,
      nextStep: "check the path",
      cause: thrown,
    });
  return new OperatorError("DIRECTORY_UNWRITABLE", {
    message: `cannot use ${path}: ${messageOf(thrown)}`,
    received: code,
    nextStep: "check the disk and the path",
    cause: thrown,
  });
}

/** Reads a text file; the error names the path. */
export function readTextFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    throw fileError(thrown, path);
  }
}

/** Writes every byte or throws; a full disk can make write(2) stop short. */
export function writeFully(descriptor: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(descriptor, bytes, written, bytes.length - written);
}

/**
 * Makes a folder and what is missing above it, one at a time. Node's own recursive form never
 * returns below /proc (seen in 20.20) and reports ENOENT for a read-only file system.
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  const above = dirname(path);
  if (above !== path) makeFolder(above);
  try {
    mkdirSync(path);
  } catch (thrown) {
    // Another process may have been faster.
    if (systemCodeOf(thrown) !== "EEXIST") throw thrown;
  }
}

/** `force` does not forgive a path that leads through a file, and the first error is the one to tell. */
function removeIfThere(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // There was nothing to remove.
  }
}

export interface WholeFileOptions {
  /** Permissions of the new file, before the umask; those of the one that it replaces are not taken over. */
  readonly mode?: number;
  /** False: a power cut may bring back the old text, or leave none; a process that is killed changes nothing. */
  readonly durable?: boolean;
}

/** Temporary name in the same folder, fsync, rename. */
export function writeFileWhole(
  path: string,
  text: string,
  { mode = 0o666, durable = true }: WholeFileOptions = {},
): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    makeFolder(dirname(path));
    const descriptor = openSync(temporary, "w", mode);
    try {
      writeFully(descriptor, Buffer.from(text));
      if (durable) fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (thrown) {
    removeIfThere(temporary);
    throw fileError(thrown, path);
  }
}
