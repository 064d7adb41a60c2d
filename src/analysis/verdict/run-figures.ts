/** A run as a figure book: its figures over all cells, of each cell, and of each agent in a cell. */
import { mean } from "../../stats/quantile.ts";
import type { RunAnalysis } from "../analyse-run.ts";
import type { BlockAgent, BlockAnalysis } from "../block.ts";
import type { Figure, FigureBook, Withheld } from "./figure-book.ts";

type BlockFigure = (block: BlockAnalysis) => number | undefined;
type AgentFigure = (agent: BlockAgent) => number | undefined;

/** One value per together trial. docs/verdicts.md explains each. */
export const BLOCK_FIGURES = {
  balanceIndex: (block) => block.nominal?.speedup,
  balancePct: (block) => block.nominal?.efficiencyPct,
  trueSpeedup: (block) => block.true?.speedup,
  trueEfficiencyPct: (block) => block.true?.efficiencyPct,
  retention: (block) => meanOfAll(block.agents.map((agent) => agent.retention)),
  agentTokS: (block) => meanOfAll(block.agents.map((agent) => agent.together.throughputTokS)),
  ttftMs: (block) => meanOfAll(block.agents.map((agent) => agent.together.ttftMedianMs)),
  wallMs: (block) => block.figures.wallMs,
  aggregateTokS: (block) => block.figures.whole.tokS,
  steadyTokS: (block) => block.figures.steady?.tokS,
  aggregateGain: (block) => block.aggregateGain,
  throughputDeltaTokS: (block) => block.throughputDeltaTokS,
  ttftDeltaMs: (block) => block.ttftDeltaMs,
  fairness: (block) => block.fairness,
  contendedPct: (block) => (block.contended === undefined ? undefined : block.contended ? 100 : 0),
  nullSharedRetention: (block) => meanOfAll(block.sharing?.shared.retention ?? []),
  nullInTurnRetention: (block) => meanOfAll(block.sharing?.oneAtATime.retention ?? []),
  nullSharedSpeedup: (block) => block.sharing?.shared.trueSpeedup?.speedup,
} as const satisfies Record<string, BlockFigure>;

const AGENT_FIGURES = {
  throughputTokS: (agent) => agent.together.throughputTokS,
  soloThroughputTokS: (agent) => agent.solo?.throughputTokS,
  decodeTokS: (agent) => agent.together.decodeTokS,
  retention: (agent) => agent.retention,
  ttftMs: (agent) => agent.together.ttftMedianMs,
  soloTtftMs: (agent) => agent.solo?.ttftMedianMs,
  latencyMs: (agent) => agent.together.latencyMedianMs,
} as const satisfies Record<string, AgentFigure>;

/**
 * `overall/<figure>`, `cell/<label>/<figure>` and `cell/<label>/agent/<name>/<figure>`; each with one
 * value per together trial in which it is known. The overall figures of cells that may not be
 * averaged are in the book without a value, so that their names are no misspellings.
 */
export function runFigures(analysis: RunAnalysis): FigureBook {
  const figures = new Map<string, Figure>();
  const { cells } = analysis;
  const add = (prefix: string, blocks: readonly BlockAnalysis[], several = false): void => {
    for (const [name, of] of Object.entries(BLOCK_FIGURES))
      figures.set(`${prefix}/${name}`, {
        ...figureOf(blocks.map(of), blocks),
        ...(several ? { acrossSettings: withheldFor(name, "settings", cells[0]?.label) } : {}),
      });
  };
  if (analysis.pooling.kind === "pooled")
    add(
      "overall",
      cells.flatMap((cell) => cell.blocks),
      cells.length > 1,
    );
  else
    for (const name of Object.keys(BLOCK_FIGURES))
      figures.set(`overall/${name}`, {
        value: undefined,
        values: [],
        source: "no trial",
        withheld: withheldFor(name, analysis.pooling.differ, analysis.cells[0]?.label),
      });
  for (const cell of analysis.cells) {
    add(`cell/${cell.label}`, cell.blocks);
    for (const agent of cell.agentNames) {
      const own = cell.blocks.map((block) => block.agents.find((one) => one.together.agent === agent));
      for (const [name, of] of Object.entries(AGENT_FIGURES))
        figures.set(
          `cell/${cell.label}/agent/${agent}/${name}`,
          figureOf(
            own.map((one) => (one === undefined ? undefined : of(one))),
            cell.blocks,
          ),
        );
    }
  }
  return { about: `run ${analysis.manifest.runId}`, simulated: analysis.simulated, figures };
}

function withheldFor(name: string, differ: string, label = "<label>"): Withheld {
  return {
    reason: `the cells differ in their ${differ}, and a mean over them describes none`,
    settledBy: `use the figures of one cell, such as cell/${label}/${name}`,
  };
}

function figureOf(values: readonly (number | undefined)[], blocks: readonly BlockAnalysis[]): Figure {
  const known = values.filter((value) => value !== undefined);
  const trials = blocks.filter((_, index) => values[index] !== undefined).map((block) => block.trialId);
  return { value: mean(known), values: known, source: traced(trials) };
}

/** A source names the first and the last trial; those between have the same pattern of name. */
function traced(trials: readonly string[]): string {
  const [first] = trials;
  const last = trials.at(-1);
  if (first === undefined || last === undefined) return "no trial";
  return trials.length === 1 ? first : `${first} … ${last} (${trials.length} trials)`;
}

/** The mean where every member is known; a mean of some agents would not be the block's. */
function meanOfAll(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length ? mean(known) : undefined;
}
