/** The answer in plain sentences, put first: what sharing cost, and what the published figure hides. */
import type { RunAnalysis } from "../analysis/analyse-run.ts";
import type { CellAnalysis } from "../analysis/cell.ts";
import type { CellRoles } from "../analysis/roles/measured-roles.ts";
import type { Description } from "../stats/describe.ts";

export function answerOf(analysis: RunAnalysis): readonly string[] {
  const [only, ...others] = analysis.cells;
  if (only === undefined)
    return ["No trial finished, so there is nothing to report; every finished request is kept on disk."];
  if (analysis.totals.answered === 0) return [nothingAnswered(analysis)];
  return others.length === 0 ? oneCell(only, analysis) : manyCells(analysis);
}

function nothingAnswered({ totals: { measured, failuresByCode } }: RunAnalysis): string {
  if (measured === 0) return "No agent sent a request; events.jsonl says why.";
  const codes = Object.entries(failuresByCode).map(([code, times]) => `${times} × ${code}`);
  return `No request was answered: ${codes.length === 0 ? "all were cancelled" : codes.join(", ")}.`;
}

function oneCell(cell: CellAnalysis, analysis: RunAnalysis): readonly string[] {
  const agents = cell.agentNames.length;
  const where = `${agents} agent${agents === 1 ? "" : "s"} on ${places(cell, analysis)}`;
  const { figures } = cell;
  const roles = analysis.roles.find(({ hash }) => hash === cell.hash);
  if (agents === 1 && roles === undefined) return [`${where}: ${aloneText(cell)}.`];
  const published =
    figures.balanceIndex === undefined
      ? []
      : [
          `The published "speedup" is ${figures.balanceIndex.mean.toFixed(2)}: a balance index, it says how evenly the agents finished and not what running them together gained.`,
        ];
  const together =
    figures.aggregateTokS === undefined ? "" : `${figures.aggregateTokS.mean.toFixed(1)} tok/s`;
  if (figures.trueSpeedup === undefined && roles !== undefined)
    return [`${where}: ${roleAnswer(roles, together)}.`, ...published];
  if (figures.trueSpeedup === undefined)
    return [
      `${where}${together === "" ? "" : `: ${together} together`}. ${costUnknown([cell])}`,
      ...published,
    ];
  return [
    `${where}: each kept ${percentRange(cell.agents.map((agent) => agent.retention?.mean))} of its solo speed${idealPart(cell)}; together ${[together, gainText(cell)].filter((part) => part !== "").join(", ")}.`,
    `True speedup ${figures.trueSpeedup.mean.toFixed(2)}${ofTrials(cell, figures.trueSpeedup)}: ${reading(cell, figures.trueSpeedup)}.`,
    ...published,
  ];
}

/** Roles are run to see how much is done, and seldom alone: what sharing cost is another question. */
function roleAnswer({ roles, all }: CellRoles, together: string): string {
  const mix = roles.map(({ role, agents }) => (agents > 1 ? `${agents} × ${role}` : role)).join(", ");
  const { done, unfinished, refused, failed } = all.turns;
  const perCall = all.perCallTokS === undefined ? "" : `, ${all.perCallTokS.mean.toFixed(1)} tok/s per call`;
  const cut = unfinished === 0 ? "" : `, ${unfinished} cut off by the end`;
  const lost = refused + failed === 0 ? "" : `, ${refused + failed} refused or failed`;
  return `${mix}: ${together === "" ? "no rate" : `${together} together`}${perCall}; ${done} turns done${cut}${lost}`;
}

function aloneText({ agents: [agent] }: CellAnalysis): string {
  const [tokS, ttftMs] = [agent?.throughputTokS?.mean, agent?.ttftMedianMs?.mean];
  const parts = [
    ...(tokS === undefined ? [] : [`${tokS.toFixed(1)} tok/s`]),
    ...(ttftMs === undefined ? [] : [`first token after ${ttftMs.toFixed(0)} ms`]),
  ];
  return parts.length === 0 ? "answered, and its speed is not known" : parts.join(", ");
}

