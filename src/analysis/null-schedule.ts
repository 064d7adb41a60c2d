/**
 * What sharing one device must cost, before anything is wrong with the server. 1/N is the answer
 * only for agents that never pause and are alike; for any other schedule the same requests are
 * played on two ideal devices: one that serves one request at a time, first come first served,
 * and one that divides itself evenly among all requests present (processor sharing). The amount
 * of work of each request is what it took alone. Both are exact simulations of events, not steps.
 */

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
  index: number;
  dueMs: number;
  responseMs: number;
  remainingMs: number;
}

/** One request at a time; who came first is served first, ties in the order of the agents. */
export function onOneAtATimeDevice(agents: readonly AgentWork[]): IdealRun {
  const cursors = agents.map(firstCursor);
  let freeMs = 0;
  for (;;) {
    const next = earliestDue(cursors.filter(hasRequest));
    if (next === undefined) return idealRun(cursors, freeMs);
    freeMs = Math.max(freeMs, next.dueMs) + next.remainingMs;
    complete(next, freeMs);
  }
}

/** Every request present gets an equal part of the device at every moment. */
export function onSharedDevice(agents: readonly AgentWork[]): IdealRun {
  const cursors = agents.map(firstCursor);
  let nowMs = 0;
  for (;;) {
    const waiting = cursors.filter(hasRequest);
    if (waiting.length === 0) return idealRun(cursors, nowMs);
    const active = waiting.filter((cursor) => cursor.dueMs <= nowMs);
    const arrival = earliestDue(waiting.filter((cursor) => cursor.dueMs > nowMs))?.dueMs ?? Infinity;
    if (active.length === 0) {
      nowMs = arrival;
      continue;
    }
    const shortest = active.reduce((least, cursor) => Math.min(least, cursor.remainingMs), Infinity);
    const completion = nowMs + shortest * active.length;
    if (completion > arrival) {
      serve(active, (arrival - nowMs) / active.length);
      nowMs = arrival;
      continue;
    }
    nowMs = completion;
    // Who is done is decided before serving: subtracting would leave rounding where 0 belongs.
    const done = active.filter((cursor) => cursor.remainingMs === shortest);
    serve(active, shortest);
    for (const cursor of done) complete(cursor, nowMs);
  }
}

function serve(active: readonly Cursor[], shareMs: number): void {
  for (const cursor of active) cursor.remainingMs = Math.max(cursor.remainingMs - shareMs, 0);
}

function firstCursor(work: AgentWork): Cursor {
  const first = work.requests[0];
  return {
    work,
    index: 0,
    dueMs: first?.pauseMs ?? 0,
    responseMs: 0,
    remainingMs: first?.workMs ?? 0,
  };
}

function hasRequest(cursor: Cursor): boolean {
  return cursor.index < cursor.work.requests.length;
}

function earliestDue(cursors: readonly Cursor[]): Cursor | undefined {
  return cursors.reduce<Cursor | undefined>(
    (first, cursor) => (first === undefined || cursor.dueMs < first.dueMs ? cursor : first),
    undefined,
  );
}

function complete(cursor: Cursor, endMs: number): void {
  cursor.responseMs += endMs - cursor.dueMs;
  cursor.index++;
  const next = cursor.work.requests[cursor.index];
  if (next === undefined) return;
  const { everyMs } = cursor.work;
  cursor.dueMs = everyMs === undefined ? endMs + next.pauseMs : Math.max(cursor.dueMs + everyMs, endMs);
  cursor.remainingMs = next.workMs;
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
