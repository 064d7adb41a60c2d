import type { Clock } from "../core/clock.ts";
import type { GenerateLimits } from "../engines/engine.ts";
import type { RecordSink } from "../record/record-sink.ts";
import type { CorpusFile } from "../workload/agent-program.ts";
import type { TrialWindow } from "./trial-window.ts";

/** What every agent of a trial shares. */
export interface TrialContext {
  readonly clock: Clock;
  readonly sink: RecordSink;
  readonly trialId: string;
  /** Keys the random streams: with cold prompts it differs in every trial. */
  readonly promptKey: string | number;
  readonly promptCold: boolean;
  readonly seed: number;
  readonly originNs: number;
  readonly limits: GenerateLimits & { readonly agentMs: number };
  readonly retries: number;
  /** Aborts when the run is interrupted, and when the trial's window is over. */
  readonly signal: AbortSignal;
  /** Of a trial of a set time. */
  readonly window?: TrialWindow;
  readonly readCorpus: () => Promise<readonly CorpusFile[]>;
  readonly onProgress?: (agent: string, textEvents: number) => void;
  /** `failure` says why, for a person: code and message. */
  readonly onRequestEnd?: (agent: string, failure: string | undefined) => void;
}
