/** Every ladder of a run: what more agents brought, by which law, and where it ends. */
import { randomStream } from "../../core/random.ts";
import type { ModelShape } from "../../predict/model-shape.ts";
import { bootstrap } from "../../stats/bootstrap.ts";
import type { Description } from "../../stats/describe.ts";
import { describe } from "../../stats/describe.ts";
import { mean } from "../../stats/quantile.ts";
import type { RunAnalysis } from "../analyse-run.ts";
import type { FittedLaw, FittedValue } from "./fit-laws.ts";
import { fitLaw, RESAMPLES } from "./fit-laws.ts";
import type { RooflineKnee } from "./knee.ts";
import { rooflineKnee } from "./knee.ts";
import type { Ladder, LadderLevel } from "./ladder.ts";
import { laddersOf } from "./ladder.ts";
import type { LawName } from "./laws.ts";
import { gustafsonShare, karpFlatt, LAW_NAMES, LAWS } from "./laws.ts";

export interface ScalingLevel {
  readonly agents: number;
  readonly label: string;
  readonly basis: LadderLevel["basis"];
  readonly tokS: Description;
  /** X(N) ÷ X(1); absent without a level of one agent. */
  readonly gain: number | undefined;
  readonly retention: number | undefined;
  /** The nulls: 1/N, and what ideal devices gain with the same requests. */
  readonly equalShare: number | undefined;
  readonly idealSharedGain: number | undefined;
  readonly idealOneAtATimeGain: number | undefined;
  readonly karpFlatt: FittedValue | undefined;
  readonly gustafsonShare: number | undefined;
}

export type LawChoice =
  | { readonly kind: "too-few-levels"; readonly levels: number; readonly needed: number }
  /** There are levels enough, and too few trials to hold laws against each other. */
  | { readonly kind: "too-few-trials"; readonly trials: number; readonly needed: number }
  /** None that has a meaning comes within 5 % of every level. */
  | { readonly kind: "none"; readonly nearest: FittedLaw | undefined }
  /** Best first; all are within 2 of the best by AICc. The first is the one with the fewest parameters. */
  | { readonly kind: "supported"; readonly laws: readonly LawName[] };

export interface LadderScaling {
  readonly name: string;
  readonly levels: readonly ScalingLevel[];
  /** Empty under four levels. */
  readonly laws: readonly FittedLaw[];
  readonly choice: LawChoice;
  readonly knee: RooflineKnee;
  /** (1 − s) ÷ s of Amdahl's fit, the knee that was measured; absent where s may be 0. */
  readonly measuredKneeAgents: number | undefined;
}

export interface ScalingOptions {
  /** The model's sizes, where its name in the manifest says nothing. */
  readonly shape?: ModelShape;
}

/** The USL has three parameters: below four levels it goes through the points, whatever they are. */
const FEWEST_LEVELS = 4;

/** Laws that differ by less than this in AICc are not told apart by the data. */
const SAME_SUPPORT = 2;

/** A run without a ladder has none. */
export function scalingOf(
  { cells, manifest }: Pick<RunAnalysis, "cells" | "manifest">,
  options: ScalingOptions = {},
): readonly LadderScaling[] {
  return laddersOf(cells, manifest).map((ladder) => {
    const enough = ladder.levels.length >= FEWEST_LEVELS;
    const laws = enough ? lawsToTry(ladder).flatMap((law) => fitLaw(law, ladder, manifest.seed) ?? []) : [];
    return {
      name: ladder.name,
      levels: levelsOf(ladder, manifest.seed),
      laws,
      choice: choose(ladder, laws),
      knee: rooflineKnee(ladder, manifest, options.shape),
      measuredKneeAgents: measuredKnee(laws),
    };
  });
}

/** Slots that nobody queued for make no law of their own. */
function lawsToTry({ slots, levels }: Ladder): readonly LawName[] {
  const queued = slots !== undefined && slots < (levels.at(-1)?.agents ?? 0);
  return LAW_NAMES.filter((law) => law !== "slots" || queued);
}

