/**
 * What sharing one device must cost, before anything is wrong with the server. 1/N is the answer
 * only for agents that never pause and are alike; for any other schedule the same requests are
 * played on two ideal devices: one that serves one request at a time, first come first served,
 * and one that divides itself evenly among all requests present (processor sharing). The amount
 * of work of each request is what it took alone. Both are exact simulations of events, not steps.
 */
import { EarliestQueue } from "./earliest-queue.ts";

export interface RequestWork {
  /** What the request takes alone. */
  readonly workMs: number;
  /** From the previous end (for the first: from the barrier) to this request; unused after the first under `everyMs`. */
  readonly pauseMs: number;
}

export interface AgentWork {
  readonly agent: string;
  readonly requests: readonly RequestWork[];
  /** Start to start: the next request is due at max(previous due + everyMs, previous end). */
  readonly everyMs?: number;
}

export interface IdealAgent {
  readonly agent: string;
  /** Σ work ÷ Σ (end − sent): the throughput it keeps. */
  readonly retention: number | undefined;
}

export interface IdealRun {
  readonly agents: readonly IdealAgent[];
  /** Barrier → last end. */
  readonly wallMs: number;
}

/** Where an agent is in its list of requests. */
interface Cursor {
  readonly work: AgentWork;
  /** Place among the agents: who is served first of those that came at the same time. */
  readonly rank: number;
  index: number;
  dueMs: number;
  responseMs: number;
}

/** One request at a time; who came first is served first. */
export function onOneAtATimeDevice(agents: readonly AgentWork[]): IdealRun {
  const cursors = cursorsOf(agents);
  const waiting = queueOf(cursors);
  let freeMs = 0;
  for (let next = waiting.take(); next !== undefined; next = waiting.take()) {
    freeMs = Math.max(freeMs, next.dueMs) + workOf(next);
    if (complete(next, freeMs)) waiting.add(next.dueMs, next.rank, next);
  }
  return idealRun(cursors, freeMs);
}

/**
 * Every request present gets an equal part of the device at every moment. `served` is how much
 * work each of them has had since the beginning, so a request that came at `served` = s with work
 * w is done at `served` = s + w, whoever comes and goes meanwhile (virtual time, as in fair queueing).
 */
export function onSharedDevice(agents: readonly AgentWork[]): IdealRun {
  const cursors = cursorsOf(agents);
  const waiting = queueOf(cursors);
  const present = new EarliestQueue<Cursor>();
  let nowMs = 0;
  let served = 0;
  for (;;) {
    const arrivalMs = waiting.earliest ?? Infinity;
    const doneAt = present.earliest;
    if (doneAt === undefined && arrivalMs === Infinity) return idealRun(cursors, nowMs);
    const completionMs = doneAt === undefined ? Infinity : nowMs + (doneAt - served) * present.size;
    if (doneAt === undefined || completionMs > arrivalMs) {
      if (present.size > 0) served += (arrivalMs - nowMs) / present.size;
      nowMs = arrivalMs;
      const arrived = waiting.take();
      if (arrived !== undefined) present.add(served + workOf(arrived), arrived.rank, arrived);
      continue;
    }
    nowMs = completionMs;
    served = doneAt;
    const done = present.take();
    if (done !== undefined && complete(done, nowMs)) waiting.add(done.dueMs, done.rank, done);
  }
}

function cursorsOf(agents: readonly AgentWork[]): readonly Cursor[] {
  return agents.map((work, rank) => ({
    work,
    rank,
    index: 0,
    dueMs: work.requests[0]?.pauseMs ?? 0,
    responseMs: 0,
  }));
}

function queueOf(cursors: readonly Cursor[]): EarliestQueue<Cursor> {
  const queue = new EarliestQueue<Cursor>();
  for (const cursor of cursors)
    if (cursor.work.requests.length > 0) queue.add(cursor.dueMs, cursor.rank, cursor);
  return queue;
}

function workOf({ work, index }: Cursor): number {
  return work.requests[index]?.workMs ?? 0;
}

/** Ends the agent's request and makes its next one due; false when it was the last. */
function complete(cursor: Cursor, endMs: number): boolean {
  cursor.responseMs += endMs - cursor.dueMs;
  cursor.index++;
  const next = cursor.work.requests[cursor.index];
  if (next === undefined) return false;
  const { everyMs } = cursor.work;
  cursor.dueMs = everyMs === undefined ? endMs + next.pauseMs : Math.max(cursor.dueMs + everyMs, endMs);
  return true;
}

function idealRun(cursors: readonly Cursor[], wallMs: number): IdealRun {
  return {
    wallMs,
    agents: cursors.map(({ work, responseMs }) => {
      const workMs = work.requests.reduce((total, request) => total + request.workMs, 0);
      return { agent: work.agent, retention: responseMs > 0 ? workMs / responseMs : undefined };
    }),
  };
}
