/** Two runs, cell by cell and metric by metric, with one family of tests for everything that is said. */
import { randomStream } from "../../core/random.ts";
import type { HolmResult } from "../../stats/holm.ts";
import { holm } from "../../stats/holm.ts";
import type { Caveat } from "./caveats.ts";
import { caveatsOf, failureCaveats } from "./caveats.ts";
import type { Contrast, ContrastResult } from "./contrast.ts";
import { contrastOf } from "./contrast.ts";
import type { PairFailures } from "./failures.ts";
import { couldHide, failureCount, failuresOf } from "./failures.ts";
import type { CellPair } from "./match-cells.ts";
import { matchCells } from "./match-cells.ts";
import type { MetricName } from "./metric.ts";
import { metricOf, USUAL_METRICS } from "./metric.ts";
import type { NoiseFloor } from "./noise-floor.ts";
import { noiseFloorOf } from "./noise-floor.ts";
import type { Pairing } from "./pairing.ts";
import { pairingOf } from "./pairing.ts";
import type { NeededSize } from "../../stats/power.ts";
import type { Change } from "./samples.ts";
import { NO_CHANGE, repeatsToDecide } from "./samples.ts";
import type { SettingDifference } from "./setting-differences.ts";
import { settingDifferences } from "./setting-differences.ts";
import type { ComparedCell, Side } from "./side.ts";
import { isUnlikeWork } from "./work.ts";

export interface ComparedMetric extends Contrast {
  /** Over the whole family of the comparison. */
  readonly holm: HolmResult;
  readonly noiseFloor: NoiseFloor | undefined;
  /** No larger than what the same thing differs from itself by. */
  readonly withinNoise: boolean;
  /** Why its change is no effect of anything but this, and is called neither better, worse nor the same. */
  readonly unjudged: "other-work" | "failures" | undefined;
  /** Repeats that would decide, within this family, whether there is a change as large as the one seen. */
  readonly repeatsNeeded: NeededSize | undefined;
}

export interface MissingMetric {
  readonly metric: MetricName;
  readonly reason: string;
}

export interface ComparedPair {
  readonly a: CellFacts;
  readonly b: CellFacts;
  readonly matchedBy: CellPair["matchedBy"];
  readonly pairing: Pairing;
  /** Absent where none are known of. */
  readonly failures: PairFailures | undefined;
  readonly metrics: readonly ComparedMetric[];
  readonly missing: readonly MissingMetric[];
}

export interface CellFacts {
  readonly label: string;
  readonly agents: number;
  readonly trials: number;
  /** Answered and failed ones of all trials. */
  readonly requests: number;
}

export interface SideFacts {
  readonly name: string;
  readonly runId: string;
  readonly scenario: string;
  readonly simulated: boolean;
}

export interface Comparison {
  readonly a: SideFacts;
  readonly b: SideFacts;
  /** Some figure comes from the simulated engine. */
  readonly simulated: boolean;
  /** Tests that Holm's correction counts: metrics × cells. */
  readonly familySize: number;
  readonly margin: Change;
  readonly pairs: readonly ComparedPair[];
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
  /** Of `onlyA`, those that B's whole run has no partner for either: not what a name narrowed away. */
  readonly lost: readonly string[];
  /** What the servers themselves say was set differently: perhaps the cause that is looked for. */
  readonly settings: readonly SettingDifference[];
  readonly caveats: readonly Caveat[];
}

export interface CompareOptions {
  /** The declared family; default {@link USUAL_METRICS}. */
  readonly metrics?: readonly MetricName[];
  /** Changes below it are called equivalent where that is shown; default 5 % of A. */
  readonly margin?: Change;
}

/** A twentieth is what one trial differs from the next by on a quiet machine. */
export const USUAL_MARGIN: Change = { kind: "relative", share: 0.05 };

export const ALPHA = 0.05;

