/** A comparison as a section: the gate's answer first, then each pair of cells in sentences and figures. */
import type {
  ComparedMetric,
  ComparedPair,
  Comparison,
  SideFacts,
} from "../../analysis/compare/compare-runs.ts";
import type { NoiseFloor } from "../../analysis/compare/noise-floor.ts";
import type { GateResult } from "../../analysis/gate.ts";
import { UNKNOWN } from "../../core/units.ts";
import { figureText, intervalText, pText } from "../section/figure-text.ts";
import type { Section, SectionBlock } from "../section/section.ts";
import { heading, lead, left, list, note, plain, right, table } from "../section/section.ts";
import { changeInterval, changeText, effectText, marginText, percentText, signed } from "./change-text.ts";
import { checkName, checkReason, gateHeadline, LOST_CELL } from "./gate-text.ts";
import { metricSentence, missingSentence, wordOf } from "./sentence.ts";

export interface ComparisonView {
  readonly comparison: Comparison;
  readonly gate: GateResult | undefined;
  /** `full` adds the figures behind the sentences that do not fit a terminal. */
  readonly detail: "short" | "full";
}

export function comparisonSection({ comparison, gate, detail }: ComparisonView): Section {
  const { a, b, pairs } = comparison;
  return {
    id: "compare",
    title: "Comparison",
    simulated: comparison.simulated,
    blocks: [
      ...(gate === undefined ? [] : gateBlocks(gate)),
      ...(gate === undefined ? [lead(headline(comparison))] : [plain(headline(comparison))]),
      ...list([`A: ${sideText(a)}`, `B: ${sideText(b)}`, ...differing(comparison)]),
      ...list(comparison.caveats.map(({ code, message, remedy }) => `${code}: ${message}. → ${remedy}`)),
      ...pairs.flatMap((pair) => pairBlocks(pair, comparison, detail)),
      ...alone(comparison),
      note(meaning(comparison)),
    ],
  };
}

function sideText({ name, runId, scenario, simulated }: SideFacts): string {
  const run = name.includes(runId) ? "" : ` (${runId})`;
  return `${name}${run}, ${scenario}${simulated ? ", SIMULATED" : ""}`;
}

function differing({ settings }: Comparison): readonly string[] {
  return settings.length === 0
    ? []
    : [
        `Settings that differ: ${settings.map(({ name, a, b }) => `${name} ${a ?? UNKNOWN} → ${b ?? UNKNOWN}`).join(", ")}.`,
      ];
}

function gateBlocks(gate: GateResult): readonly SectionBlock[] {
  return [
    lead(gateHeadline(gate)),
    ...list([
      ...gate.checks.map((check) => `${check.verdict}: ${checkName(check)}: ${checkReason(check)}`),
      ...gate.lostCells.map((cell) => `inconclusive: ${cell}: ${LOST_CELL}`),
    ]),
  ];
}

function headline({ pairs }: Comparison): string {
  const words = pairs.flatMap((pair) => pair.metrics.map(wordOf));
  const parts = (
    ["better", "worse", "same", "noise", "equal", "not decided", "not comparable", "unknown"] as const
  )
    .map((word) => ({ word, count: words.filter((one) => one === word).length }))
    .filter(({ count }) => count > 0)
    .map(({ word, count }) => `${count} ${word}`);
  const cells = `${pairs.length} cell${pairs.length === 1 ? "" : "s"}`;
  return `B against A in ${cells}: of ${words.length} figures ${parts.join(", ")}.`;
}

function pairBlocks(
  pair: ComparedPair,
  comparison: Comparison,
  detail: ComparisonView["detail"],
): readonly SectionBlock[] {
  return [
    heading(pair.a.label === pair.b.label ? pair.a.label : `${pair.a.label} → ${pair.b.label}`),
    plain(designSentence(pair)),
    ...metricTable(pair.metrics),
    ...list([
      ...pair.metrics.map((metric) => metricSentence(metric, comparison)),
      ...pair.missing.map(missingSentence),
    ]),
    ...(detail === "full" ? detailTable(pair.metrics) : []),
  ];
}