function gainText({ figures: { aggregateGain } }: CellAnalysis): string {
  return aggregateGain === undefined ? "" : `${aggregateGain.mean.toFixed(2)}× one agent's throughput`;
}

function manyCells({ cells, pooling, roles }: RunAnalysis): readonly string[] {
  const trials = cells.reduce((total, cell) => total + cell.blocks.length, 0);
  const over = `${cells.length} cells ${agentsOf(cells)}, ${trials} together trials`;
  const named = pooling.kind === "apart";
  const tokS = across(
    cells,
    (cell) => cell.figures.aggregateTokS,
    (value) => value.toFixed(1),
    named,
  );
  const kept = across(cells, (cell) => cell.figures.retention, percent, named);
  const speedup = across(
    cells,
    (cell) => cell.figures.trueSpeedup,
    (value) => value.toFixed(2),
    named,
  );
  const balance = across(
    cells.filter((cell) => cell.agentNames.length > 1),
    (cell) => cell.figures.balanceIndex,
    (value) => value.toFixed(2),
    named,
  );
  const published =
    balance === undefined
      ? []
      : [
          `The published "speedup" is ${inCells(balance)}: a balance index, it says how evenly agents finished and not what running them together gained.`,
        ];
  const together = tokS === undefined ? "" : `; together they made ${inCells(tokS)} tok/s`;
  if (speedup === undefined || kept === undefined)
    return roles.length === cells.length
      ? [`${over}${together}.`, ...published]
      : [`${over}${together}. ${costUnknown(cells)}`, ...published];
  return [
    `${over}: ${kept.where}agents kept ${kept.range} of their solo speed${together}.`,
    `True speedup ${inCells(speedup)}: ${readings(cells)}.`,
    ...published,
  ];
}

/** `of 2 agents` or `of 1 to 8 agents`. */
function agentsOf(cells: readonly CellAnalysis[]): string {
  const counts = cells.map((cell) => cell.agentNames.length);
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
  return `of ${fewest === most ? "" : `${fewest} to `}${most} agent${most === 1 ? "" : "s"}`;
}

interface Across {
  readonly range: string;
  /** Empty, or the cells that have the figure: `in 2 of 4 cells `. */
  readonly where: string;
}

/**
 * From the smallest to the largest of the cells' means, with the cells they belong to where
 * `named`, and in how many cells there is one. A cell of one agent shares nothing and is not counted as lacking.
 */
function across(
  cells: readonly CellAnalysis[],
  figure: (cell: CellAnalysis) => Description | undefined,
  format: (value: number) => string,
  named: boolean,
): Across | undefined {
  const known = cells.flatMap((cell) => {
    const mean = figure(cell)?.mean;
    return mean === undefined ? [] : [{ mean, text: format(mean), label: cell.label }];
  });
  const [first, ...later] = [...known].sort((one, other) => one.mean - other.mean);
  const last = later.at(-1) ?? first;
  if (first === undefined || last === undefined) return undefined;
  const entry = ({ text, label }: typeof first): string => (named ? `${text} (${label})` : text);
  const range = first.text === last.text ? first.text : `${entry(first)} to ${entry(last)}`;
  const sharing = cells.filter((cell) => cell.agentNames.length > 1).length;
  return { range, where: known.length >= sharing ? "" : `in ${known.length} of ${cells.length} cells ` };
}

function inCells({ range, where }: Across): string {
  return `${where}${range}`;
}

