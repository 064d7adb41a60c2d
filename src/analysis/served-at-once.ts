/**
 * How many requests an endpoint worked on at the same time, as seen from outside: an engine that
 * does not state its slots (Ollama) shows them by how many answers ever stream at once.
 */
import { median } from "../stats/quantile.ts";
import type { RequestRows } from "./request-table.ts";
import type { FoldedTrial } from "./run-fold.ts";

export interface ServedAtOnce {
  /** Most answers that streamed at the same time. */
  readonly served: number;
  /** Most requests that were there at the same time, where more would have streamed if they could. */
  readonly present: number;
}

/** Stamps of first and last tokens are rough at the edges; a true overlap of answers is longer than this part of each. */
const EDGE_SHARE = 0.05;

/** The answered requests of one endpoint in one trial, as columns: a trial may have very many. */
interface Stays {
  readonly sentMs: number[];
  readonly lastMs: number[];
  readonly streamFromMs: number[];
  readonly streamToMs: number[];
  readonly decodeMs: number[];
  /** The prefill of one who did not wait. */
  leastTtftMs: number;
}

/** By endpoint, of those named, over the together trials. Stamps that cannot be true say nothing. */
export function servedAtOnce(
  trials: readonly FoldedTrial[],
  named: ReadonlySet<string>,
): ReadonlyMap<string, ServedAtOnce> {
  const found = new Map<string, ServedAtOnce>();
  for (const trial of trials) {
    if (trial.record.kind !== "together") continue;
    for (const [endpoint, stays] of staysByEndpoint(trial, named)) {
      const before = found.get(endpoint) ?? { served: 0, present: 0 };
      const served = mostAtOnce(stays.streamFromMs, stays.streamToMs);
      const present = mostAtOnce(stays.sentMs, stays.lastMs);
      found.set(endpoint, {
        served: Math.max(before.served, served),
        present: wouldOverlap(stays, present) ? Math.max(before.present, present) : before.present,
      });
    }
  }
  return found;
}

/** Agents that used several endpoints are left out, since their rows do not say which request went where. */
function staysByEndpoint(trial: FoldedTrial, named: ReadonlySet<string>): ReadonlyMap<string, Stays> {
  const byEndpoint = new Map<string, Stays>();
  for (const { endpoints, rows } of trial.agents.values()) {
    const [endpoint, ...others] = endpoints;
    if (endpoint === undefined || others.length > 0 || !named.has(endpoint)) continue;
    if (rows.values("clientLateMs").some((ms) => ms > 0)) continue;
    const stays = byEndpoint.get(endpoint) ?? {
      ...{ sentMs: [], lastMs: [], streamFromMs: [], streamToMs: [], decodeMs: [] },
      leastTtftMs: Infinity,
    };
    byEndpoint.set(endpoint, stays);
    addStays(stays, rows);
  }
  return byEndpoint;
}

function addStays(stays: Stays, rows: RequestRows): void {
  for (let index = 0; index < rows.length; index++) {
    const sentMs = rows.at(index, "sentMs");
    const ttftMs = rows.at(index, "ttftMs");
    const decodeMs = rows.at(index, "decodeMs");
    if (sentMs === undefined || ttftMs === undefined || decodeMs === undefined) continue;
    const edgeMs = EDGE_SHARE * decodeMs;
    stays.sentMs.push(sentMs);
    stays.lastMs.push(sentMs + ttftMs + decodeMs);
    stays.streamFromMs.push(sentMs + ttftMs + edgeMs);
    stays.streamToMs.push(sentMs + ttftMs + decodeMs - edgeMs);
    stays.decodeMs.push(decodeMs);
    stays.leastTtftMs = Math.min(stays.leastTtftMs, ttftMs);
  }
}

/**
 * Answers that are shorter than the prefill of all who wait can miss each other on a server that
 * serves everybody at once.
 */
function wouldOverlap({ decodeMs, leastTtftMs }: Stays, present: number): boolean {
  return (median(decodeMs) ?? 0) >= present * leastTtftMs;
}

/** A sweep over begins and ends; one that ends when another begins makes room for it first. */
function mostAtOnce(fromMs: readonly number[], toMs: readonly number[]): number {
  const begins = Float64Array.from(fromMs).sort();
  const ends = Float64Array.from(toMs).sort();
  let ended = 0;
  let most = 0;
  begins.forEach((beginMs, begun) => {
    while (ended < ends.length && (ends[ended] as number) <= beginMs) ended++;
    most = Math.max(most, begun + 1 - ended);
  });
  return most;
}
