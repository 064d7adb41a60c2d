/** Service levels as a section: met, missed or unknown, each with its figure and what would decide it. */
import { UNKNOWN } from "../../core/units.ts";
import type { JudgedLevel, ServiceLevelReport } from "../../analysis/service-level/service-level.ts";
import { METRICS } from "../../analysis/service-level/service-level-file.ts";
import { figureText, grouped, limitText, withUnit } from "../section/figure-text.ts";
import type { Section } from "../section/section.ts";
import { lead, left, list, note, right, table } from "../section/section.ts";

export function serviceLevelSection(report: ServiceLevelReport): Section {
  return {
    id: "service-levels",
    title: `Service levels: ${report.title}`,
    simulated: report.simulated,
    blocks: [
      lead(answer(report)),
      ...(report.perCell ? [note(PER_CELL)] : []),
      ...table(
        "",
        [
          left("level"),
          left("kind"),
          left("limit"),
          right("came out"),
          left("95 % interval"),
          right("n"),
          left("state"),
        ],
        report.levels.map((level) => levelRow(level, report.perCell)),
      ),
      ...list([...report.levels.flatMap(doubts), ...sparedText(report.levels)]),
      ...list(
        besides(report.levels).map(
          (text) =>
            `${text}: the published figure says how evenly agents finished, not what running them together gained`,
        ),
      ),
      ...(report.notJudged.length === 0 ? [] : [note("Not judged:")]),
      ...list(report.notJudged.map(({ promise, why }) => `${promise}: ${why}`)),
    ],
  };
}

const PER_CELL =
  "Levels are judged per configuration: a mean over configurations that differ describes none of them. Each has to hold everywhere, and is shown for the configuration that came out worst. Failed and timed-out requests are counted, and costs reckoned, over the whole run.";

function answer({ levels, about, state }: ServiceLevelReport): string {
  const count = (wanted: JudgedLevel["state"]): number => levels.filter((one) => one.state === wanted).length;
  const counts = `${count("met")} met, ${count("missed")} missed, ${count("unknown")} cannot be told`;
  const words = {
    met: "meets every level",
    missed: "misses its levels",
    unknown: "cannot be judged yet",
  } as const;
  const spared = levels.filter((one) => one.state === "not-applicable").length;
  return `${about} ${words[state]}: ${counts}${spared === 0 ? "" : `, ${spared} not applicable`}.`;
}

const LIMIT_WORDS = { atLeast: "≥", atMost: "≤", above: ">", below: "<" } as const;

/** Where each configuration is judged by itself, a level without one is of them all. */
function levelRow(
  { target, cell, limit, value, interval, n, of, state }: JudgedLevel,
  perCell: boolean,
): readonly string[] {
  const { name, unit } = METRICS[target.metric];
  const where = perCell ? (cell ?? "whole run") : undefined;
  return [
    [name, target.option, where].filter((part) => part !== undefined).join(", "),
    target.kind,
    `${LIMIT_WORDS[limit.kind]} ${limitText(limit.value, unit)}`,
    withUnit(value, unit),
    interval === undefined ? UNKNOWN : `${figureText(interval.low)} … ${figureText(interval.high)}`,
    of === "costs" ? UNKNOWN : `${grouped(n)} ${of}`,
    stateText(state, target.judge),
  ];
}

function stateText(state: JudgedLevel["state"], judge: JudgedLevel["target"]["judge"]): string {
  if (state === "not-applicable") return "does not apply";
  return judge === "observed" && state !== "unknown" ? `${state}, as observed` : state;
}

/** Once, however many levels are about sharing. */
function sparedText(levels: readonly JudgedLevel[]): readonly string[] {
  const about = levels.filter(({ spared }) => spared.length > 0);
  const [first] = about;
  if (first === undefined) return [];
  const names = [...new Set(about.map(({ target }) => METRICS[target.metric].name))].join(", ");
  return [`Does not apply to ${first.spared.join(", ")}, where one agent shares nothing: ${names}`];
}

function doubts({ target, limit, doubt }: JudgedLevel): readonly string[] {
  const { name, unit } = METRICS[target.metric];
  return doubt === undefined
    ? []
    : [`${name} ${LIMIT_WORDS[limit.kind]} ${limitText(limit.value, unit)} (${target.kind}): ${doubt}`];
}

function besides(levels: readonly JudgedLevel[]): readonly string[] {
  const lines = levels.flatMap(({ target, value, beside }) => {
    if (beside === undefined) return [];
    const { name, unit } = METRICS[target.metric];
    return [`${name} ${withUnit(value, unit)}, ${beside.name} ${withUnit(beside.value, beside.unit)}`];
  });
  return [...new Set(lines)];
}
