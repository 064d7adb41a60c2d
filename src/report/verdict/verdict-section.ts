/** Verdicts as a section: the table that answers, then for each hypothesis what it rests on. */
import { UNKNOWN } from "../../core/units.ts";
import type { JudgedCondition, Ruling } from "../../analysis/verdict/decide.ts";
import type { HypothesisVerdicts, VerdictReport } from "../../analysis/verdict/judge.ts";
import type { Evidence, EvidenceSide } from "../../analysis/verdict/measure.ts";
import { figureText, intervalText, limitText, pText, withUnit } from "../section/figure-text.ts";
import type { Section, SectionBlock } from "../section/section.ts";
import { heading, lead, left, list, note, plain, right, table } from "../section/section.ts";

export function verdictSection(report: VerdictReport): Section {
  const published = report.verdicts.some((one) => one.published !== undefined);
  return {
    id: "verdicts",
    title: `Verdicts: ${report.title}`,
    simulated: report.simulated,
    blocks: [
      lead(tally(report)),
      ...overview(report.verdicts, published),
      note(familySentence(report)),
      ...report.verdicts.flatMap((one) => detail(one, report.confidence)),
    ],
  };
}

function tally({ verdicts, about }: VerdictReport): string {
  const known = verdicts.filter((one) => one.ours.verdict !== "unknown").length;
  const three = verdicts.filter((one) => one.published !== undefined);
  const stand = three.filter((one) => one.ours.verdict === one.published?.verdict).length;
  const decided = `${about}: ${known} of ${verdicts.length} can be decided on these data`;
  return three.length === 0
    ? `${decided}.`
    : `${decided}; our verdict agrees with ${stand} of ${three.length} published ones.`;
}

function overview(verdicts: readonly HypothesisVerdicts[], published: boolean): readonly SectionBlock[] {
  return table(
    published ? "Three verdicts: as published, by the study's own rule on its own figures, and ours" : "",
    [
      left("hypothesis"),
      left("statement"),
      ...(published ? [left("published"), left("by its own rule")] : []),
      left(published ? "ours" : "verdict"),
    ],
    verdicts.map((one) => [
      one.id,
      one.statement,
      ...(published ? [one.published?.verdict ?? UNKNOWN, one.byStudyRule?.verdict ?? UNKNOWN] : []),
      one.ours.verdict,
    ]),
  );
}

function familySentence({ family, confidence }: VerdictReport): string {
  const level = `Intervals are at ${percent(confidence)}.`;
  if (family.tests === 0) return level;
  const without = family.tests - family.tested;
  return `${level} ${family.tests} test${family.tests === 1 ? " is" : "s are"} one family, corrected by Holm${without > 0 ? `; ${without} of them ha${without === 1 ? "s" : "ve"} no p` : ""}.`;
}

function detail(one: HypothesisVerdicts, confidence: number): readonly SectionBlock[] {
  const evidence = new Map(one.evidence.map((entry) => [entry.id, entry]));
  return [
    heading(`${one.id}: ${one.statement} — ${one.ours.verdict}`),
    plain(`Scope: ${one.scope}.`),
    ...table(
      "Evidence",
      [
        left("measure"),
        left("numerator"),
        left("denominator"),
        right("value"),
        left(`${percent(confidence)} interval`),
        left("test"),
      ],
      one.evidence.map(evidenceRow),
    ),
    ...list([
      ...(one.published === undefined
        ? []
        : [
            `published: ${one.published.words}${one.published.confidence === undefined ? "" : ` (confidence ${one.published.confidence})`}`,
          ]),
      ...(one.byStudyRule === undefined
        ? []
        : [`by the study's own rule: ${rulingText(one.byStudyRule, evidence)}`]),
      `${one.published === undefined ? "verdict" : "ours"}: ${rulingText(one.ours, evidence)}`,
      ...one.threats.map((threat) => `threat: ${threat}`),
      `would settle it: ${one.wouldSettle}`,
    ]),
  ];
}

function evidenceRow(entry: Evidence): readonly string[] {
  return [
    entry.what,
    sideText(entry.numerator),
    sideText(entry.denominator),
    withUnit(entry.value, entry.unit),
    entry.interval === undefined && entry.doubt !== undefined ? entry.doubt : intervalText(entry.interval),
    testText(entry),
  ];
}

function sideText(side: EvidenceSide | undefined): string {
  if (side === undefined) return UNKNOWN;
  return `${figureText(side.value)}${side.n > 0 ? `, n = ${side.n}` : ""}: ${side.label}`;
}

function testText({ test }: Evidence): string {
  if (test === undefined) return UNKNOWN;
  if (test.kind === "undefined") return test.reason;
  const d = test.d === undefined ? "" : `, d = ${figureText(test.d)}`;
  return `${test.name} p = ${pText(test.p)}, Holm ${pText(test.adjustedP)}${d}`;
}

function rulingText(ruling: Ruling, evidence: ReadonlyMap<string, Evidence>): string {
  const reasons = new Set(ruling.because.map((one) => conditionText(one, evidence.get(one.measure))));
  const say = ruling.say === undefined ? "" : ` ${sentence(ruling.say)}`;
  return `${ruling.verdict}. Rule: ${ruling.words}. Data: ${[...reasons].join("; ")}.${say}`;
}

const BOUND_WORDS = { above: "above", atLeast: "at least", below: "below", atMost: "at most" } as const;

function conditionText({ bound, truth, by }: JudgedCondition, entry: Evidence | undefined): string {
  if (entry === undefined) return UNKNOWN;
  if (entry.value === undefined)
    return `${entry.what}: not known, ${entry.doubt ?? "the data do not have it"}`;
  if (bound.kind === "significant")
    return `${entry.what}: ${truth === "open" ? "cannot be tested" : (truth === "holds") === bound.wanted ? "significant" : "not significant"}`;
  const limit = `${BOUND_WORDS[bound.kind]} ${limitText(bound.limit, entry.unit)}`;
  const value = `${entry.what}: ${withUnit(entry.value, entry.unit)}`;
  const sure = by === "interval" ? ` (${intervalText(entry.interval)})` : "";
  if (truth === "open")
    return entry.interval === undefined
      ? `${value}, without an interval`
      : `${value}${sure} lies on both sides of "${limit}"`;
  return `${value}${sure} is ${truth === "holds" ? "" : "not "}${limit}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
