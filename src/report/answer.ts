/** The answer in plain sentences, put first: what sharing cost, and what the published figure hides. */
import type { RunAnalysis } from "../analysis/analyse-run.ts";
import type { CellAnalysis } from "../analysis/cell.ts";
import type { Description } from "../stats/describe.ts";

export function answerOf(analysis: RunAnalysis): readonly string[] {
  const [only, ...others] = analysis.cells;
  if (only === undefined)
    return ["No trial finished, so there is nothing to report; every finished request is kept on disk."];
  return others.length === 0 ? oneCell(only, analysis) : manyCells(analysis);
}

function oneCell(cell: CellAnalysis, analysis: RunAnalysis): readonly string[] {
  const agents = cell.agentNames.length;
  const where = `${agents} agent${agents === 1 ? "" : "s"} on ${places(cell, analysis)}`;
  const { figures } = cell;
  if (agents === 1)
    return [
      `${where}: ${number(cell.agents[0]?.throughputTokS, 1)} tok/s, first token after ${number(cell.agents[0]?.ttftMedianMs, 0)} ms.`,
    ];
  const published = `The published "speedup" is ${number(figures.balanceIndex, 2)}: a balance index, it says how evenly the agents finished and not what running them together gained.`;
  if (figures.trueSpeedup === undefined)
    return [
      `${where}: ${number(figures.aggregateTokS, 1)} tok/s together. ${costUnknown([cell])}`,
      published,
    ];
  return [
    `${where}: each kept ${percentRange(cell.agents.map((agent) => agent.retention?.mean))} of its solo speed${idealPart(cell)}; together ${number(figures.aggregateGain, 2)}× one agent's throughput.`,
    `True speedup ${number(figures.trueSpeedup, 2)}: ${reading(figures.trueSpeedup)}.`,
    published,
  ];
}

function manyCells({ cells, overall }: RunAnalysis): readonly string[] {
  const trials = cells.reduce((total, cell) => total + cell.blocks.length, 0);
  const published = `The published "speedup" runs from ${extremes(overall.balanceIndex, 2)}: a balance index, it says how evenly agents finished and not what running them together gained.`;
  const over = `${cells.length} cells, ${trials} together trials`;
  if (overall.trueSpeedup === undefined)
    return [
      `${over}: ${extremes(overall.aggregateTokS, 1)} tok/s together. ${costUnknown(cells)}`,
      published,
    ];
  return [
    `${over}: true speedup ${number(overall.trueSpeedup, 2)} on average (${extremes(overall.trueSpeedup, 2)}): ${reading(overall.trueSpeedup)}. Agents kept ${percent(overall.retention?.mean)} of their solo speed.`,
    published,
  ];
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

function reading({ mean }: Description): string {
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

function number(description: Description | undefined, decimals: number): string {
  return description === undefined ? "an unknown number of" : description.mean.toFixed(decimals);
}

function extremes(description: Description | undefined, decimals: number): string {
  if (description === undefined) return "unknown";
  return `${description.min.toFixed(decimals)} to ${description.max.toFixed(decimals)}`;
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
