/** What a sweep needs of the machine it has borrowed. */
import type { FleetStatus, SwitchReport } from "../fleet/control/protocol.ts";
import type { OnLoanTrouble } from "../fleet/loan.ts";
import type { Preset } from "../preset/preset.ts";

export interface SweepMachine {
  /** Makes exactly these run. Throws PREFLIGHT_FAILED, LOAN_OVER; that a start failed is in the report. */
  use(presets: readonly Preset[], signal: AbortSignal): Promise<SwitchReport>;
  status(): Promise<FleetStatus>;
  /** What the preset's server has written since its last start. */
  log(presetName: string): readonly string[];
  /** The listener is told until the returned function is called. */
  onTrouble(listener: OnLoanTrouble): () => void;
  /** Aborted when the loan is over. */
  readonly over: AbortSignal;
}
