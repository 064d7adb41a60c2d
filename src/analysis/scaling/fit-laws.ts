/**
 * Every law fitted to the same trials, with intervals from other trials that might have been. The
 * error of a throughput grows with it, so each trial weighs 1 ÷ (its level's mean)²: the least
 * squares of relative errors. That has the same minimum as a fit of the levels' means weighted by
 * how many trials each has, and keeps the spread within levels for the choice between laws.
 */
import { randomStream } from "../../core/random.ts";
import type { Bootstrap } from "../../stats/bootstrap.ts";
import { bootstrap } from "../../stats/bootstrap.ts";
import { describe } from "../../stats/describe.ts";
import type { ConvergedFit } from "../../stats/fit-result.ts";
import { correctedAkaike } from "../../stats/fit-result.ts";
import { fitLeastSquares } from "../../stats/least-squares.ts";
import type { Observation } from "../../stats/linearised-model.ts";
import { mean } from "../../stats/quantile.ts";
import type { Ladder, LadderLevel } from "./ladder.ts";
import type { LawName } from "./laws.ts";
import { LAWS, uslPeak } from "./laws.ts";

export interface FittedLaw {
  readonly law: LawName;
  readonly oneTokS: FittedValue;
  readonly parameters: readonly (FittedValue & { readonly name: string })[];
  /** The USL's N*; absent of other laws, and where κ is not above 0. */
  readonly peakAgents: FittedValue | undefined;
  /** Lower is better supported; absent where the trials are too few for that many parameters. */
  readonly akaike: number | undefined;
  /** `fits`: the law lies within 5 % of every level's mean, or within that mean's interval. */
  readonly standing: "fits" | "off" | "meaningless";
  /** The law's largest distance from a level's mean, as a share of that. */
  readonly worstShare: number;
  readonly band: readonly BandPoint[];
}

export interface FittedValue {
  readonly value: number;
  /** Over trials, drawn within levels; absent where they are too few or never vary. */
  readonly interval: { readonly low: number; readonly high: number } | undefined;
  /** The interval holds 0: the data do not show that there is such an effect at all. */
  readonly spansZero: boolean;
}

export interface BandPoint {
  readonly agents: number;
  readonly tokS: number;
  readonly low: number | undefined;
  readonly high: number | undefined;
}

/** Ends of an interval rest on 25 replicates each, and every replicate is five fits. */
export const RESAMPLES = 1_000;
/** A level may lie off by as much as one trial differs from the next on a quiet machine. */
const TOLERATED_SHARE = 0.05;
/** Points of a drawn curve between and at the levels. */
const BAND_POINTS = 13;

export type FittedLadder = Pick<Ladder, "levels" | "slots">;

/** `undefined` where the law cannot be fitted to these levels. */
export function fitLaw(law: LawName, ladder: FittedLadder, seed: number): FittedLaw | undefined {
  const { levels, slots } = ladder;
  const fit = fitOf(law, observationsOf(levels), slots);
  if (fit === undefined) return undefined;
  const resample = resampler(law, ladder, fit);
  // One stream for all figures of a law: each sees the same draws in the same order, so that the
  // n-th fit is made once and used for all of them.
  const interval = (
    figure: (parameters: readonly number[]) => number | undefined,
  ): FittedValue["interval"] => {
    let draw = 0;
    return intervalOf(
      bootstrap({
        strata: levels.map((level) => level.tokS.length),
        resamples: RESAMPLES,
        random: randomStream(seed, "scaling"),
        figure: (drawn) => {
          const parameters = resample(draw++, drawn);
          return parameters === undefined ? undefined : figure(parameters);
        },
      }),
    );
  };
  const parameters = fit.parameters.map(({ value }) => value);
  const valueAt = (index: number): FittedValue =>
    fitted(
      parameters[index] as number,
      interval((values) => values[index]),
    );
  const peak = law === "usl" ? uslPeak(parameters[1] as number, parameters[2] as number) : undefined;
  const throughput = (agents: number): number => LAWS[law].throughput(agents, parameters, slots);
  const named = LAWS[law].parameters.map((name, index) => ({ name, ...valueAt(index + 1) }));
  return {
    law,
    oneTokS: valueAt(0),
    parameters: named,
    peakAgents:
      peak === undefined
        ? undefined
        : fitted(
            peak,
            interval((values) => uslPeak(values[1] as number, values[2] as number)),
          ),
    akaike: correctedAkaike(fit),
    ...standingOf(levels, throughput, named),
    band: gridOf(levels).map((agents) => {
      const around = interval((values) => LAWS[law].throughput(agents, values, slots));
      return { agents, tokS: throughput(agents), low: around?.low, high: around?.high };
    }),
  };
}

