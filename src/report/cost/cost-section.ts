/** Costs as a section: which is cheapest, the table behind it, and when the dearer one pays for itself. */
import { UNKNOWN } from "../../core/units.ts";
import type { BreakEven, CostReport, OptionCost } from "../../analysis/cost/cost.ts";
import { figureText, grouped } from "../section/figure-text.ts";
import type { Section } from "../section/section.ts";
import { lead, left, list, note, plain, right, table } from "../section/section.ts";

export function costSection(report: CostReport): Section {
  const total = `${report.years}-year total`;
  const published = report.options.some((one) => one.published !== undefined);
  return {
    id: "cost",
    title: `Cost: ${report.title}`,
    simulated: report.simulated,
    blocks: [
      lead(cheapest(report)),
      plain(
        `${grouped(report.executionsPerMonth)} executions a month; amounts in ${report.currency}; instances and everything else of each year, development once.`,
      ),
      ...table(
        "",
        [
          left("option"),
          right("a month"),
          right("per million"),
          right("per thousand"),
          right("of baseline"),
          right("development"),
          right("a year"),
          right(total),
          ...(published ? [right("published")] : []),
        ],
        report.options.map((one) => [
          one.name,
          grouped(one.perMonth),
          grouped(one.perMillion),
          grouped(one.perThousand, 2),
          one.pctOfBaseline === undefined ? UNKNOWN : `${figureText(one.pctOfBaseline)} %`,
          grouped(one.development),
          grouped(one.operatingPerYear),
          grouped(one.total),
          ...(published ? [grouped(one.published?.total)] : []),
        ]),
      ),
      ...table(
        "Instances",
        [left("option"), left("instance"), right("count"), right("price a month"), left("why so many")],
        report.options.flatMap((one) =>
          one.instances.map((instance) => [
            one.name,
            instance.name,
            grouped(instance.count),
            grouped(instance.pricePerMonth),
            instance.why,
          ]),
        ),
      ),
      ...list(report.breakEvens.map((one) => breakEvenSentence(one, report.currency))),
      ...(report.notes.length === 0 ? [] : [note("Mind:")]),
      ...list(report.notes),
    ],
  };
}

function cheapest({ options, years, currency }: CostReport): string {
  const known = options.filter((one): one is OptionCost & { total: number } => one.total !== undefined);
  const [first, second] = [...known].sort((a, b) => a.total - b.total);
  if (first === undefined) return "No option's cost is known: see why each count is missing.";
  const over = `${first.name} costs least over ${years} years: ${grouped(first.total)} ${currency}`;
  return second === undefined
    ? `${over}.`
    : `${over}, ${grouped(second.total - first.total)} less than ${second.name}.`;
}

function breakEvenSentence(one: BreakEven, currency: string): string {
  const { option, against, extraOnce, savedPerYear, outcome, publishedMonths } = one;
  const cost = `${option} against ${against}: ${grouped(extraOnce)} ${currency} more to build`;
  const saves =
    savedPerYear === undefined
      ? ""
      : savedPerYear > 0
        ? `, ${grouped(savedPerYear)} a year less to run`
        : `, ${grouped(-savedPerYear)} a year more to run`;
  const published = publishedMonths === undefined ? "" : ` (published: ${publishedMonths})`;
  switch (outcome.kind) {
    case "after":
      return `${cost}${saves}: breaks even after ${outcome.months.toFixed(1)} months${published}`;
    case "never":
      return `${cost}${saves}: never breaks even${published}`;
    case "at-once":
      return `${cost}${saves}: cheaper from the first month${published}`;
    case "unknown":
      return `${cost}: break-even unknown, a cost is missing`;
  }
}
