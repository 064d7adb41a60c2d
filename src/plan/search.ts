/**
 * The sweep as one search: what fits, what it gives, which is the knee. How a configuration is
 * tried is the caller's: a server that is started, or a simulation.
 */
import type { Cliff, MemoryNeed } from "./cliff.ts";
import { cliffOf } from "./cliff.ts";
import type { Configuration } from "./configuration.ts";
import type { Candidate, Evaluate } from "./evaluation.ts";
import type { Knee, Need, NeedLimits } from "./knee.ts";
import { kneeOf } from "./knee.ts";
import type { GridAxes, MemoryBoundary } from "./memory-boundary.ts";
import { findMemoryBoundary } from "./memory-boundary.ts";
import type { ParetoRow } from "./pareto.ts";
import { paretoTable } from "./pareto.ts";

export interface CapacitySearch {
  readonly axes: GridAxes;
  /** What does not vary. */
  readonly common?: Omit<Configuration, "slots" | "contextTokensPerSlot">;
  readonly need: Need;
  readonly limits?: NeedLimits;
  readonly fits: (configuration: Configuration) => boolean | Promise<boolean>;
  readonly evaluate: Evaluate;
  /** For the distance to the cliff; without it only what was tried can be told. */
  readonly memory?: { readonly needBytes: MemoryNeed; readonly capacityBytes: number };
}

export interface Unusable {
  readonly configuration: Configuration;
  readonly reason: string;
}

/** What `slipway capacity` and `slipway simulate` print, and write as a preset: the fields of `knee.best.configuration`. */
export interface CapacityResult {
  readonly boundary: MemoryBoundary;
  readonly table: readonly ParetoRow[];
  readonly unusable: readonly Unusable[];
  readonly knee: Knee;
  readonly cliff?: Cliff;
}

/** Everything that fits is evaluated, one after the other: they share the machine. */
export async function searchCapacity(search: CapacitySearch): Promise<CapacityResult> {
  const { axes, common = {}, memory } = search;
  const boundary = await findMemoryBoundary(axes, (point) => search.fits({ ...common, ...point }));
  const candidates: Candidate[] = [];
  const unusable: Unusable[] = [];
  for (const slots of axes.slots)
    for (const contextTokensPerSlot of axes.contextTokensPerSlot) {
      if (contextTokensPerSlot > (boundary.longest.get(slots) ?? 0)) continue;
      const configuration = { ...common, slots, contextTokensPerSlot };
      const evaluation = await search.evaluate(configuration);
      if (evaluation.kind === "evaluated") candidates.push({ configuration, evaluation });
      else unusable.push({ configuration, reason: evaluation.reason });
    }
  const knee = kneeOf(candidates, search.need, search.limits);
  const cliff =
    memory === undefined || knee.kind === "none"
      ? undefined
      : cliffOf(knee.best.configuration, axes.contextTokensPerSlot, memory.needBytes, memory.capacityBytes);
  return {
    boundary,
    table: paretoTable(candidates),
    unusable,
    knee,
    ...(cliff === undefined ? {} : { cliff }),
  };
}
