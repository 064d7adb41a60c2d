/** One writer per run. */
import { OperatorError } from "../core/errors.ts";
import {
  type LockPurpose,
  type ProcessLock,
  acquireProcessLock,
  isProcessLocked,
} from "../core/process-lock.ts";

export type RunLock = ProcessLock;

const WRITER = "writer";

/** Throws RUN_LOCKED while another living process holds the lock, or this one does already. */
export function acquireRunLock(directory: string): RunLock {
  const refusal: LockPurpose["refusal"] = (lock, holder) =>
    new OperatorError("RUN_LOCKED", {
      message: `another process writes the run ${directory}`,
      received:
        holder === undefined
          ? "several processes try to write it at the same time"
          : `process ${holder.pid} on ${holder.host} writes it`,
      nextStep: `wait for it or stop it; if its machine is gone for good, delete ${lock}`,
    });
  return acquireProcessLock(directory, { name: WRITER, refusal });
}

/** Whether a living process writes the run. */
export function isRunLocked(directory: string): boolean {
  return isProcessLocked(directory, WRITER);
}