function levelsOf({ levels }: Ladder, seed: number): readonly ScalingLevel[] {
  const one = levels.find(({ agents }) => agents === 1);
  const oneTokS = one === undefined ? undefined : mean(one.tokS);
  return levels.map((level) => {
    const { tokS: values, ...rest } = level;
    const tokS = describe(values) as Description;
    const gain = oneTokS === undefined || oneTokS <= 0 ? undefined : tokS.mean / oneTokS;
    return {
      ...rest,
      tokS,
      gain,
      karpFlatt: gain === undefined ? undefined : karpFlattOf(one as LadderLevel, level, gain, seed),
      gustafsonShare: gain === undefined ? undefined : gustafsonShare(gain, level.agents),
    };
  });
}

function karpFlattOf(
  one: LadderLevel,
  level: LadderLevel,
  gain: number,
  seed: number,
): FittedValue | undefined {
  const value = karpFlatt(gain, level.agents);
  if (value === undefined) return undefined;
  const trials = [...one.tokS, ...level.tokS];
  // The first so many are one agent's; an index says so even where a jackknife leaves one of them out.
  const alone = one.tokS.length;
  const meanOf = (drawn: Uint32Array): number | undefined =>
    mean(Array.from(drawn, (index) => trials[index] as number));
  const result = bootstrap({
    strata: [alone, level.tokS.length],
    random: randomStream(seed, "karp-flatt", level.agents),
    resamples: RESAMPLES,
    figure: (drawn) => {
      const before = meanOf(drawn.filter((index) => index < alone));
      const after = meanOf(drawn.filter((index) => index >= alone));
      return before === undefined || after === undefined
        ? undefined
        : karpFlatt(after / before, level.agents);
    },
  });
  const interval =
    result.kind === "resampled" && result.interval.kind === "known"
      ? { low: result.interval.low, high: result.interval.high }
      : undefined;
  return { value, interval, spansZero: interval !== undefined && interval.low <= 0 && interval.high >= 0 };
}

function choose(ladder: Ladder, laws: readonly FittedLaw[]): LawChoice {
  const levels = ladder.levels.length;
  if (levels < FEWEST_LEVELS) return { kind: "too-few-levels", levels, needed: FEWEST_LEVELS };
  const exact = laws.filter((law) => law.worstShare < EXACT_SHARE);
  const ranked = exact.length > 0 ? simplestFirst(exact).slice(0, 1) : byAkaike(laws);
  const trials = ladder.levels.reduce((total, level) => total + level.tokS.length, 0);
  if (ranked.length === 0) return { kind: "too-few-trials", trials, needed: FEWEST_TRIALS };
  const adequate = ranked.filter((law) => law.standing === "fits");
  if (adequate.length === 0) return { kind: "none", nearest: nearestOf(laws) };
  return { kind: "supported", laws: simplestFirst(adequate).map(({ law }) => law) };
}

/** Rounding leaves a law that made the data this far from them; AICc has no value for such a fit. */
const EXACT_SHARE = 1e-9;

/** AICc of the USL: three parameters and a variance leave it no observation to spare below this. */
const FEWEST_TRIALS = 6;

/** Those not told apart from the best; none where one of the laws could not be judged. */
function byAkaike(laws: readonly FittedLaw[]): readonly FittedLaw[] {
  const known = laws.flatMap(({ akaike }) => akaike ?? []);
  if (known.length < laws.length) return [];
  const best = Math.min(...known);
  return laws.filter(({ akaike }) => (akaike as number) - best < SAME_SUPPORT);
}

function simplestFirst(laws: readonly FittedLaw[]): readonly FittedLaw[] {
  return [...laws].sort(
    (one, other) =>
      LAWS[one.law].parameters.length - LAWS[other.law].parameters.length ||
      (one.akaike ?? 0) - (other.akaike ?? 0),
  );
}

function nearestOf(laws: readonly FittedLaw[]): FittedLaw | undefined {
  return [...laws].sort((one, other) => one.worstShare - other.worstShare)[0];
}

function measuredKnee(laws: readonly FittedLaw[]): number | undefined {
  const amdahl = laws.find(({ law }) => law === "amdahl");
  const serial = amdahl?.parameters[0];
  if (serial === undefined || amdahl?.standing !== "fits" || serial.spansZero || serial.value <= 0)
    return undefined;
  return (1 - serial.value) / serial.value;
}
