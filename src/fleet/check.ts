/** One thing that was looked at before a switch, or by `slipway preset check`. */
export interface Check {
  /** Stable, for scripts: `model-file`, `port`, `vram`, `host-memory`, `disk`, `foreign-gpu-users`, … */
  readonly id: string;
  /** Absent: it concerns the machine as a whole. */
  readonly preset?: string;
  readonly passed: boolean;
  /** A failed `error` refuses the switch; a failed `warning` is shown. */
  readonly severity: "error" | "warning" | "info";
  /** What was found, with its numbers. */
  readonly message: string;
  /** What to do about it; absent when it passed. */
  readonly remedy?: string;
}
