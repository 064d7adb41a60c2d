/**
 * Whether trials may be compared two by two. That is decided from how they were run, before any
 * figure is looked at: pairing by what gives the smaller p would find differences that are not there.
 */
import type { ComparedCell, ComparedTrial, Side } from "./side.ts";

export interface Pairing {
  readonly design: "pairs" | "two-samples";
  /** Why, as a part of a sentence. */
  readonly reason: string;
}

/** Fewer pairs have no variance of their own. */
const FEWEST_PAIRS = 2;

export function pairingOf(a: Side, aCell: ComparedCell, b: Side, bCell: ComparedCell): Pairing {
  const pairs = trialPairs(aCell, bCell);
  const whole = pairs.length === aCell.trials.length && pairs.length === bCell.trials.length;
  if (!whole || pairs.length < FEWEST_PAIRS) return twoSamples("their repeats do not correspond one to one");
  if (a.manifest.runId === b.manifest.runId) {
    if (a.blocks === "unknown") return twoSamples("nothing is known of the order in which they ran");
    return {
      design: "pairs",
      reason:
        a.blocks === "shuffled"
          ? "both ran in the same blocks of one run, in shuffled order: drift of the machine falls on both"
          : "both ran in the same blocks of one run: slow drift of the machine falls on both, but the order was not shuffled",
    };
  }
  if (sameWorkInEveryPair(pairs) && workVaries(aCell.trials))
    return {
      design: "pairs",
      reason: "the same repeat of both runs sent the same prompts, and repeats differ in theirs",
    };
  return twoSamples("the trials of two runs share neither a block nor their prompts");
}

function twoSamples(reason: string): Pairing {
  return { design: "two-samples", reason };
}

/** The trials of the same repeat, in the order of the repeats. */
export function trialPairs(
  a: ComparedCell,
  b: ComparedCell,
): readonly (readonly [ComparedTrial, ComparedTrial])[] {
  const byRepeat = new Map(b.trials.map((trial) => [trial.repeat, trial]));
  return a.trials.flatMap((trial) => {
    const other = byRepeat.get(trial.repeat);
    return other === undefined ? [] : [[trial, other] as const];
  });
}

function sameWorkInEveryPair(pairs: readonly (readonly [ComparedTrial, ComparedTrial])[]): boolean {
  return pairs.every(([one, other]) => one.promptFingerprint === other.promptFingerprint);
}

/** With the same prompts in every repeat there is nothing that a pair would share and others would not. */
function workVaries(trials: readonly ComparedTrial[]): boolean {
  return new Set(trials.map((trial) => trial.promptFingerprint)).size > 1;
}