function observationsOf(levels: readonly LadderLevel[]): readonly Observation<number>[] {
  return levels.flatMap(({ agents, tokS }) => {
    const average = mean(tokS) as number;
    return tokS.map((value) => ({ input: agents, value, weight: 1 / average ** 2 }));
  });
}

function fitOf(
  law: LawName,
  observations: readonly Observation<number>[],
  slots: number | undefined,
  near?: ConvergedFit,
): ConvergedFit | undefined {
  const { start, throughput } = LAWS[law];
  const [first] = observations;
  if (first === undefined) return undefined;
  const parameters = start(first.value / (law === "saturated" ? 1 : first.input)).map((parameter, index) => ({
    ...parameter,
    start: near?.parameters[index]?.value ?? parameter.start,
  }));
  const model = (agents: number, values: ArrayLike<number>): number => throughput(agents, values, slots);
  const fit = fitLeastSquares({ observations, parameters, model });
  return fit.kind === "converged" ? fit : undefined;
}

/** The parameters of the n-th draw of trials, fitted through the means of what was drawn of each level. */
function resampler(
  law: LawName,
  { levels, slots }: FittedLadder,
  near: ConvergedFit,
): (draw: number, trials: Uint32Array) => readonly number[] | undefined {
  const values = Float64Array.from(levels.flatMap((level) => level.tokS));
  const levelOf = Uint32Array.from(levels.flatMap((level, index) => level.tokS.map(() => index)));
  const averages = levels.map((level) => mean(level.tokS) as number);
  const fits: (readonly number[] | undefined)[] = [];
  return (draw, trials) => {
    if (draw < fits.length) return fits[draw];
    const sums = new Float64Array(levels.length);
    const counts = new Float64Array(levels.length);
    for (const trial of trials) {
      const level = levelOf[trial] as number;
      sums[level] = (sums[level] as number) + (values[trial] as number);
      counts[level] = (counts[level] as number) + 1;
    }
    const observations = levels.map(({ agents }, index): Observation<number> => {
      const count = counts[index] as number;
      return {
        input: agents,
        value: (sums[index] as number) / count,
        weight: count / (averages[index] as number) ** 2,
      };
    });
    fits[draw] = fitOf(law, observations, slots, near)?.parameters.map(({ value }) => value);
    return fits[draw];
  };
}

function intervalOf(result: Bootstrap): FittedValue["interval"] {
  if (result.kind !== "resampled" || result.interval.kind !== "known") return undefined;
  return { low: result.interval.low, high: result.interval.high };
}

function fitted(value: number, interval: FittedValue["interval"]): FittedValue {
  return { value, interval, spansZero: interval !== undefined && interval.low <= 0 && interval.high >= 0 };
}

/** Below 0 by more than a fit's last digits: agents would have to speed each other up. */
const LEAST_SHARE = -0.01;

function standingOf(
  levels: readonly LadderLevel[],
  throughput: (agents: number) => number,
  parameters: readonly FittedValue[],
): Pick<FittedLaw, "standing" | "worstShare"> {
  let standing: FittedLaw["standing"] = "fits";
  let worstShare = 0;
  for (const { agents, tokS } of levels) {
    const measured = describe(tokS);
    if (measured === undefined) continue;
    const expected = throughput(agents);
    const share = Math.abs(expected / measured.mean - 1);
    worstShare = Math.max(worstShare, share);
    const { spread } = measured;
    const covered = spread.kind === "known" && expected >= spread.ci95.low && expected <= spread.ci95.high;
    if (share > TOLERATED_SHARE && !covered) standing = "off";
  }
  const below = parameters.some(({ value, interval }) => (interval?.high ?? value) < LEAST_SHARE);
  return { standing: below ? "meaningless" : standing, worstShare };
}

/** The levels themselves and even steps between the first and the last. */
function gridOf(levels: readonly LadderLevel[]): readonly number[] {
  const counts = levels.map((level) => level.agents);
  const [first, last] = [Math.min(...counts), Math.max(...counts)];
  const even = Array.from(
    { length: BAND_POINTS },
    (_, index) => first + ((last - first) * index) / (BAND_POINTS - 1),
  );
  return [...new Set([...counts, ...even])].sort((one, other) => one - other);
}
