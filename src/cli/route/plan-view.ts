/** A plan in words: what runs where and what is loaded, then why it is this plan. */
import { defined } from "../../core/assert.ts";
import { formatDurationMs, formatNumber, MS_PER_S } from "../../core/units.ts";
import type { StepAccount } from "../../route/plan.ts";
import { criticalPathOf } from "../../route/route-job.ts";
import type { RouteOption } from "../../route/route-table.ts";
import { alignColumns, wrapText } from "../fleet/bar.ts";
import type { JobPlan, SolveNote } from "./job-plan.ts";
import { fits, modelName, solveNotes } from "./job-plan.ts";

export function renderPlan(plan: JobPlan, columns: number): string {
  return [
    ...answerLines(plan, columns),
    "",
    ...plan.account.steps.flatMap((step, place) => stepLines(plan, step, place, columns)),
    "",
    "Why",
    ...whyLines(plan).map((line) => wrapText(line, columns, "    ", "  ")),
  ].join("\n");
}

function answerLines(plan: JobPlan, columns: number): readonly string[] {
  const { job, account, planner, depth } = plan;
  const { budgetMib, objective } = job.table;
  const sight = depth === "flat" ? "in one shot" : depth === 1 ? "one layer" : `${depth} layers`;
  const worth =
    objective.kind === "utility" ? `utility ${account.value.toFixed(3)}` : secondsText(account.seconds);
  const how = depth === "flat" ? `planned ${sight}` : `${sight} seen at a time`;
  const first = `${job.graph.name}: ${worth}, ${switchesText(account.switches)}, at most ${mib(account.peakMib)} of ${mib(budgetMib)} MiB (${planner}, ${how})`;
  const warning = `CANNOT BE CARRIED OUT: ${planner} loads more than fits in ${account.steps.flatMap((step, place) => (step.residentMib > budgetMib ? [`step ${place + 1}`] : [])).join(", ")}.`;
  return [first, ...(fits(plan) ? [] : [warning])].map((line) => wrapText(line, columns, "  "));
}

function stepLines(plan: JobPlan, step: StepAccount, place: number, columns: number): readonly string[] {
  const { job } = plan;
  const { budgetMib } = job.table;
  const names = (models: readonly number[]): string =>
    models.map((model) => modelName(job, model)).join(", ") || "nothing";
  const rows = step.tasks.map((task, index) => {
    const { id, type, difficulty } = defined(job.graph.tasks[task], "task");
    const model = defined(step.models[index], "the task's model");
    const { quality, qualitySd, tokenCost, seconds } = optionOf(plan, task, model);
    return [
      `  ${id}`,
      `${type}, ${difficulty}`,
      `→ ${modelName(job, model)}`,
      `quality ${quality.toFixed(2)}${qualitySd === undefined ? "" : ` ±${qualitySd.toFixed(2)}`}`,
      `token cost ${tokenCost.toFixed(2)}`,
      seconds === undefined ? "" : secondsText(seconds),
    ];
  });
  const left = { heading: "", align: "left" } as const;
  const over = step.residentMib > budgetMib ? `, ${mib(step.residentMib - budgetMib)} MiB too many` : "";
  const takes = step.seconds === undefined ? "" : `; ${secondsText(step.seconds)} with loads`;
  return [
    `Step ${place + 1}`,
    ...alignColumns([left, left, left, left, left, left], rows).slice(1),
    wrapText(`loaded: ${names(step.resident)} (${mib(step.residentMib)} MiB${over})`, columns, "    ", "  "),
    wrapText(`loads ${names(step.loads)}, unloads ${names(step.unloads)}${takes}`, columns, "    ", "  "),
  ];
}

function optionOf({ job }: JobPlan, task: number, model: number): RouteOption {
  return defined(job.table.options[task * job.table.models.length + model], "the option of a plan");
}

function whyLines(plan: JobPlan): readonly string[] {
  const notes = solveNotes(plan);
  const inSteps = plan.depth !== "flat" && notes.length > 1;
  return [
    objectiveLine(plan),
    ...(notes.some(({ proof }) => proof.kind === "heuristic")
      ? [`${plan.planner} proves nothing: a better plan may exist.`]
      : []),
    ...notes.flatMap((note) => noteLines(note, plan, inSteps ? `Step ${note.step}: ` : "")),
    criticalLine(plan),
  ];
}

function objectiveLine({ job, account }: JobPlan): string {
  const { objective } = job.table;
  const { value, quality, tokenCost, switches, switchCost } = account;
  const terms = `quality ${quality.toFixed(3)}, token cost ${tokenCost.toFixed(3)}, ${switchesText(switches)}`;
  if (objective.kind === "makespan")
    return `Makespan counts seconds alone${objective.leastQuality === undefined ? "" : `, on models of quality ${objective.leastQuality} and more`}: ${secondsText(account.seconds)}. Beside it: ${terms}.`;
  const { lambdaToken, lambdaSwitch } = objective;
  const weighed = `${switchesText(switches)}, weighed by switchCost`;
  const beside = account.seconds === undefined ? "" : ` Takes ${secondsText(account.seconds)}.`;
  return `Utility ${value.toFixed(3)} = quality ${quality.toFixed(3)} − ${lambdaToken} × token cost ${tokenCost.toFixed(3)} − ${lambdaSwitch} × switches ${switchCost.toFixed(3)} (${weighed}).${beside}`;
}

function noteLines({ proof, fallback, runnerUp }: SolveNote, plan: JobPlan, lead: string): readonly string[] {
  const lines: string[] = [];
  if (fallback !== undefined) lines.push(`${lead}another planner stood in: ${fallback}.`);
  const seen = plan.depth === "flat" ? "" : " of what the horizon shows";
  if (proof.kind === "optimal") lines.push(`${lead}proven: no plan${seen} is better.`);
  if (proof.kind === "bounded")
    lines.push(
      `${lead}the search ended early: no plan${seen} is better by more than ${formatNumber(100 * proof.gap, 2)} %.`,
    );
  if (runnerUp !== undefined) {
    const pairs = runnerUp.tasks.map((task, index) => `${task} on ${runnerUp.models[index]}`).join(", ");
    lines.push(`${lead}runner-up: ${pairs}; ${gapText(runnerUp.gap, plan)}.`);
  }
  return lines.map((line) => `${line.charAt(0).toUpperCase()}${line.slice(1)}`);
}

function gapText(gap: number, { job }: JobPlan): string {
  if (gap === 0)
    return "as good, the tie went to what loads least, then unloads least, then to the file's order";
  return job.table.objective.kind === "utility"
    ? `the best plan that starts so is worth ${gap.toFixed(3)} less`
    : `the best plan that starts so takes ${secondsText(gap)} more`;
}

function criticalLine({ job, account }: JobPlan): string {
  const path = criticalPathOf(job, account);
  if (path === undefined)
    return "Critical path: unknown, as are seconds; they need prefillTokensPerS and decodeTokensPerS of the models and token counts of the tasks.";
  const ids = path.tasks.map((task) => defined(job.graph.tasks[task], "task").id);
  return `Critical path: ${ids.join(" → ")}, ${secondsText(path.seconds)} when loads take no time.`;
}

function switchesText(switches: number): string {
  return switches === 1 ? "1 load" : `${switches} loads`;
}

export function secondsText(seconds: number | undefined): string {
  return formatDurationMs(seconds === undefined ? undefined : seconds * MS_PER_S);
}

export function mib(value: number): string {
  return Math.ceil(value).toLocaleString("en-US");
}
