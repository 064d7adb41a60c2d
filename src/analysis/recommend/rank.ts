/**
 * Which of some cells is best by one figure, if the data can say. The leader is held against every
 * other cell by Welch's test, corrected by Holm; a cell that runs with the same effective settings,
 * or whose distance lies within the noise floor, is no worse, whatever its p.
 */
import { cohensD } from "../../stats/cohens-d.ts";
import { holm } from "../../stats/holm.ts";
import { neededSize } from "../../stats/power.ts";
import { mean } from "../../stats/quantile.ts";
import { welchTest } from "../../stats/welch.ts";
import type { CellAnalysis } from "../cell.ts";
import type { Need } from "./need.ts";

export interface Contender {
  readonly cellHash: string;
  readonly label: string;
  readonly effectiveHash: string | undefined;
  /** One per trial, of the need's figure. */
  readonly values: readonly number[];
  readonly mean: number;
}

export type TieReason = "same-settings" | "noise-floor" | "not-significant" | "no-variance";

export interface Rival {
  readonly contender: Contender;
  /** Leader − rival. */
  readonly difference: number;
  readonly adjustedP: number | undefined;
}

export interface TiedRival extends Rival {
  readonly reason: TieReason;
}

export type Ranking =
  | { readonly kind: "no-data" }
  | { readonly kind: "only-one"; readonly leader: Contender }
  /** The cell with the fewest trials has `trials` of them. */
  | { readonly kind: "too-few"; readonly leader: Contender; readonly trials: number; readonly needed: number }
  | { readonly kind: "best"; readonly leader: Contender; readonly beaten: readonly Rival[] }
  | {
      readonly kind: "tie";
      readonly leader: Contender;
      readonly tied: readonly TiedRival[];
      readonly beaten: readonly Rival[];
      /** Trials of each cell that would decide the largest tied distance, if it is real; absent where none would. */
      readonly neededTrials: number | undefined;
    };

/** Of two trials each, one odd one is half of the evidence, and the variance has one degree of freedom. */
export const FEWEST_TRIALS = 3;

/** What Holm's correction holds for all rivals together. */
const ALPHA = 0.05;

/** `noiseFloor`: by how much the same settings differed from themselves, in the figure's unit. */
export function rank(cells: readonly CellAnalysis[], need: Need, noiseFloor: number | undefined): Ranking {
  const contenders = cells
    .flatMap((cell) => contenderOf(cell, need))
    .sort((first, second) => second.mean - first.mean);
  const [leader, ...others] = contenders;
  if (leader === undefined) return { kind: "no-data" };
  if (others.length === 0) return { kind: "only-one", leader };
  const trials = Math.min(...contenders.map((one) => one.values.length));
  if (trials < FEWEST_TRIALS) return { kind: "too-few", leader, trials, needed: FEWEST_TRIALS };
  const tests = others.map((other) => welchTest(leader.values, other.values));
  const corrected = holm(tests.map((test) => (test.kind === "tested" ? test.p : undefined)));
  const tied: TiedRival[] = [];
  const beaten: Rival[] = [];
  others.forEach((contender, place) => {
    const result = corrected[place];
    const adjusted = result?.kind === "adjusted" ? result : undefined;
    const difference = leader.mean - contender.mean;
    const rival: Rival = { contender, difference, adjustedP: adjusted?.adjustedP };
    const tested = tests[place]?.kind === "tested";
    const reason = tieReason(leader, rival, noiseFloor, tested, adjusted?.rejected ?? false);
    if (reason === undefined) beaten.push(rival);
    else tied.push({ ...rival, reason });
  });
  if (tied.length === 0) return { kind: "best", leader, beaten };
  return { kind: "tie", leader, tied, beaten, neededTrials: neededTrials(leader, tied, others.length) };
}

function contenderOf(cell: CellAnalysis, need: Need): readonly Contender[] {
  const values = cell.blocks.map(need.of).filter((value) => value !== undefined);
  const average = mean(values);
  return average === undefined
    ? []
    : [{ cellHash: cell.hash, label: cell.label, effectiveHash: cell.effectiveHash, values, mean: average }];
}

function tieReason(
  leader: Contender,
  { contender, difference }: Rival,
  noiseFloor: number | undefined,
  tested: boolean,
  rejected: boolean,
): TieReason | undefined {
  const { effectiveHash } = leader;
  if (effectiveHash !== undefined && effectiveHash === contender.effectiveHash) return "same-settings";
  if (noiseFloor !== undefined && Math.abs(difference) <= noiseFloor) return "noise-floor";
  if (!tested) return "no-variance";
  return rejected ? undefined : "not-significant";
}

/**
 * By Holm's first step, alpha over all rivals. More than there are in any case: as many again as have
 * just failed to decide would promise what they did not keep.
 */
function neededTrials(leader: Contender, tied: readonly TiedRival[], rivals: number): number | undefined {
  const sizes = tied.flatMap(({ contender, reason }) => {
    if (reason !== "not-significant") return [];
    const effect = cohensD(leader.values, contender.values);
    const size = effect.kind === "known" ? neededSize(effect.d, { alpha: ALPHA / rivals }) : undefined;
    const trials = Math.max(leader.values.length, contender.values.length);
    return size?.kind === "known" ? [Math.max(size.n, trials + 1)] : [];
  });
  return sizes.length === 0 ? undefined : Math.min(...sizes);
}
