/**
 * Requests that failed, on both sides of a pair of cells. Every other figure describes the requests
 * that were answered, and a server that answers fewer is often faster at it: without this a side
 * that times out looks better than one that serves.
 */
import type { RandomStream } from "../../core/random.ts";
import { pairedPermutationTest, permutationTest } from "../../stats/permutation.ts";
import type { Pairing } from "./pairing.ts";
import { trialPairs } from "./pairing.ts";
import type { ComparedCell, ComparedTrial } from "./side.ts";

export interface FailureCount {
  readonly failed: number;
  /** Answered and failed ones; not those that a set time cut off. */
  readonly requests: number;
}

export interface PairFailures {
  readonly a: FailureCount;
  readonly b: FailureCount;
  /** One-sided, of "B's trials lose no larger share than A's"; absent where a side has no such trial. */
  readonly p: number | undefined;
  /** p, adjusted by Holm over the cells with failures, is at most 0.05. */
  readonly bFailsMore: boolean;
}

/** A hundredth of the requests moves a median by a hundredth of its ranks: less than trials differ by. */
const TOLERATED_SHARE = 0.01;
/** Of the requests beyond a percentile, the share that may be missing. */
const TOLERATED_SHARE_OF_TAIL = 0.1;

/** `undefined` where no request failed on either side, or none is known of. */
export function failuresOf(
  a: ComparedCell,
  b: ComparedCell,
  pairing: Pairing,
  random: RandomStream,
): PairFailures | undefined {
  const [before, after] = [failureCount(a), failureCount(b)];
  if (before.failed + after.failed === 0) return undefined;
  return { a: before, b: after, p: moreInB(a, b, pairing, random), bFailsMore: false };
}

export function failureCount({ trials }: ComparedCell): FailureCount {
  const failed = trials.reduce((total, trial) => total + (trial.failed ?? 0), 0);
  return { failed, requests: failed + trials.reduce((total, trial) => total + trial.requests, 0) };
}

export function failedShare({ failed, requests }: FailureCount): number {
  return requests === 0 ? 0 : failed / requests;
}

/** More than a figure of the others can bear without being another one. */
export function loses(count: FailureCount): boolean {
  return failedShare(count) > TOLERATED_SHARE;
}

/**
 * Whether so many failed that a figure of the others may be another than that of all.
 * `percentile`: of the figure, where it is one over requests; a failed request belongs to the tail.
 */
export function couldHide({ a, b }: PairFailures, percentile: number | undefined): boolean {
  const tolerated =
    percentile === undefined
      ? TOLERATED_SHARE
      : Math.min(TOLERATED_SHARE, TOLERATED_SHARE_OF_TAIL * (1 - percentile));
  return Math.max(failedShare(a), failedShare(b)) > tolerated;
}

/**
 * A permutation test of the share that each trial lost: requests of one trial fail together, when a
 * server dies or a queue fills, so that the trial is the unit and not the request.
 */
function moreInB(
  a: ComparedCell,
  b: ComparedCell,
  { design }: Pairing,
  random: RandomStream,
): number | undefined {
  const choice = { random, tail: "above" as const };
  const test =
    design === "pairs"
      ? pairedPermutationTest(
          trialPairs(a, b).flatMap(([one, other]) => {
            const [before, after] = [lostShare(one), lostShare(other)];
            return before === undefined || after === undefined ? [] : [after - before];
          }),
          choice,
        )
      : permutationTest(b.trials.flatMap(lostShares), a.trials.flatMap(lostShares), choice);
  return test.kind === "tested" ? test.p : undefined;
}

function lostShares(trial: ComparedTrial): readonly number[] {
  const share = lostShare(trial);
  return share === undefined ? [] : [share];
}

/** `undefined` of a trial that says nothing of failures, or asked for nothing. */
function lostShare({ failed, requests }: ComparedTrial): number | undefined {
  return failed === undefined || failed + requests === 0 ? undefined : failed / (failed + requests);
}
