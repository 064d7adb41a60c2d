/** One line of `trials.jsonl`: one execution of one cell, written when it ends. */

export const TRIAL_RECORD_VERSION = 1;

/** `solo`: one agent's requests alone. `together`: all agents of the scenario. */
export type TrialKind = "solo" | "together";

/** The parts of one agent's time, milliseconds. They sum to `totalMs` within rounding. */
export interface AgentTime {
  readonly agent: string;
  /** Barrier → the agent's last end. */
  readonly totalMs: number;
  /** Inside requests: Σ (end − sent), first attempts and retries. */
  readonly requestMs: number;
  readonly fileMs: number;
  /** Cadence and think time. */
  readonly waitMs: number;
  /** Waiting under an endpoint's in-flight limit. */
  readonly queueMs: number;
  /** Whatever is left: building prompts, event-loop delay, an external agent's own work. */
  readonly otherMs: number;
  readonly requests: number;
  readonly failures: number;
  /** External agents only. */
  readonly process?: ExternalProcessFacts;
}

export interface ExternalProcessFacts {
  /** Spawn → first request received. */
  readonly startupMs?: number;
  readonly rssPeakBytes?: number;
  readonly exitCode?: number;
}

export interface ClientHealth {
  /** Event-loop delay of the measuring process during the trial. */
  readonly loopLagMsP99?: number;
  readonly loopLagMsMax?: number;
  /** CPU time of the measuring process ÷ wall, percent of one core. */
  readonly cpuPct?: number;
  readonly gcMs?: number;
}

export interface TrialWarning {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

export type TrialStatus = "complete" | "incomplete" | "interrupted";

export interface TrialRecord {
  readonly v: typeof TRIAL_RECORD_VERSION;
  readonly trialId: string;
  /** The cell's key: hash of its full specification. */
  readonly cellHash: string;
  readonly cell: string;
  readonly scenario: string;
  /** Parameters of the cell, as the matrix set them. */
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  readonly kind: TrialKind;
  /** The agent of a solo trial. */
  readonly soloAgent?: string;
  /** The agents whose baseline a solo trial is: those that differ from `soloAgent` only in name, itself included. */
  readonly soloFor?: readonly string[];
  /** Repeat 0 … runs − 1; solo and together trials of one repeat form a block. */
  readonly repeat: number;
  /** Place in the executed order of the run. */
  readonly order: number;
  readonly agents: readonly string[];
  /** Wall time of the trial's origin: the only place where wall time stands. */
  readonly originIso: string;
  /** The origin itself on the monotonic clock of this host, for joining with telemetry. */
  readonly originMonotonicNs: number;
  /** Barrier and end, from the origin. */
  readonly barrierNs: number;
  readonly endNs: number;
  /** How long the set time of the trial was, from the barrier; absent where agents did their requests and ended. */
  readonly windowNs?: number;
  readonly agentTimes: readonly AgentTime[];
  readonly client: ClientHealth;
  /** Hash of the effective settings read back from every endpoint; equal hashes are repeats. */
  readonly effectiveHash?: string;
  readonly status: TrialStatus;
  readonly failures: number;
  readonly warnings: readonly TrialWarning[];
  readonly simulated: boolean;
}
