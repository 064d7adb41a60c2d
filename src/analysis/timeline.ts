/**
 * What each agent waited for, moment by moment, in one trial. A trial of few requests is kept as it
 * was; of a longer one only so many intervals are kept as a picture shows, each with the phase that
 * took most of it.
 */
import { msToNs, NS_PER_US, nsToMs } from "../core/units.ts";
import type { ChunkRecord, RequestRecord } from "../record/request-record.ts";
import { WINDOW_ENDED } from "../record/request-record.ts";
import type { Membership } from "../record/run-source.ts";
import type { TrialRecord } from "../record/trial-record.ts";
import { median } from "../stats/quantile.ts";

/**
 * `wait`: due and not sent, for a place under the client's limit. `prefill`: sent, no token yet; the
 * server's own queue is inside. `decode`: tokens arrive. `stall`: between two tokens, far longer
 * than usual for this answer. `lost`: time of a request that failed or was cancelled.
 */
export const TIMELINE_PHASES = ["wait", "prefill", "decode", "stall", "lost"] as const;
export type TimelinePhase = (typeof TIMELINE_PHASES)[number];

export interface TimelineSegment {
  readonly phase: TimelinePhase;
  /** From the barrier. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface TimelineLane {
  readonly agent: string;
  readonly requests: number;
  readonly segments: readonly TimelineSegment[];
  /** Sums over the requests themselves, whatever was kept for the picture. Overlapping requests both count. */
  readonly totalMs: Readonly<Record<TimelinePhase, number>>;
}

export interface TrialTimeline {
  readonly trialId: string;
  readonly cellHash: string;
  readonly wallMs: number;
  readonly lanes: readonly TimelineLane[];
  /** The length of one interval where they were cut; absent where every segment is a request's own. */
  readonly intervalMs: number | undefined;
}

/** A picture of 960 by some hundred pixels; 100 bytes of SVG for each. */
const MOST_SEGMENTS = 900;
/** More lanes than this are thinner than a line of text. */
export const MOST_LANES = 16;
/** A gap between tokens that a reader notices, and that is not this answer's usual one. */
const SHORTEST_STALL_MS = 200;
const STALL_TIMES_MEDIAN = 5;

/** Of each cell the finished together trial whose length is the median of its repeats. */
export function typicalTrials(trials: readonly TrialRecord[]): readonly TrialRecord[] {
  const cells = new Map<string, TrialRecord[]>();
  for (const trial of trials)
    if (trial.kind === "together" && trial.status === "complete")
      cells.set(trial.cellHash, [...(cells.get(trial.cellHash) ?? []), trial]);
  return [...cells.values()].flatMap((own) => {
    const byLength = own.sort((a, b) => lengthNs(a) - lengthNs(b));
    return byLength[Math.floor((byLength.length - 1) / 2)] ?? [];
  });
}

function lengthNs(trial: TrialRecord): number {
  return trial.endNs - trial.barrierNs;
}

type Sums = Record<TimelinePhase, number>;

interface OpenLane {
  readonly agent: string;
  requests: number;
  readonly totalMs: Sums;
  segments: TimelineSegment[];
  /** Milliseconds of each phase in each interval. */
  readonly intervals: Readonly<Record<TimelinePhase, Float64Array>>;
}

/** Follows the trials it is given while a run is read. Memory is bounded, whatever their length. */
export class TimelineFold {
  readonly #trials: ReadonlyMap<string, OpenTimeline>;

  constructor(trials: readonly TrialRecord[]) {
    this.#trials = new Map(trials.map((trial) => [trial.trialId, new OpenTimeline(trial)]));
  }

  request(record: RequestRecord, membership: Membership): void {
    if (membership === "finished" && record.phase === "measured")
      this.#trials.get(record.trialId)?.request(record);
  }

  chunks(record: ChunkRecord, membership: Membership): void {
    if (membership === "unfinished") return;
    const end = record.requestId.lastIndexOf("/", record.requestId.lastIndexOf("/") - 1);
    this.#trials.get(record.requestId.slice(0, end))?.chunks(record);
  }

  finish(): readonly TrialTimeline[] {
    return [...this.#trials.values()].map((trial) => trial.finish());
  }
}

class OpenTimeline {
  readonly #trial: TrialRecord;
  readonly #wallMs: number;
  readonly #intervalMs: number;
  readonly #lanes: ReadonlyMap<string, OpenLane>;
  #kept = 0;

  constructor(trial: TrialRecord) {
    this.#trial = trial;
    this.#wallMs = nsToMs(lengthNs(trial));
    const shown = trial.agents.slice(0, MOST_LANES);
    const count = Math.floor(MOST_SEGMENTS / Math.max(shown.length, 1));
    this.#intervalMs = this.#wallMs / count;
    this.#lanes = new Map(
      shown.map((agent) => [
        agent,
        {
          agent,
          requests: 0,
          totalMs: perPhase(() => 0),
          segments: [],
          intervals: perPhase(() => new Float64Array(count)),
        },
      ]),
    );
  }

