/**
 * Empirical distribution functions for a view: the share of requests at or below each value, alone
 * and together, cut down to as many points as a picture shows. Nothing is smoothed; a point that
 * is left out lies between two that are drawn.
 */
import type { ChunkRecord, RequestRecord } from "../record/request-record.ts";
import type { Membership } from "../record/run-source.ts";
import type { TrialKind, TrialRecord } from "../record/trial-record.ts";
import { NS_PER_MS, NS_PER_US } from "../core/units.ts";
import { LogHistogram } from "../stats/log-histogram.ts";
import type { CertifiedPercentile } from "../stats/percentile-certificate.ts";
import { certifiedPercentile, neededForPercentile } from "../stats/percentile-certificate.ts";
import { PERCENTILES } from "./request-distribution.ts";
import { meanItlMs, ttftMs } from "./request-figures.ts";
import { standsFor } from "./solo-baseline.ts";

export interface EcdfPoint {
  readonly value: number;
  /** Share of the values at or below, 0 to 1. */
  readonly share: number;
}

export interface Ecdf {
  readonly n: number;
  readonly points: readonly EcdfPoint[];
  /** In the order of `PERCENTILES`, each only if n carries it. */
  readonly percentiles: readonly CertifiedPercentile[];
}

/** A curve of 480 pixels shows no more steps than this. */
const MOST_POINTS = 160;

/** F(x) = #{values ≤ x} ÷ n at evenly spaced ranks; `undefined` for no values. Values in any unit, kept. */
export function ecdfOf(values: ArrayLike<number>): Ecdf | undefined {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  if (n === 0) return undefined;
  const ranks = n <= MOST_POINTS ? n : MOST_POINTS;
  const points = Array.from({ length: ranks }, (_, index): EcdfPoint => {
    const rank = ranks === 1 ? n - 1 : Math.round((index * (n - 1)) / (ranks - 1));
    return { value: sorted[rank] as number, share: (rank + 1) / n };
  });
  return { n, points, percentiles: PERCENTILES.map((q) => certifiedPercentile(sorted, q)) };
}

/** The same from a histogram, exact to its bins of 2 %. */
export function ecdfOfHistogram(histogram: LogHistogram): Ecdf | undefined {
  const n = histogram.count;
  if (n === 0) return undefined;
  const points = Array.from({ length: MOST_POINTS }, (_, index): EcdfPoint => {
    const share = (index + 1) / MOST_POINTS;
    return { value: histogram.quantile(share) as number, share };
  });
  return {
    n,
    points,
    percentiles: PERCENTILES.map((q) => {
      const needed = neededForPercentile(q);
      const value = histogram.quantile(q);
      return value === undefined || n < needed
        ? { kind: "too-few", n, needed }
        : { kind: "certified", value, n };
    }),
  };
}

/** One figure of one agent, or of several alike, alone and together. */
export interface EcdfPair {
  readonly agent: string;
  readonly alone: Ecdf | undefined;
  readonly together: Ecdf | undefined;
}

export interface CellEcdfs {
  readonly ttftMs: readonly EcdfPair[];
  readonly itlMs: readonly EcdfPair[];
  /** `chunk`: every gap ÷ its tokens. `mean`: one mean per request, since the server streams no counts. */
  readonly itlKind: "chunk" | "mean";
}

/** Numbers that grow without holding an object for each. */
class Values {
  #numbers = new Float64Array(64);
  #length = 0;

