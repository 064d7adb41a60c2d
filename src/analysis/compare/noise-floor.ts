/**
 * A/A: by how much the same thing differs from itself here. Cells with equal effective settings are
 * two measurements of one thing; failing those, the first and the second half of a cell's own
 * repeats are, or of pairs the change in the first and in the second half: what both trials of a
 * pair share is no noise of their difference. A change between A and B that is no larger says
 * nothing, however small its p.
 */
import { mean } from "../../stats/quantile.ts";
import { lengthsDiffer } from "../comparability.ts";
import type { MetricName } from "./metric.ts";
import type { Samples } from "./samples.ts";
import { differences } from "./samples.ts";
import type { ComparedCell } from "./side.ts";

export interface NoiseFloor {
  /** In the metric's unit. */
  readonly difference: number;
  /** Of the mean of what was compared; absent where that is not above 0. */
  readonly share: number | undefined;
  readonly basis: "same-settings" | "halves" | "halves-of-pairs";
  /** The two that lie furthest apart. */
  readonly between: readonly [string, string];
}

/** Halves of two values each: fewer would be single trials. */
const FEWEST_TO_HALVE = 4;

/**
 * `runs`: the cells of each run, among which repeats of settings are looked for; else the pair's
 * `own` cells are halved, or their `samples` where these are pairs.
 */
export function noiseFloorOf(
  metric: MetricName,
  runs: readonly (readonly ComparedCell[])[],
  own: readonly ComparedCell[],
  samples: Samples,
): NoiseFloor | undefined {
  const twins = largest(
    runs.flatMap((cells) => sameSettings(cells, metric)),
    "same-settings",
  );
  if (twins !== undefined) return twins;
  return samples.design === "pairs" ? halvesOfPairs(samples) : largest(own.flatMap(halves(metric)), "halves");
}

function halvesOfPairs(samples: Samples): NoiseFloor | undefined {
  const changes = differences(samples);
  if (changes.length < FEWEST_TO_HALVE) return undefined;
  const middle = Math.floor(changes.length / 2);
  const [first, second] = [mean(changes.slice(0, middle)), mean(changes.slice(middle))];
  const level = mean([...samples.a, ...samples.b]);
  if (first === undefined || second === undefined || level === undefined) return undefined;
  const difference = Math.abs(first - second);
  return {
    difference,
    share: level > 0 ? difference / level : undefined,
    basis: "halves-of-pairs",
    between: ["first half of the pairs", "second half"],
  };
}

interface Measurement {
  readonly name: string;
  readonly mean: number;
}

type Twins = readonly [Measurement, Measurement];

function sameSettings(cells: readonly ComparedCell[], metric: MetricName): readonly Twins[] {
  return cells.flatMap((cell, index) => {
    const own = mean(valuesOf(cell, metric));
    if (own === undefined) return [];
    return cells.slice(index + 1).flatMap((other): readonly Twins[] => {
      const theirs = mean(valuesOf(other, metric));
      if (theirs === undefined || !areRepeats(cell, other)) return [];
      return [
        [
          { name: cell.label, mean: own },
          { name: other.label, mean: theirs },
        ],
      ];
    });
  });
}

/** The same server with the same load on it: what was asked of it may have differed, what it did did not. */
function areRepeats(one: ComparedCell, other: ComparedCell): boolean {
  return (
    one.effectiveHash !== undefined &&
    one.effectiveHash === other.effectiveHash &&
    one.agents === other.agents &&
    !lengthsDiffer(one.inputPerRequest, other.inputPerRequest) &&
    !lengthsDiffer(one.outputPerRequest, other.outputPerRequest)
  );
}

function halves(metric: MetricName): (cell: ComparedCell) => readonly Twins[] {
  return (cell) => {
    const values = valuesOf(cell, metric);
    if (values.length < FEWEST_TO_HALVE) return [];
    const middle = Math.floor(values.length / 2);
    const [first, second] = [mean(values.slice(0, middle)), mean(values.slice(middle))];
    if (first === undefined || second === undefined) return [];
    return [
      [
        { name: `first half of ${cell.label}`, mean: first },
        { name: "second half", mean: second },
      ],
    ];
  };
}

function valuesOf({ trials }: ComparedCell, metric: MetricName): readonly number[] {
  return trials.flatMap((trial) => trial.values.get(metric) ?? []);
}

function largest(twins: readonly Twins[], basis: NoiseFloor["basis"]): NoiseFloor | undefined {
  const floors = twins.map(([one, other]): NoiseFloor => {
    const difference = Math.abs(one.mean - other.mean);
    const middle = (one.mean + other.mean) / 2;
    return {
      difference,
      share: middle > 0 ? difference / middle : undefined,
      basis,
      between: [one.name, other.name],
    };
  });
  return floors.sort((one, other) => other.difference - one.difference)[0];
}
