/**
 * The published rule: an agent contends when a TTFT of its lies more than a threshold above its
 * baseline. The baseline is the median warm solo TTFT of the same agent at the same position.
 */
import { median } from "../stats/quantile.ts";
import type { RequestRows } from "./request-table.ts";
import type { FoldedTrial } from "./run-fold.ts";
import { standsFor } from "./solo-baseline.ts";

/** The rule as the dual-instance study published it. */
export const PUBLISHED_THRESHOLD_MS = 3_000;

/** Milliseconds by request position. */
export type TtftBaseline = ReadonlyMap<number, number>;

/** `soloTrials`: the agent's solo requests, one entry per trial. Requests that loaded the model are left out. */
export function ttftBaseline(soloTrials: readonly RequestRows[]): TtftBaseline {
  const byPosition = new Map<number, number[]>();
  for (const rows of soloTrials)
    for (let index = 0; index < rows.length; index++) {
      const ttftMs = rows.at(index, "ttftMs");
      const position = rows.at(index, "position");
      if (ttftMs === undefined || position === undefined || rows.at(index, "coldLoadMs") !== 0) continue;
      const seen = byPosition.get(position);
      if (seen === undefined) byPosition.set(position, [ttftMs]);
      else seen.push(ttftMs);
    }
  return new Map([...byPosition].map(([position, values]) => [position, median(values) as number]));
}

/** `undefined` when no request of the agent has a baseline to be held against. */
export function isContended(
  rows: RequestRows,
  baseline: TtftBaseline,
  thresholdMs: number,
): boolean | undefined {
  let compared = false;
  for (let index = 0; index < rows.length; index++) {
    const ttftMs = rows.at(index, "ttftMs");
    const aloneMs = baseline.get(rows.at(index, "position") ?? -1);
    if (ttftMs === undefined || aloneMs === undefined) continue;
    if (ttftMs > aloneMs + thresholdMs) return true;
    compared = true;
  }
  return compared ? false : undefined;
}

/** Over all repeats: one solo trial alone has one TTFT per position, which is no median. */
export function ttftBaselines(solos: readonly FoldedTrial[]): ReadonlyMap<string, TtftBaseline> {
  const bySoloAgent = new Map<string | undefined, FoldedTrial[]>();
  for (const solo of solos) {
    const same = bySoloAgent.get(solo.record.soloAgent);
    if (same === undefined) bySoloAgent.set(solo.record.soloAgent, [solo]);
    else same.push(solo);
  }
  const baselines = new Map<string, TtftBaseline>();
  for (const same of bySoloAgent.values()) {
    const rows = same.flatMap((trial) => [...trial.agents.values()].map((run) => run.rows));
    const baseline = ttftBaseline(rows);
    for (const solo of same) for (const agent of standsFor(solo.record)) baselines.set(agent, baseline);
  }
  return baselines;
}
