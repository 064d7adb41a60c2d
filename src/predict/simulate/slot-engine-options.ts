/** What kind of server is simulated. */
import type { StepTimeModel } from "../step-time.ts";
import type { LoadSettings } from "./simulated-request.ts";

export type ServingMode = "continuous" | "sequential" | "time-shared";

export interface SlotEngineOptions {
  readonly time: StepTimeModel;
  readonly mode: ServingMode;
  readonly slots: number;
  /** Tokens one step may carry, prompt and output together. */
  readonly batchTokens: number;
  readonly defaults: LoadSettings;
  /** Cells of one cache that all slots share. Absent: each slot has its own, as long as its context. */
  readonly poolTokens?: number;
  /** One load of the model. 0: it is always there. */
  readonly loadNs: number;
  /** Relative standard deviation of a step's duration. */
  readonly jitter: number;
  /** Everything takes 1/speed of its time. */
  readonly speed: number;
  readonly seed: number;
}