/** A comparison without a common cell has no pairs and says which cells stood alone. */
export function compareRuns(a: Side, b: Side, options: CompareOptions = {}): Comparison {
  const metrics = options.metrics ?? USUAL_METRICS;
  const margin = options.margin ?? USUAL_MARGIN;
  const match = matchCells(a.cells, b.cells);
  const results = match.pairs.map((pair) => {
    const pairing = pairingOf(a, pair.a, b, pair.b);
    const own = metrics.map((metric) =>
      contrastOf({
        metric,
        a: pair.a,
        b: pair.b,
        pairing,
        margin,
        random: randomStream(a.manifest.seed, "compare", pair.a.hash, pair.b.hash, metric),
      }),
    );
    const random = randomStream(a.manifest.seed, "failures", pair.a.hash, pair.b.hash);
    return { pair, pairing, results: own, failures: failuresOf(pair.a, pair.b, pairing, random) };
  });
  const failures = adjustedFailures(results);
  const family = results.flatMap(({ results: own }) => own.flatMap(pOf));
  const adjusted = holm(family, ALPHA);
  let next = 0;
  const runs = a.manifest.runId === b.manifest.runId ? [a] : [a, b];
  return {
    a: sideFacts(a),
    b: sideFacts(b),
    simulated: a.simulated || b.simulated,
    familySize: family.length,
    margin,
    pairs: results.map(({ pair, pairing, results: own }, index) => ({
      a: cellFacts(pair.a),
      b: cellFacts(pair.b),
      matchedBy: pair.matchedBy,
      pairing,
      failures: failures[index],
      metrics: own.flatMap((result) =>
        result.kind === "missing"
          ? []
          : [
              comparedMetric(result.contrast, adjusted[next++] ?? { kind: "undefined" }, {
                pair,
                runs,
                familySize: family.length,
                failures: failures[index],
              }),
            ],
      ),
      missing: own.flatMap((result) =>
        result.kind === "missing" ? [{ metric: result.metric, reason: result.reason }] : [],
      ),
    })),
    onlyA: match.onlyA,
    onlyB: match.onlyB,
    lost: b.cells.length === b.allCells.length ? match.onlyA : matchCells(a.cells, b.allCells).onlyA,
    settings: settingDifferences(a, b, match.pairs),
    caveats: [
      ...caveatsOf(a, b, match.pairs),
      ...results.flatMap(({ pair }, index) => failureCaveats(pair.a.label, failures[index])),
    ],
  };
}

/** A metric that one side does not have was never tested; one without variance keeps its place in the family. */
function pOf(result: ContrastResult): readonly (number | undefined)[] {
  if (result.kind === "missing") return [];
  const { difference } = result.contrast;
  return [difference.kind === "tested" ? difference.p : undefined];
}

interface MetricContext {
  readonly pair: CellPair;
  readonly runs: readonly Side[];
  readonly familySize: number;
  readonly failures: PairFailures | undefined;
}

function comparedMetric(
  contrast: Contrast,
  adjusted: HolmResult,
  { pair, runs, familySize, failures }: MetricContext,
): ComparedMetric {
  // Within one run the pair itself is the question, and cannot be its own noise floor.
  const repeats = runs.map(({ allCells }) =>
    runs.length > 1 ? allCells : allCells.filter((cell) => cell.hash !== pair.b.hash),
  );
  const noiseFloor = noiseFloorOf(contrast.metric, repeats, [pair.a, pair.b], contrast.samples);
  const change = contrast.difference.kind === "too-few" ? undefined : contrast.difference.difference;
  return {
    ...contrast,
    holm: adjusted,
    noiseFloor,
    withinNoise:
      noiseFloor !== undefined && change !== undefined && Math.abs(change) <= noiseFloor.difference,
    unjudged: unjudgedFor(contrast.metric, pair, failures),
    // Holm asks at most this of any p of the family, so that it is never too few.
    repeatsNeeded: repeatsToDecide(contrast.samples, NO_CHANGE, ALPHA / familySize),
  };
}

function unjudgedFor(
  metric: MetricName,
  { a, b }: CellPair,
  failures: PairFailures | undefined,
): ComparedMetric["unjudged"] {
  const { describes, percentile } = metricOf(metric);
  if (describes === "outcome") return undefined;
  if (failures !== undefined && couldHide(failures, percentile)) return "failures";
  return describes === "work" && isUnlikeWork(a, b) ? "other-work" : undefined;
}

/** Over the cells in which something failed: a family of its own, which no choice of figures makes stricter. */
function adjustedFailures(
  pairs: readonly { readonly failures: PairFailures | undefined }[],
): readonly (PairFailures | undefined)[] {
  const known = pairs.flatMap(({ failures }) => (failures === undefined ? [] : [failures]));
  const adjusted = holm(
    known.map(({ p }) => p),
    ALPHA,
  );
  return pairs.map(({ failures }) => {
    if (failures === undefined) return undefined;
    const own = adjusted[known.indexOf(failures)];
    return { ...failures, bFailsMore: own?.kind === "adjusted" && own.rejected };
  });
}

function sideFacts({ name, manifest, simulated }: Side): SideFacts {
  return { name, runId: manifest.runId, scenario: manifest.scenario, simulated };
}

function cellFacts(cell: ComparedCell): CellFacts {
  const { label, agents, trials } = cell;
  return { label, agents, trials: trials.length, requests: failureCount(cell).requests };
}
