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
        figure ??= oncePerDraw(figures(q), groups.length);
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

/** Of 6 trials there are 462 draws that differ, of 7 there are 1,716: nearly as many as are made. */
const MOST_REMEMBERED = 6;

/**
 * A figure of few trials is worked out once for each draw that differs in how often it holds each
 * trial: of 5 trials there are 126 such, and 2,000 are made. The answers are the same.
 */
function oncePerDraw(figure: TrialFigure, trials: number): TrialFigure {
  if (trials > MOST_REMEMBERED) return figure;
  // How often each trial is drawn, as the digits of one number.
  const digits = Array.from({ length: trials }, (_, trial) => (trials + 1) ** trial);
  const known = new Map<number, number | undefined>();
  return (drawn) => {
    let key = 0;
    for (let place = 0; place < drawn.length; place++) key += digits[drawn[place] as number] as number;
    const before = known.get(key);
    if (before !== undefined || known.has(key)) return before;
    const value = figure(drawn);
    known.set(key, value);
    return value;
  };
}

function grouped(trials: readonly Float64Array[]): readonly Float64Array[] {
  if (trials.length <= MOST_DRAWN) return trials;
  return Array.from({ length: MOST_DRAWN }, (_, group) => {
    const [from, to] = [group, group + 1].map((edge) => Math.floor((edge * trials.length) / MOST_DRAWN));
    return Float64Array.from(trials.slice(from, to).flatMap((values) => [...values]));
  });
}
