/**
 * How far a percentile over requests would move, had other trials of the same kind been run: a BCa
 * interval from trials drawn with repetition. Requests are never drawn by themselves, because those
 * of one trial share its luck.
 */
import type { RandomStream } from "../core/random.ts";
import type { BootstrapMethod } from "../stats/bca.ts";
import type { TrialFigure } from "../stats/bootstrap.ts";
import { bootstrap } from "../stats/bootstrap.ts";
import type { NoVariance, TooFew } from "../stats/no-answer.ts";
import { percentileFigures } from "../stats/resampled-figures.ts";

export type PercentileInterval =
  /** 95 %. `drawn`: how many trials, or groups of neighbouring trials, it was drawn from. */
  | {
      readonly kind: "known";
      readonly low: number;
      readonly high: number;
      readonly method: BootstrapMethod;
      readonly drawn: number;
    }
  | NoVariance
  /** Of trials. */
  | TooFew
  /** Too many of the resamples have no request at all. */
  | { readonly kind: "unstable" }
  /** Kept as one histogram over all trials, which cannot be drawn from. */
  | { readonly kind: "not-by-trial" };

/**
 * Twice the 1,000 that section 9 of Efron's paper on BCa (see `stats/bca`) calls a rough minimum: each
 * end rests on 50 replicates. A report has thousands of these intervals.
 */
const RESAMPLES = 2_000;

/**
 * More trials are drawn in so many groups of neighbours, which also keeps a slow drift of the
 * machine inside of its group: E. Carlstein, Annals of Statistics 14 (1986). An interval from 200
 * groups is as wide as one from all trials to within a twentieth.
 */
const MOST_DRAWN = 200;

/**
 * `requestsOfTrials`: the values of each trial, in the order of trials. `random` starts the stream
 * again, so that every q sees the same draws. Nothing is sorted where trials are too few.
 */
export function percentileIntervals(
  requestsOfTrials: readonly Float64Array[],
  random: () => RandomStream,
): (q: number) => PercentileInterval {
  const groups = grouped(requestsOfTrials);
  let figures: ReturnType<typeof percentileFigures> | undefined;
  return (q) => {
    let figure: TrialFigure | undefined;
    const result = bootstrap({
      strata: [groups.length],
      figure: (trials) => {
        figures ??= percentileFigures(groups);
        figure ??= figures(q);
        return figure(trials);
      },
      random: random(),
      resamples: RESAMPLES,
    });
    switch (result.kind) {
      case "resampled":
        return result.interval.kind === "known"
          ? { ...result.interval, drawn: groups.length }
          : result.interval;
      case "unstable":
        return { kind: "unstable" };
      case "too-few":
        return result;
    }
  };
}

function grouped(trials: readonly Float64Array[]): readonly Float64Array[] {
  if (trials.length <= MOST_DRAWN) return trials;
  return Array.from({ length: MOST_DRAWN }, (_, group) => {
    const [from, to] = [group, group + 1].map((edge) => Math.floor((edge * trials.length) / MOST_DRAWN));
    return Float64Array.from(trials.slice(from, to).flatMap((values) => [...values]));
  });
}
