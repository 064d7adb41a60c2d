/** One turn of one agent in a role, measured or simulated: the two are judged by the same figures. */

/**
 * `done`: answered before the time was over. `refused`: it did not fit the context. `unfinished`:
 * the time was over; its tokens count for the throughput, its length for nothing.
 */
export type RoleTurnOutcome = "done" | "refused" | "failed" | "unfinished";

/** What a server did to a turn that was larger than its context. */
export type ContextFault =
  /** The prompt was cut. */
  | "truncated"
  /** The oldest tokens were dropped while the answer was written. */
  | "shifted"
  /** The answer ended where the context did. */
  | "cut";

export interface RoleTurn {
  readonly role: string;
  readonly agent: string;
  readonly outcome: RoleTurnOutcome;
  /** When it was due → its end, ms: what the agent waited. */
  readonly turnMs: number;
  /** Sent → end, ms; absent for one that was never sent. */
  readonly callMs?: number;
  /** Absent where the server did not say and nothing was counted. */
  readonly outputTokens?: number;
  /** Of these, the ones that came inside the window. */
  readonly windowTokens: number;
  readonly promptTokens?: number;
  readonly cachedTokens?: number;
  /** Its prompt begins with all that the agent's last turn was. */
  readonly continues: boolean;
  readonly contextFault?: ContextFault;
}
