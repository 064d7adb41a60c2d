/**
 * Whether agents pause. The wall of a trial then holds time in which nothing was asked of a
 * server, so that Σ work alone ÷ wall says how busy the agents were and not what sharing cost.
 */
import type { AgentTime } from "../record/trial-record.ts";
import type { AgentSpec } from "../workload/scenario.ts";
import { cadenceOf } from "../workload/scenario.ts";

/** Reading files and building prompts takes a few milliseconds between requests; it is no pause. */
export const TOLERATED_PAUSE_SHARE = 0.05;

export interface Pauses {
  readonly present: boolean;
  /**
   * The agents' time outside requests ÷ their time: cadence, files, own work. Waiting under an
   * in-flight limit is not in it, since that is a cost of sharing. `undefined` where no time is known.
   */
  readonly idleShare: number | undefined;
}

/** From the agents' times together and alone; `planned` are their specifications, where they are known. */
export function pausesOf(
  together: readonly AgentTime[],
  alone: readonly AgentTime[],
  planned: readonly (AgentSpec | undefined)[],
): Pauses {
  const share = idleShare(together);
  const most = Math.max(share ?? 0, idleShare(alone) ?? 0);
  return { present: planned.some(waitsByPlan) || most > TOLERATED_PAUSE_SHARE, idleShare: share };
}

function idleShare(times: readonly AgentTime[]): number | undefined {
  const totalMs = times.reduce((total, time) => total + time.totalMs, 0);
  // Requests of an external agent may overlap, and then take more than its time.
  const idleMs = times.reduce(
    (total, { totalMs: ownMs, requestMs, queueMs }) => total + Math.max(ownMs - requestMs - queueMs, 0),
    0,
  );
  return totalMs > 0 ? idleMs / totalMs : undefined;
}

function waitsByPlan(agent: AgentSpec | undefined): boolean {
  if (agent === undefined) return false;
  const cadence = cadenceOf(agent);
  return "everyMs" in cadence ? cadence.everyMs > 0 : cadence.thinkMs > 0;
}
