/**
 * A loan: for a while the machine is somebody's to measure on. The borrower says which presets run,
 * each time as a switch with everything that belongs to one, and nobody else changes anything. What
 * ran before is noted on the disk with the loan, and comes back however the loan ends: given back,
 * its borrower gone, or its supervisor killed.
 */
import type { Preset } from "../preset/preset.ts";
import type { ControlProgress, SwitchReport } from "./control/protocol.ts";

export interface Loan {
  readonly id: string;
  /** Aborted with an OperatorError LOAN_OVER when it ends, whoever ended it. */
  readonly over: AbortSignal;
  /**
   * Makes exactly these run, or puts back what the call before left. Throws PREFLIGHT_FAILED while
   * nothing is touched, SWITCH_UNDER_WAY, LOAN_OVER; later failures are in the report.
   */
  use(
    presets: readonly Preset[],
    onProgress?: (progress: ControlProgress) => void,
    signal?: AbortSignal,
  ): Promise<SwitchReport>;
  /** Ends the loan; what ran before runs again as far as it can be had. A second call waits for the first. */
  giveBack(onProgress?: (progress: ControlProgress) => void): Promise<SwitchReport>;
}

/** What happens to servers of a loan and is not the borrower's doing. */
export type LoanTrouble =
  /** The watchdog has stepped in. The servers still run, and are the next to go. */
  | { readonly kind: "memory-short"; readonly message: string }
  /** A server ended, stalled, or was stopped. It is not started again: that it fell is what was measured. */
  | { readonly kind: "server-lost"; readonly preset: string; readonly message: string };

export type OnLoanTrouble = (trouble: LoanTrouble) => void;
