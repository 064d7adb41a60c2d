/**
 * The best configuration for what somebody needs, as far as the figures can tell: all those that
 * are within noise of the best belong to the answer. "Best" without a need has no meaning, since more
 * slots, longer contexts and faster agents are paid for with each other.
 */
import { formatDurationMs, formatNumber } from "../core/units.ts";
import { describeConfiguration } from "./configuration.ts";
import type { Candidate, NoisyFigure } from "./evaluation.ts";

/** What is to be most. Context and agents are exact; among equals the aggregate rate decides. */
export type Need =
  | { readonly kind: "throughput" }
  | { readonly kind: "context" }
  | { readonly kind: "agents" }
  | { readonly kind: "latency"; readonly role: string };

/** What must hold besides. */
export interface NeedLimits {
  readonly leastSlots?: number;
  readonly leastContextTokensPerSlot?: number;
  readonly leastAggregateTokensPerS?: number;
  readonly leastPerAgentTokensPerS?: number;
  readonly mostRoleLatencyMs?: Readonly<Record<string, number>>;
}

export interface WholeRange {
  readonly low: number;
  readonly high: number;
}

export type Knee =
  | {
      readonly kind: "found";
      readonly need: Need;
      readonly best: Candidate;
      /** Those that cannot be told from the best, without it. */
      readonly withinNoise: readonly Candidate[];
      /** Over the best and those. */
      readonly slots: WholeRange;
      readonly contextTokensPerSlot: WholeRange;
      /** One sentence. */
      readonly reason: string;
    }
  | { readonly kind: "none"; readonly need: Need; readonly reason: string };

export function kneeOf(candidates: readonly Candidate[], need: Need, limits: NeedLimits = {}): Knee {
  const allowed = candidates.filter((candidate) => isAllowed(candidate, limits) && isKnown(candidate, need));
  const [first, ...others] = allowed;
  if (first === undefined) return { kind: "none", need, reason: noneReason(candidates, need) };
  const best = others.reduce((top, one) => (isBetter(one, top, need) ? one : top), first);
  const withinNoise = allowed.filter((one) => one !== best && isWithinNoise(one, best, need));
  const together = [best, ...withinNoise].map(({ configuration }) => configuration);
  return {
    kind: "found",
    need,
    best,
    withinNoise,
    slots: rangeOf(together.map(({ slots }) => slots)),
    contextTokensPerSlot: rangeOf(together.map(({ contextTokensPerSlot }) => contextTokensPerSlot)),
    reason: foundReason(best, withinNoise, allowed.length, need),
  };
}

/** What the need counts, the more the better, first what decides and then what decides between equals. */
function merits({ configuration, evaluation }: Candidate, need: Need): readonly NoisyFigure[] {
  switch (need.kind) {
    case "throughput":
      return [evaluation.aggregateTokensPerS];
    case "context":
      return [exactly(configuration.contextTokensPerSlot), evaluation.aggregateTokensPerS];
    case "agents":
      return [exactly(configuration.slots), evaluation.aggregateTokensPerS];
    case "latency": {
      const latency = evaluation.roleLatencyMs[need.role];
      return latency === undefined
        ? []
        : [{ value: -latency.value, low: -latency.high, high: -latency.low }, evaluation.aggregateTokensPerS];
    }
  }
}

function exactly(value: number): NoisyFigure {
  return { value, low: value, high: value };
}

function isKnown(candidate: Candidate, need: Need): boolean {
  return merits(candidate, need).length > 0;
}

function isBetter(one: Candidate, other: Candidate, need: Need): boolean {
  const against = merits(other, need);
  for (const [index, { value }] of merits(one, need).entries()) {
    const difference = value - (against[index] as NoisyFigure).value;
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/**
 * Its interval reaches up to the best's. What decides between equals counts only where the first
 * merit is exact: behind a noisy one there are no equals.
 */
function isWithinNoise(one: Candidate, best: Candidate, need: Need): boolean {
  const bests = merits(best, need);
  const deciding = need.kind === "context" || need.kind === "agents" ? bests.length : 1;
  return merits(one, need)
    .slice(0, deciding)
    .every(({ high }, index) => high >= (bests[index] as NoisyFigure).low);
}

function isAllowed({ configuration, evaluation }: Candidate, limits: NeedLimits): boolean {
  const latencies = Object.entries(limits.mostRoleLatencyMs ?? {});
  return (
    configuration.slots >= (limits.leastSlots ?? 0) &&
    configuration.contextTokensPerSlot >= (limits.leastContextTokensPerSlot ?? 0) &&
    evaluation.aggregateTokensPerS.value >= (limits.leastAggregateTokensPerS ?? 0) &&
    evaluation.perAgentTokensPerS.value >= (limits.leastPerAgentTokensPerS ?? 0) &&
    latencies.every(([role, mostMs]) => (evaluation.roleLatencyMs[role]?.value ?? Infinity) <= mostMs)
  );
}

function rangeOf(values: readonly number[]): WholeRange {
  return { low: Math.min(...values), high: Math.max(...values) };
}

function foundReason(
  best: Candidate,
  withinNoise: readonly Candidate[],
  allowed: number,
  need: Need,
): string {
  const others =
    withinNoise.length === 0
      ? "nothing else comes as near as the noise"
      : `within noise of it: ${withinNoise.map(({ configuration }) => describeConfiguration(configuration)).join(", ")}`;
  return `${describeConfiguration(best.configuration)}: ${meritText(best, need)}, of ${allowed} that were tried and do; ${others}.`;
}

function meritText({ configuration, evaluation }: Candidate, need: Need): string {
  const rate = `${figureText(evaluation.aggregateTokensPerS)} tok/s in all`;
  switch (need.kind) {
    case "throughput":
      return `the highest rate, ${rate}`;
    case "context":
      return `the longest context, ${configuration.contextTokensPerSlot.toLocaleString("en-US")} tokens, at ${rate}`;
    case "agents":
      return `the most agents, ${configuration.slots}, at ${rate}`;
    case "latency": {
      const latency = evaluation.roleLatencyMs[need.role];
      return `the shortest turns of ${need.role}, ${formatDurationMs(latency?.value)}, at ${rate}`;
    }
  }
}

function figureText({ value, low, high }: NoisyFigure): string {
  const text = formatNumber(value);
  return low === high ? text : `${text} (${formatNumber(low)} to ${formatNumber(high)})`;
}

function noneReason(candidates: readonly Candidate[], need: Need): string {
  if (candidates.length === 0) return "No configuration could be tried.";
  const wanted = need.kind === "latency" ? ` or says how long a turn of ${need.role} takes` : "";
  return `None of the ${candidates.length} configurations that were tried keeps to the limits${wanted}.`;
}
