import type { AgentTime } from "../record/trial-record.ts";
import { mean } from "../stats/quantile.ts";

/** Where an agent's time went, means over trials. The first is the whole, the next five its parts. */
export interface TimeParts {
  readonly totalMs: number;
  readonly requestMs: number;
  readonly fileMs: number;
  readonly waitMs: number;
  readonly queueMs: number;
  readonly otherMs: number;
  /** External agents only: from starting the process to its first request, and its largest memory. */
  readonly startupMs: number | undefined;
  readonly rssPeakBytes: number | undefined;
}

/** `undefined` where no trial has a time for the agent. */
export function meanTimeParts(times: readonly AgentTime[]): TimeParts | undefined {
  const over = (part: (time: AgentTime) => number): number => mean(times.map(part)) as number;
  const known = (part: (time: AgentTime) => number | undefined): number | undefined =>
    mean(times.map(part).filter((value) => value !== undefined));
  if (times.length === 0) return undefined;
  return {
    totalMs: over((time) => time.totalMs),
    requestMs: over((time) => time.requestMs),
    fileMs: over((time) => time.fileMs),
    waitMs: over((time) => time.waitMs),
    queueMs: over((time) => time.queueMs),
    otherMs: over((time) => time.otherMs),
    startupMs: known((time) => time.process?.startupMs),
    rssPeakBytes: known((time) => time.process?.rssPeakBytes),
  };
}