/** What most of the cells say comes first. */
function readings(cells: readonly CellAnalysis[]): string {
  const tally = new Map<string, number>();
  for (const cell of cells)
    if (cell.figures.trueSpeedup !== undefined) {
      const said = cell.pauses.present ? PAUSES_IN_WALLS : verdict(cell.figures.trueSpeedup);
      tally.set(said, (tally.get(said) ?? 0) + 1);
    }
  const said = [...tally].sort(([, one], [, other]) => other - one);
  if (said.length === 1) return said[0]?.[0] ?? "";
  return said.map(([words, count]) => `in ${count} cell${count === 1 ? "" : "s"} ${words}`).join("; ");
}

/** With the first reason for it; the warnings give them all. */
function costUnknown(cells: readonly CellAnalysis[]): string {
  for (const { comparability } of cells.flatMap((cell) => cell.blocks.flatMap((block) => block.agents)))
    if (comparability.kind === "not-comparable")
      return `What sharing cost is unknown: ${comparability.message}.`;
  return "What sharing cost is unknown: the solo trials give no pace to go by.";
}

/** A twentieth either way is what one trial differs from the next by on a quiet machine. */
const SAME_WITHIN = 0.05;

const PAUSES_IN_WALLS = "the agents pause, so the wall holds idle time and this is no verdict on sharing";

/** With pauses it is held against ideal devices that have the same pauses in their walls. */
function reading(cell: CellAnalysis, trueSpeedup: Description): string {
  const { pauses, sharing } = cell;
  if (!pauses.present) return verdict(trueSpeedup);
  const outside =
    pauses.idleShare === undefined
      ? ""
      : ` (${percent(pauses.idleShare)} of their time was outside requests)`;
  const [shared, inTurn] = [sharing?.shared.trueSpeedup, sharing?.oneAtATime.trueSpeedup];
  const ideal =
    shared === undefined || inTurn === undefined
      ? ""
      : `; with the same pauses, ideal devices show ${shared.toFixed(2)} (shared) and ${inTurn.toFixed(2)} (in turn)`;
  return `${PAUSES_IN_WALLS}${outside}${ideal}`;
}

/** Blocks may lack what others have. */
function ofTrials({ blocks }: CellAnalysis, { n }: Description): string {
  return n < blocks.length ? ` (in ${n} of ${blocks.length} trials)` : "";
}

function verdict({ mean }: Description): string {
  if (mean > 1 + SAME_WITHIN) return "the same work took less time together than one agent after the other";
  if (mean < 1 - SAME_WITHIN) return "the same work would have been done sooner one agent after the other";
  return "the same work took as long together as one agent after the other";
}

/** More urls than this hide the sentence; the facts of report.md list them. */
const MOST_PLACES_NAMED = 3;

/** Urls of the endpoints that were used; names where the manifest has no url for one. */
function places(cell: CellAnalysis, { manifest }: RunAnalysis): string {
  const names = [...new Set(cell.agents.flatMap((agent) => agent.endpoints))];
  const urls = names.map(
    (name) => manifest.endpoints.find((endpoint) => endpoint.name === name)?.url ?? name,
  );
  const distinct = [...new Set(urls)];
  if (distinct.length > MOST_PLACES_NAMED) return `${distinct.length} endpoints`;
  return distinct.length === 0 ? "no endpoint" : distinct.join(" and ");
}

function idealPart({ sharing }: CellAnalysis): string {
  if (sharing === undefined) return "";
  if (sharing.equalShare !== undefined)
    return ` (an ideal shared device leaves ${percent(sharing.equalShare)})`;
  return sharing.shared.retention === undefined
    ? ""
    : ` (an ideal shared device leaves ${percent(sharing.shared.retention)} on average)`;
}

function percent(share: number | undefined): string {
  return share === undefined ? "an unknown part" : `${(share * 100).toFixed(0)} %`;
}

function percentRange(shares: readonly (number | undefined)[]): string {
  const known = shares.filter((share) => share !== undefined);
  if (known.length === 0) return percent(undefined);
  const low = (Math.min(...known) * 100).toFixed(0);
  const high = (Math.max(...known) * 100).toFixed(0);
  return low === high ? `${low} %` : `${low} to ${high} %`;
}
