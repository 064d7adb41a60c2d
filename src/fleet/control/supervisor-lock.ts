/**
 * The supervisor's folder. Its lock decides who the supervisor is: a socket or a number in a file
 * can be left over from a dead one, a lock names the process together with its start.
 */
import { lstatSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { OperatorError, systemCodeOf } from "../../core/errors.ts";
import { fileError, makeFolder } from "../../core/file.ts";
import { type LockPurpose, type ProcessLock, acquireProcessLock } from "../../core/process-lock.ts";

/** Only its owner may enter: the socket in it can stop every server, and logs hold what was asked of them. */
const PRIVATE_MODE = 0o700;

export function controlSocketPath(stateDirectory: string): string {
  return join(stateDirectory, "control.sock");
}

/**
 * Makes the folder where it is missing and takes its lock. Throws SUPERVISOR_RUNNING while another
 * supervisor lives, DIRECTORY_UNWRITABLE for a folder that other users may enter.
 */
export function lockStateDirectory(path: string): ProcessLock {
  try {
    makeFolder(dirname(path));
    mkdirSync(path, { mode: PRIVATE_MODE });
  } catch (thrown) {
    if (systemCodeOf(thrown) !== "EEXIST") throw stateDirectoryError(thrown, path);
  }
  refuseSharedDirectory(path);
  const refusal: LockPurpose["refusal"] = (lock, holder) =>
    new OperatorError("SUPERVISOR_RUNNING", {
      message:
        holder === undefined
          ? "several supervisors try to start on this state directory at once"
          : `a supervisor runs on this state directory already: process ${holder.pid} on ${holder.host}`,
      received: path,
      nextStep: `ask it with slipway status, change its mode with slipway mode switch <mode>, or end it with slipway down; if its machine is gone for good, delete ${lock}`,
    });
  return acquireProcessLock(path, { name: "supervisor", refusal });
}

function refuseSharedDirectory(path: string): void {
  const facts = lstatSync(path);
  const mode = facts.mode & 0o777;
  if (facts.isDirectory() && (mode & 0o077) === 0 && facts.uid === process.getuid?.()) return;
  throw new OperatorError("DIRECTORY_UNWRITABLE", {
    message: `${path} is not a folder of yours alone, and whoever reaches the socket in it may stop every server`,
    received: `mode ${mode.toString(8).padStart(4, "0")}, owner ${facts.uid}`,
    nextStep: `close it to others with chmod 700 ${path}, or give another folder with --state-dir`,
  });
}

function stateDirectoryError(thrown: unknown, path: string): OperatorError {
  const { code, message, received } = fileError(thrown, path);
  return new OperatorError(code, {
    message,
    received,
    nextStep: "give a folder that can be written with --state-dir, or mend its permissions",
    cause: thrown,
  });
}