  add(value: number | undefined): void {
    if (value === undefined) return;
    if (this.#length === this.#numbers.length) {
      const larger = new Float64Array(this.#length * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.#length++] = value;
  }

  get all(): Float64Array {
    return this.#numbers.subarray(0, this.#length);
  }
}

interface Bucket {
  readonly kind: TrialKind;
  readonly ttftMs: Values;
  readonly meanItlMs: Values;
  readonly chunkItlMs: LogHistogram;
}

/** Collects while a run is read; requests before chunks, as in every fold of a run. */
export class EcdfFold {
  readonly #trials = new Map<string, TrialRecord>();
  /** By cell, then by the agent that asked and whether it was alone. */
  readonly #cells = new Map<string, Map<string, Bucket>>();
  readonly #leftOut = new Set<string>();
  /** By cell and agent: whose solo trial stands for it, that of an agent with the same work. */
  readonly #soloOf = new Map<string, string | undefined>();

  constructor(trials: readonly TrialRecord[]) {
    for (const trial of trials) {
      if (trial.status !== "complete") continue;
      this.#trials.set(trial.trialId, trial);
      for (const agent of standsFor(trial)) this.#soloOf.set(`${trial.cellHash}/${agent}`, trial.soloAgent);
    }
  }

  request(record: RequestRecord, membership: Membership): void {
    if (membership === "unfinished") return;
    if (record.phase === "warm-up" || record.outcome.kind !== "ok") {
      this.#leftOut.add(record.requestId);
      return;
    }
    const bucket = this.#bucketOf(record.trialId, record.agent);
    bucket?.ttftMs.add(ttftMs(record));
    bucket?.meanItlMs.add(meanItlMs(record));
  }

  chunks(record: ChunkRecord, membership: Membership): void {
    const { tokens, gapsUs } = record;
    if (tokens === undefined || membership === "unfinished" || this.#leftOut.has(record.requestId)) return;
    const beforePosition = record.requestId.lastIndexOf("/");
    const beforeAgent = record.requestId.lastIndexOf("/", beforePosition - 1);
    const histogram = this.#bucketOf(
      record.requestId.slice(0, beforeAgent),
      record.requestId.slice(beforeAgent + 1, beforePosition),
    )?.chunkItlMs;
    if (histogram === undefined) return;
    for (let index = 0; index < gapsUs.length; index++) {
      const count = tokens[index + 1] ?? 0;
      if (count > 0) histogram.add(((gapsUs[index] as number) * NS_PER_US) / NS_PER_MS / count, count);
    }
  }

  /** `alike`: the agents' work differs only in name, so that their requests are one sample. */
  cell(cellHash: string, agents: readonly string[], alike: boolean): CellEcdfs {
    const buckets = this.#cells.get(cellHash) ?? new Map<string, Bucket>();
    const pick = (agent: string | undefined, kind: TrialKind): readonly Bucket[] => {
      const asked =
        agent === undefined ? undefined : kind === "solo" ? this.#soloOf.get(`${cellHash}/${agent}`) : agent;
      return [...buckets]
        .filter(
          ([key, bucket]) => bucket.kind === kind && (agent === undefined || key === `${kind}/${asked}`),
        )
        .map(([, bucket]) => bucket);
    };
    const groups = alike ? [undefined] : agents;
    const pairs = (of: (buckets: readonly Bucket[]) => Ecdf | undefined): readonly EcdfPair[] =>
      groups.map((agent) => ({
        agent: agent ?? (agents.length === 1 ? (agents[0] as string) : `all ${agents.length} agents`),
        alone: of(pick(agent, "solo")),
        together: of(pick(agent, "together")),
      }));
    const streamed = [...buckets.values()].some((bucket) => bucket.chunkItlMs.count > 0);
    return {
      ttftMs: pairs((own) => ecdfOf(joined(own.map((bucket) => bucket.ttftMs.all)))),
      itlMs: streamed
        ? pairs((own) => ecdfOfHistogram(merged(own.map((bucket) => bucket.chunkItlMs))))
        : pairs((own) => ecdfOf(joined(own.map((bucket) => bucket.meanItlMs.all)))),
      itlKind: streamed ? "chunk" : "mean",
    };
  }

  #bucketOf(trialId: string, agent: string): Bucket | undefined {
    const trial = this.#trials.get(trialId);
    if (trial === undefined) return undefined;
    let cell = this.#cells.get(trial.cellHash);
    if (cell === undefined) {
      cell = new Map();
      this.#cells.set(trial.cellHash, cell);
    }
    const key = `${trial.kind}/${agent}`;
    let bucket = cell.get(key);
    if (bucket === undefined) {
      bucket = {
        kind: trial.kind,
        ttftMs: new Values(),
        meanItlMs: new Values(),
        chunkItlMs: new LogHistogram(),
      };
      cell.set(key, bucket);
    }
    return bucket;
  }
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

function merged(parts: readonly LogHistogram[]): LogHistogram {
  const all = new LogHistogram();
  for (const part of parts) all.merge(part);
  return all;
}
