/**
 * What a line may say that no run can have done, although every field has the right type: time that
 * goes backwards, counts below zero or beyond all limits. One such row moves a mean as far as it
 * likes, so a reader leaves it out and names it. Answers say which rule is broken.
 */
import { MAX_DURATION_MS, MAX_TOKENS } from "../core/limits.ts";
import { msToNs } from "../core/units.ts";
import type { ChunkRecord, RequestRecord, RequestStamps, TokenCounts } from "./request-record.ts";
import type { TrialRecord } from "./trial-record.ts";

/** From a trial's origin: nothing of a trial comes later than the longest trial lasts. */
const LATEST_NS = msToNs(MAX_DURATION_MS);

/** Each may be absent, and none comes before the one named first. */
const IN_ORDER = [
  ["sentNs", "firstTokenNs"],
  ["firstTokenNs", "firstVisibleNs"],
  ["firstTokenNs", "lastTokenNs"],
  ["firstVisibleNs", "lastTokenNs"],
  ["sentNs", "endNs"],
  ["firstByteNs", "endNs"],
  ["firstTokenNs", "endNs"],
  ["firstVisibleNs", "endNs"],
  ["lastTokenNs", "endNs"],
] as const satisfies readonly (readonly [keyof RequestStamps, keyof RequestStamps])[];

const COUNTS = [
  "input",
  "inputTarget",
  "cached",
  "output",
  "outputLimit",
  "firstEvent",
  "reasoning",
] as const satisfies readonly (keyof TokenCounts)[];

export function impossibleRequest({ stamps, tokens }: RequestRecord): string | undefined {
  for (const [earlier, later] of IN_ORDER) {
    const [from, to] = [stamps[earlier], stamps[later]];
    if (from !== undefined && to !== undefined && to < from) return `${later} comes before ${earlier}`;
  }
  if (stamps.endNs > LATEST_NS) return "endNs is more than a week after the trial began";
  for (const name of COUNTS) {
    const count = tokens[name];
    if (count !== undefined && !(count >= 0 && count <= MAX_TOKENS))
      return `tokens.${name} is not between 0 and ${MAX_TOKENS}`;
  }
  return undefined;
}

/** Gaps between arrivals, and what arrived. */
export function impossibleChunks({ gapsUs, tokens }: ChunkRecord): string | undefined {
  for (const gapUs of gapsUs) if (gapUs < 0) return "gapsUs goes backwards";
  for (const count of tokens ?? [])
    if (!(count >= 0 && count <= MAX_TOKENS)) return `tokens are not between 0 and ${MAX_TOKENS}`;
  return undefined;
}

export function impossibleTrial({ barrierNs, endNs, agentTimes }: TrialRecord): string | undefined {
  if (endNs < barrierNs) return "endNs comes before barrierNs";
  if (endNs > LATEST_NS) return "endNs is more than a week after the trial began";
  const backwards = agentTimes.find(({ totalMs }) => totalMs < 0);
  return backwards === undefined ? undefined : "an agent's totalMs is below 0";
}