  request(record: RequestRecord): void {
    const lane = this.#lanes.get(record.agent);
    if (lane === undefined) return;
    lane.requests++;
    const { scheduledNs, sentNs, firstTokenNs, lastTokenNs, endNs } = record.stamps;
    this.#add(lane, "wait", scheduledNs, sentNs ?? endNs);
    if (sentNs === undefined) return;
    if (isLost(record)) this.#add(lane, "lost", sentNs, endNs);
    else {
      this.#add(lane, "prefill", sentNs, firstTokenNs ?? endNs);
      if (firstTokenNs !== undefined) this.#add(lane, "decode", firstTokenNs, lastTokenNs ?? endNs);
    }
  }

  /** Stalls lie on top of the decode phase that they are part of. */
  chunks({ requestId, firstNs, gapsUs }: ChunkRecord): void {
    const beforePosition = requestId.lastIndexOf("/");
    const agent = requestId.slice(requestId.lastIndexOf("/", beforePosition - 1) + 1, beforePosition);
    const lane = this.#lanes.get(agent);
    const shortestUs = (SHORTEST_STALL_MS * msToNs(1)) / NS_PER_US;
    if (lane === undefined || !gapsUs.some((gap) => gap > shortestUs)) return;
    const longUs = Math.max(shortestUs, (median(gapsUs) ?? 0) * STALL_TIMES_MEDIAN);
    let atNs = firstNs;
    for (const gapUs of gapsUs) {
      const nextNs = atNs + gapUs * NS_PER_US;
      if (gapUs > longUs) {
        this.#add(lane, "stall", atNs, nextNs);
        this.#take(lane, "decode", atNs, nextNs);
      }
      atNs = nextNs;
    }
  }

  finish(): TrialTimeline {
    const cut = this.#kept > MOST_SEGMENTS;
    return {
      trialId: this.#trial.trialId,
      cellHash: this.#trial.cellHash,
      wallMs: this.#wallMs,
      intervalMs: cut ? this.#intervalMs : undefined,
      lanes: [...this.#lanes.values()].map((lane) => ({
        agent: lane.agent,
        requests: lane.requests,
        totalMs: lane.totalMs,
        segments: cut ? this.#strongest(lane) : lane.segments,
      })),
    };
  }

  #add(lane: OpenLane, phase: TimelinePhase, fromNs: number, toNs: number): void {
    const fromMs = nsToMs(fromNs - this.#trial.barrierNs);
    const toMs = nsToMs(toNs - this.#trial.barrierNs);
    if (toMs <= fromMs) return;
    lane.totalMs[phase] += toMs - fromMs;
    if (++this.#kept <= MOST_SEGMENTS) lane.segments.push({ phase, fromMs, toMs });
    this.#spread(lane.intervals[phase], fromMs, toMs, 1);
  }

  #take(lane: OpenLane, phase: TimelinePhase, fromNs: number, toNs: number): void {
    const fromMs = nsToMs(fromNs - this.#trial.barrierNs);
    const toMs = nsToMs(toNs - this.#trial.barrierNs);
    lane.totalMs[phase] -= toMs - fromMs;
    this.#spread(lane.intervals[phase], fromMs, toMs, -1);
  }

  #spread(intervals: Float64Array, fromMs: number, toMs: number, sign: 1 | -1): void {
    const width = this.#intervalMs;
    const first = Math.max(Math.floor(fromMs / width), 0);
    const last = Math.min(Math.floor(toMs / width), intervals.length - 1);
    for (let index = first; index <= last; index++) {
      const inside = Math.min(toMs, (index + 1) * width) - Math.max(fromMs, index * width);
      intervals[index] = (intervals[index] as number) + sign * inside;
    }
  }

  /** Neighbouring intervals of one phase become one segment; one in which nothing was under way for most of it has none. */
  #strongest({ intervals }: OpenLane): readonly TimelineSegment[] {
    const width = this.#intervalMs;
    const segments: TimelineSegment[] = [];
    for (let index = 0; index < intervals.wait.length; index++) {
      const inside = TIMELINE_PHASES.map((phase) => intervals[phase][index] as number);
      const most = Math.max(...inside);
      const busy = inside.reduce((total, ms) => total + ms, 0);
      if (busy < width / 2) continue;
      const phase = TIMELINE_PHASES[inside.indexOf(most)] as TimelinePhase;
      const toMs = Math.min((index + 1) * width, this.#wallMs);
      const previous = segments.at(-1);
      if (previous?.phase === phase && previous.toMs === index * width)
        segments[segments.length - 1] = { ...previous, toMs };
      else segments.push({ phase, fromMs: index * width, toMs });
    }
    return segments;
  }
}

/** What the end of a set time cut off was worked on until then, and its tokens count. */
function isLost({ outcome }: RequestRecord): boolean {
  return outcome.kind !== "ok" && !(outcome.kind === "cancelled" && outcome.reason === WINDOW_ENDED);
}

function perPhase<T>(make: () => T): Record<TimelinePhase, T> {
  return { wait: make(), prefill: make(), decode: make(), stall: make(), lost: make() };
}
