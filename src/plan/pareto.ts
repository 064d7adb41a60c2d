/**
 * Configurations that no other beats in everything: slots, context, aggregate rate, and each agent's
 * rate. The others stay in the table, each with one that is at least as good everywhere.
 */
import type { Configuration } from "./configuration.ts";
import type { Candidate } from "./evaluation.ts";

export interface ParetoRow extends Candidate {
  /** At least as good in everything and better in something; absent for a row of the front. */
  readonly dominatedBy?: Configuration;
}

/** In the order of the candidates. */
export function paretoTable(candidates: readonly Candidate[]): readonly ParetoRow[] {
  const points = candidates.map((candidate) => ({ candidate, merits: meritsOf(candidate) }));
  return points.map(({ candidate, merits }) => {
    const better = points.find((other) => dominates(other.merits, merits));
    return {
      ...candidate,
      ...(better === undefined ? {} : { dominatedBy: better.candidate.configuration }),
    };
  });
}

function meritsOf({ configuration, evaluation }: Candidate): readonly number[] {
  return [
    configuration.slots,
    configuration.contextTokensPerSlot,
    evaluation.aggregateTokensPerS.value,
    evaluation.perAgentTokensPerS.value,
  ];
}

function dominates(one: readonly number[], other: readonly number[]): boolean {
  let isBetter = false;
  for (const [index, merit] of one.entries()) {
    const against = other[index] as number;
    if (merit < against) return false;
    isBetter ||= merit > against;
  }
  return isBetter;
}
