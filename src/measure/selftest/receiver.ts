/**
 * The measuring side of the self-test: the same transport, exchange and decoder that a benchmark
 * uses, pointed at the emitter. Its stamps are compared with those that the events carry.
 */
import type { Clock } from "../../core/clock.ts";
import { OperatorError } from "../../core/errors.ts";
import { MS_PER_S, NS_PER_S, msToNs, nsToMs } from "../../core/units.ts";
import type { Completion } from "../../engines/engine.ts";
import { generate } from "../../engines/generate.ts";
import type { GenerateTarget } from "../../engines/generate.ts";
import type { ErrorFigures } from "./error-figures.ts";
import { describeErrors } from "./error-figures.ts";
import { readStampsNs, timetableRequest } from "./wire.ts";

/** `spread`: streams take turns within a gap. `lockstep`: all write at once, as a batching engine does. */
export type ArrivalPattern = "spread" | "lockstep";

/** One cell of the grid. */
export interface CellPlan {
  readonly streams: number;
  readonly tokensPerS: number;
  readonly pattern: ArrivalPattern;
  readonly seconds: number;
}

export interface CellMeasurement {
  readonly plan: CellPlan;
  readonly events: number;
  /** Streams that failed or lost an event. */
  readonly brokenStreams: number;
  readonly offeredEventsPerS: number;
  /** As the emitter wrote them, from the first to the last. */
  readonly writtenEventsPerS: number;
  /** Receive − write of each stream's first event: the error of a TTFT. */
  readonly firstEvents: ErrorFigures;
  /** Of all events written in the start burst, of all after it, and of both. */
  readonly startBurst: ErrorFigures;
  readonly steady: ErrorFigures;
  readonly all: ErrorFigures;
  /** Events that came in one read with an earlier event of their stream, percent. */
  readonly sharedStampPct: number;
}

/** From the barrier to the first event: a short prompt on a fast engine. Requests still leave while it answers. */
const FIRST_EVENT_DELAY_MS = 5;

/** What counts as the start: connections warm up, buffers grow and code is compiled within it. */
const START_BURST_MS = 250;

/** A stream that falls this far behind its timetable is broken. */
const GIVE_UP_MS = 30_000;

export async function measureCell(
  plan: CellPlan,
  target: GenerateTarget,
  context: { readonly clock: Clock; readonly signal?: AbortSignal },
): Promise<CellMeasurement> {
  const { clock, signal } = context;
  const gapNs = Math.round(NS_PER_S / plan.tokensPerS);
  const events = Math.max(2, Math.round(plan.tokensPerS * plan.seconds));
  const totalMs = plan.seconds * MS_PER_S + GIVE_UP_MS;
  await target.transport.preconnect(plan.streams);
  const barrierNs = clock.nowNs();
  const running = Array.from({ length: plan.streams }, (_, stream) => {
    const request = timetableRequest({
      firstNs: barrierNs + msToNs(FIRST_EVENT_DELAY_MS),
      gapNs,
      phaseNs: plan.pattern === "spread" ? Math.floor((stream * gapNs) / plan.streams) : 0,
      events,
    });
    const limits = { gapMs: totalMs, totalMs, loadingMs: 0 };
    return generate(target, request, { clock, limits, ...(signal === undefined ? {} : { signal }) });
  });
  const completions = await Promise.all(running);
  signal?.throwIfAborted();
  return summarise(plan, events, barrierNs, completions);
}

function summarise(
  plan: CellPlan,
  eventsPerStream: number,
  barrierNs: number,
  completions: readonly Completion[],
): CellMeasurement {
  const startEndNs = barrierNs + msToNs(START_BURST_MS);
  const first: number[] = [];
  const start: number[] = [];
  const steady: number[] = [];
  let sharedStampEvents = 0;
  let [firstWriteNs, lastWriteNs] = [Number.POSITIVE_INFINITY, 0];
  for (const { decoded, outcome } of completions) {
    const written = readStampsNs(decoded.content, eventsPerStream);
    if (outcome.kind !== "ok" || written === undefined) continue;
    sharedStampEvents += decoded.sharedStampEvents;
    for (const [index, writeNs] of written.entries()) {
      const errorMs = nsToMs((decoded.textStampsNs[index] as number) - writeNs);
      if (index === 0) first.push(errorMs);
      (writeNs < startEndNs ? start : steady).push(errorMs);
      firstWriteNs = Math.min(firstWriteNs, writeNs);
      lastWriteNs = Math.max(lastWriteNs, writeNs);
    }
  }
  if (first.length === 0) throw nothingReceived(completions[0]);
  const all = [...start, ...steady];
  return {
    plan,
    events: all.length,
    brokenStreams: completions.length - first.length,
    offeredEventsPerS: plan.streams * plan.tokensPerS,
    writtenEventsPerS: (all.length / (lastWriteNs - firstWriteNs)) * NS_PER_S,
    firstEvents: describeErrors(first),
    startBurst: describeErrors(start),
    steady: describeErrors(steady),
    all: describeErrors(all),
    sharedStampPct: (sharedStampEvents / all.length) * 100,
  };
}

function nothingReceived(completion: Completion | undefined): OperatorError {
  const outcome = completion?.outcome;
  return new OperatorError("PROCESS_FAILED", {
    message: "no stream of the self-test's emitter arrived whole",
    received: outcome?.kind === "failed" ? `${outcome.code}: ${outcome.message}` : outcome?.kind,
    nextStep: "check that connections to 127.0.0.1 are allowed, and run the self-test again",
  });
}
