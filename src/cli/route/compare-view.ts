/** Planners side by side on the same jobs, one row each. */
import { defined } from "../../core/assert.ts";
import { formatNumber } from "../../core/units.ts";
import { countViolations } from "../../route/violations.ts";
import { alignColumns, wrapText } from "../fleet/bar.ts";
import type { JobPlan } from "./job-plan.ts";
import { fits, solveNotes } from "./job-plan.ts";
import { mib, secondsText } from "./plan-view.ts";

interface Row {
  readonly planner: string;
  readonly plans: readonly JobPlan[];
  readonly value: number;
}

/** All values are means over the jobs, save the peak, which is the highest, and the counts of jobs. */
export function renderComparison(plans: readonly (readonly JobPlan[])[], columns: number): string {
  const rows = plans.map(
    (ofPlanner): Row => ({
      planner: defined(ofPlanner[0], "a plan").planner,
      plans: ofPlanner,
      value: meanOf(ofPlanner, ({ account }) => account.value) ?? Number.NaN,
    }),
  );
  const { job, depth } = defined(rows[0]?.plans[0], "a plan");
  const count = defined(rows[0], "a row").plans.length;
  const right = (heading: string) => ({ heading, align: "right" }) as const;
  const table = alignColumns(
    [
      { heading: "planner", align: "left" },
      right("value"),
      right("quality"),
      right("tokens"),
      right("loads"),
      right("peak MiB"),
      right("over"),
      right("sum"),
      right("makespan"),
      right("solve ms"),
    ],
    rows.map(cellsOf),
  );
  const many = count > 1 ? `Means over ${count} jobs; the peak is the highest. ` : "";
  const value = job.table.objective.kind === "utility" ? "utility" : "seconds of makespan, negated";
  const over = `jobs with more than ${mib(job.table.budgetMib)} MiB at some step. Sum: jobs whose models together are more than that, which is no fault of a plan that loads them in turn`;
  const thread = rows.some(({ planner }) => planner === "lp") ? ", with the start of lp's thread once" : "";
  const notes = `${many}Value: ${value}; horizon ${depth}. Tokens: their cost, the dearest task's being 1. Over: ${over}. Solve: wall time of a job's solves${thread}.`;
  return [
    ...answerLines(rows).map((line) => wrapText(line, columns)),
    "",
    ...table,
    "",
    wrapText(notes, columns),
    ...fallbackLines(rows).map((line) => wrapText(line, columns)),
  ].join("\n");
}

function cellsOf({ planner, plans, value }: Row): readonly string[] {
  const mean = (of: (plan: JobPlan) => number | undefined, decimals: number): string =>
    formatNumber(meanOf(plans, of), decimals);
  const { budgetMib } = defined(plans[0], "a plan").job.table;
  const { jobs, byPeak, bySumOfDistinct } = countViolations(
    plans.map(({ account }) => account),
    budgetMib,
  );
  return [
    planner,
    formatNumber(value, 3),
    mean(({ account }) => account.quality, 3),
    mean(({ account }) => account.tokenCost, 3),
    mean(({ account }) => account.switches, 2),
    mib(Math.max(...plans.map(({ account }) => account.peakMib))),
    `${byPeak}/${jobs}`,
    `${bySumOfDistinct}/${jobs}`,
    secondsText(meanOf(plans, ({ account }) => account.seconds)),
    mean(({ solveMs }) => solveMs, 2),
  ];
}

/** Undefined where one of them is unknown. */
function meanOf(plans: readonly JobPlan[], of: (plan: JobPlan) => number | undefined): number | undefined {
  let sum = 0;
  for (const plan of plans) {
    const value = of(plan);
    if (value === undefined) return undefined;
    sum += value;
  }
  return sum / plans.length;
}

function answerLines(rows: readonly Row[]): readonly string[] {
  const possible = rows.filter(({ plans }) => plans.every(fits));
  const most = Math.max(...possible.map(({ value }) => value));
  const best = possible.filter(({ value }) => value === most).map(({ planner }) => planner);
  const answer =
    best.length === 0
      ? "No planner's plans can all be carried out."
      : `Best of what can be carried out: ${best.join(" and ")}, ${formatNumber(most, 3)}${best.length > 1 ? " each" : ""}.`;
  const impossible = rows.flatMap(({ planner, plans }) => {
    const jobs = plans.filter((plan) => !fits(plan)).map(({ job }) => job.graph.name);
    return jobs.length === 0 ? [] : [`${planner} loads more than fits in ${shortList(jobs)}.`];
  });
  return [answer, ...impossible];
}

/** Names shown before the rest is counted: a line's worth. */
const MOST_NAMES = 5;

function shortList(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return names.slice(0, MOST_NAMES).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function fallbackLines(rows: readonly Row[]): readonly string[] {
  return rows.flatMap(({ planner, plans }) => {
    const stoodIn = plans.filter((plan) => solveNotes(plan).some(({ fallback }) => fallback !== undefined));
    if (stoodIn.length === 0) return [];
    return [
      `Another planner stood in for ${planner} in ${shortList(stoodIn.map(({ job }) => job.graph.name))}.`,
    ];
  });
}