function designSentence({ a, b, pairing }: ComparedPair): string {
  const counts = a.trials === b.trials ? `${a.trials} trials each` : `${a.trials} and ${b.trials} trials`;
  return pairing.design === "pairs"
    ? `${counts}, compared in pairs: ${pairing.reason}.`
    : `${counts}, not in pairs: ${pairing.reason}.`;
}

function metricTable(metrics: readonly ComparedMetric[]): readonly SectionBlock[] {
  return table(
    "",
    [
      left("metric"),
      right("A"),
      right("B"),
      right("change"),
      right("95 % CI"),
      right("adj. p"),
      left("B is"),
    ],
    metrics.map((metric) => [
      metric.metric,
      figureText(metric.a.mean),
      figureText(metric.b.mean),
      changeText(metric),
      changeInterval(metric),
      metric.holm.kind === "adjusted" ? pText(metric.holm.adjustedP) : UNKNOWN,
      wordOf(metric),
    ]),
  );
}

function detailTable(metrics: readonly ComparedMetric[]): readonly SectionBlock[] {
  return table(
    "The figures behind it: B − A in the metric's unit.",
    [
      left("metric"),
      right("n A"),
      right("n B"),
      right("p"),
      right("permutation p"),
      right("Cohen's d"),
      right("Hodges–Lehmann shift"),
      right("its interval"),
      right("equivalence p"),
      right("A/A noise floor"),
    ],
    metrics.map((metric) => [
      metric.metric,
      String(metric.a.n),
      String(metric.b.n),
      metric.difference.kind === "tested" ? pText(metric.difference.p) : UNKNOWN,
      metric.permutation.kind === "tested" ? pText(metric.permutation.p) : UNKNOWN,
      metric.effect.kind === "known" ? `${effectText(metric.effect.d)} (${metric.effect.size})` : UNKNOWN,
      metric.shift.kind === "known" ? signed(metric.shift.shift) : UNKNOWN,
      shiftInterval(metric),
      metric.equivalence.kind === "tested" ? pText(metric.equivalence.p) : UNKNOWN,
      noiseText(metric),
    ]),
  );
}

function shiftInterval({ shift }: ComparedMetric): string {
  if (shift.kind !== "known") return UNKNOWN;
  const { interval } = shift;
  if (interval.kind === "known") return intervalText(interval);
  return `the widest covers ${(interval.widestCoverage * 100).toFixed(0)} %`;
}

function noiseText({ noiseFloor }: ComparedMetric): string {
  if (noiseFloor === undefined) return UNKNOWN;
  const size = noiseFloor.share === undefined ? signed(noiseFloor.difference) : percentText(noiseFloor.share);
  return `${size.replace(/^\+/, "")} (${NOISE_BASIS[noiseFloor.basis]})`;
}

const NOISE_BASIS: Readonly<Record<NoiseFloor["basis"], string>> = {
  "same-settings": "same settings",
  halves: "halves",
  "halves-of-pairs": "halves of the pairs",
};

function alone({ onlyA, onlyB, a, b }: Comparison): readonly SectionBlock[] {
  return list([
    ...(onlyA.length > 0 ? [`Only in ${a.name}: ${onlyA.join(", ")}.`] : []),
    ...(onlyB.length > 0 ? [`Only in ${b.name}: ${onlyB.join(", ")}.`] : []),
  ]);
}

function meaning({ familySize, margin }: Comparison): string {
  return `Each trial is one value. Intervals and p: Student's t within pairs, else Welch's; p adjusted by Holm over the ${familySize === 1 ? "one figure" : `${familySize} figures`} shown. Same: shown to differ by less than ${marginText(margin)} (two one-sided tests).`;
}
