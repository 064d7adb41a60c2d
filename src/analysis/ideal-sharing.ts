/** The null of one block: its own solo requests, played together on ideal devices. */
import type { AgentWork, IdealRun } from "./null-schedule.ts";
import { onOneAtATimeDevice, onSharedDevice } from "./null-schedule.ts";
import { TOLERATED_PAUSE_SHARE } from "./pauses.ts";
import type { Speedup } from "./speedup.ts";
import { trueSpeedup } from "./speedup.ts";

/** What a block would show on an ideal device. */
export interface IdealFigures {
  /** In the order of the agents. */
  readonly retention: readonly (number | undefined)[];
  readonly trueSpeedup: Speedup | undefined;
  /** Walls of the agents alone ÷ wall together: what aggregate gain would be. */
  readonly gain: number | undefined;
}

export interface SharingNull {
  /** 1/N, where it holds: agents alike, and none ever pauses. */
  readonly equalShare: number | undefined;
  readonly oneAtATime: IdealFigures;
  readonly shared: IdealFigures;
}

export function sharingNull(agents: readonly AgentWork[], alike: boolean): SharingNull {
  return {
    equalShare: alike && agents.every(neverPauses) ? 1 / agents.length : undefined,
    oneAtATime: idealFigures(agents, onOneAtATimeDevice),
    shared: idealFigures(agents, onSharedDevice),
  };
}

function neverPauses({ requests, everyMs }: AgentWork): boolean {
  const pausedMs = requests.reduce((total, request) => total + request.pauseMs, 0);
  return everyMs === undefined && pausedMs <= TOLERATED_PAUSE_SHARE * workMs({ requests });
}

function workMs({ requests }: Pick<AgentWork, "requests">): number {
  return requests.reduce((total, request) => total + request.workMs, 0);
}

function idealFigures(
  agents: readonly AgentWork[],
  device: (agents: readonly AgentWork[]) => IdealRun,
): IdealFigures {
  const together = device(agents);
  const wallsAloneMs = agents.reduce((total, agent) => total + device([agent]).wallMs, 0);
  return {
    retention: together.agents.map((agent) => agent.retention),
    trueSpeedup: trueSpeedup(agents.map(workMs), together.wallMs),
    gain: together.wallMs > 0 ? wallsAloneMs / together.wallMs : undefined,
  };
}
