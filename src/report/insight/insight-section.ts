/** The summary of a run as a section: distribution, top and bottom, consistency, contention, outliers. */
import { UNKNOWN } from "../../core/units.ts";
import type { Outlier } from "../../analysis/insight/outlier-causes.ts";
import type { GroupInsight, RankedCell, RunInsight } from "../../analysis/insight/run-insight.ts";
import { figureText, withUnit } from "../section/figure-text.ts";
import type { Section, SectionBlock } from "../section/section.ts";
import { heading, lead, left, list, plain, right, table } from "../section/section.ts";

export function insightSection(insight: RunInsight): Section {
  const { overall, scenarios, top, bottom, rankedBy, outliers } = insight;
  return {
    id: "summary",
    title: "Summary",
    simulated: insight.simulated,
    blocks: [
      lead(firstSentence(insight)),
      ...(rankedBy.caution === undefined ? [] : [plain(sentence(rankedBy.caution))]),
      ...distribution(overall, "Over all trials; sd within: between repeats of one configuration"),
      plain(contentionSentence(overall)),
      ...(scenarios.length === 0
        ? []
        : [
            heading("By scenario"),
            ...scenarios.flatMap((one) => [
              ...distribution(
                one,
                `${one.name}: ${counted(one.configurations, "configuration")}, ${counted(one.trials, "trial")}`,
              ),
              plain(contentionSentence(one)),
            ]),
          ]),
      ...ranked(`Top, by mean ${rankedBy.name}`, top, rankedBy.unit),
      ...ranked(`Bottom, by mean ${rankedBy.name}`, bottom, rankedBy.unit),
      heading("Outliers"),
      ...(outliers.length === 0
        ? [plain("No trial lies beyond Tukey's fences of its own configuration (four trials make fences).")]
        : list(outliers.map(outlierSentence))),
    ],
  };
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

function firstSentence({ overall, rankedBy, top, bottom }: RunInsight): string {
  const [best] = top;
  const [worst] = bottom;
  const counts = `${counted(overall.configurations, "configuration")}, ${counted(overall.trials, "trial")} together`;
  if (best === undefined) return `${counts}: no figure is known.`;
  if (worst === undefined) return `${counts}: ${rankedBy.name} ${withUnit(best.mean, rankedBy.unit)}.`;
  return `${counts}: ${rankedBy.name} from ${withUnit(worst.mean, rankedBy.unit)} (${worst.label}) to ${withUnit(best.mean, rankedBy.unit)} (${best.label}).`;
}

function distribution({ figures }: GroupInsight, caption: string): readonly SectionBlock[] {
  return table(
    caption,
    [
      left("figure"),
      ...["n", "mean", "median", "sd", "sd within", "min", "p5", "p25", "p75", "p95", "max"].map(right),
    ],
    figures.map(({ name, unit, description: one, consistency }) => [
      unit === "" ? name : `${name}, ${unit}`,
      String(one.n),
      ...[
        one.mean,
        one.median,
        one.spread.kind === "known" ? one.spread.sd : one.spread.kind === "no-variance" ? 0 : undefined,
        consistency.kind === "known" ? consistency.sd : undefined,
        one.min,
        one.p5,
        one.p25,
        one.p75,
        one.p95,
        one.max,
      ].map(figureText),
    ]),
  );
}

function contentionSentence({ contention }: GroupInsight): string {
  const { contended, decided, interval } = contention;
  if (decided === 0 || interval.kind !== "known") return "Contention: unknown, no solo baseline.";
  const share = (value: number): string => `${figureText(value * 100)} %`;
  return `Contention: ${contended} of ${decided} trials, ${share(contended / decided)} (95 % interval ${share(interval.low)} to ${share(interval.high)}).`;
}

function ranked(caption: string, cells: readonly RankedCell[], unit: string): readonly SectionBlock[] {
  return table(
    caption,
    [left("configuration"), right("trials"), right("mean"), right("sd"), right("peak")],
    cells.map((cell) => [
      cell.label,
      String(cell.trials),
      withUnit(cell.mean, unit),
      cell.sd === undefined ? UNKNOWN : figureText(cell.sd),
      withUnit(cell.peak, unit),
    ]),
  );
}

function outlierSentence({ trialId, cell, figures, causes }: Outlier): string {
  const apart = figures.map(
    ({ figure, unit, value, median }) =>
      `${figure} ${withUnit(value, unit)} (median ${withUnit(median, unit)})`,
  );
  const cause =
    causes.length === 0
      ? "the records show nothing unusual about it"
      : `likely ${causes.map((one) => `${CAUSE_WORDS[one.cause]} (${one.evidence})`).join(", or ")}`;
  return `${trialId} of ${cell}: ${apart.join(", ")}; ${cause}.`;
}

function counted(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}

const CAUSE_WORDS = {
  "cold-model": "a cold model",
  failures: "failed requests",
  "memory-pressure": "memory pressure",
  "client-bound": "a busy client",
  queueing: "queueing",
  "longer-answers": "longer answers",
} as const;
