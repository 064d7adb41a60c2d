/**
 * How wrong a calibration is about what it has not seen: each cell is left out in turn, everything
 * is fitted again, choice of constants included, and the cell is predicted from the others. Where
 * there are too few cells trials are left out, which flatters: repeats of a cell are alike.
 */
import { mean } from "../../stats/quantile.ts";
import type { KernelEfficiency } from "../step-time.ts";
import type { HeldOut, LeaveOneOut } from "./calibration.ts";
import { fitKernels } from "./fit-kernels.ts";
import type { Observation, TimeWithoutKernels } from "./observation.ts";
import { predictedNs, worksOf } from "./observation.ts";
import { rangeOf, withinRange } from "./range.ts";
import { NS_PER_MS } from "../../core/units.ts";

/** Left out of two, one is left: that is no fit to test. */
const FEWEST_GROUPS = 3;

export function leaveOneOut(
  observations: readonly Observation[],
  time: TimeWithoutKernels,
  prior: KernelEfficiency,
): LeaveOneOut {
  const by = namesOf(observations, "cell").length >= FEWEST_GROUPS ? "cell" : "trial";
  const field = by === "cell" ? "cell" : "trialId";
  const groups = namesOf(observations, field);
  if (groups.length < FEWEST_GROUPS) return { kind: "too-few", needed: FEWEST_GROUPS };
  return {
    kind: "done",
    by,
    groups: groups.map((group) => {
      const rest = observations.filter((one) => one[field] !== group);
      const held = observations.filter((one) => one[field] === group);
      const { kernels } = fitKernels(rest, time, prior);
      return heldOutOf(group, held, rest, { ...time, efficiency: kernels });
    }),
  };
}

/**
 * How far off a prediction within the calibration has to be expected: the mean size of the errors of
 * groups that lay within the others. Undefined where none was held out.
 */
export function expectedErrorPct(held: LeaveOneOut): number | undefined {
  if (held.kind === "too-few") return undefined;
  return mean(held.groups.filter(({ within }) => within).map(({ errorPct }) => Math.abs(errorPct)));
}

function heldOutOf(
  group: string,
  held: readonly Observation[],
  rest: readonly Observation[],
  time: Parameters<typeof predictedNs>[1],
): HeldOut {
  const predicted = held.map((observation) => predictedNs(observation, time));
  const observedNs = held.reduce((sum, observation) => sum + observation.observedNs, 0);
  const totalNs = predicted.reduce((sum, ns) => sum + ns, 0);
  const off = held.map(({ observedNs: ns }, index) => Math.abs((predicted[index] as number) / ns - 1));
  return {
    group,
    within: isWithin(held, rest),
    observations: held.length,
    observedMs: observedNs / NS_PER_MS,
    predictedMs: totalNs / NS_PER_MS,
    errorPct: 100 * (totalNs / observedNs - 1),
    absoluteErrorPct: 100 * (mean(off) ?? 0),
  };
}

function isWithin(held: readonly Observation[], rest: readonly Observation[]): boolean {
  const range = rangeOf(rest);
  return held.flatMap(worksOf).every(({ decodeSequences, decodeContextTokens, prefills }) => {
    const promptTokens = Math.max(0, ...prefills.map((chunk) => chunk.newTokens + chunk.depthTokens));
    const contextTokens = Math.max(decodeContextTokens / Math.max(1, decodeSequences), promptTokens);
    const total = Math.round(decodeContextTokens) <= range.totalContextTokens;
    const one = withinRange(range, { sequences: 1, contextTokens: Math.round(contextTokens) });
    const batch = decodeSequences <= range.sequences;
    return total && batch && (one.kind === "within" || one.axis === "cache");
  });
}

function namesOf(observations: readonly Observation[], field: "cell" | "trialId"): readonly string[] {
  return [...new Set(observations.map((observation) => observation[field]))];
}
