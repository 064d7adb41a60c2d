/**
 * The same workload on several servers, side by side: what each gives all agents together, what it
 * leaves to each of them, and what waiting for the others costs per token. "On the whole faster"
 * and "better under load" are different answers; the columns keep them apart.
 */
import { MS_PER_S } from "../core/units.ts";
import type { Description } from "../stats/describe.ts";
import { describe } from "../stats/describe.ts";
import type { BlockAnalysis } from "./block.ts";
import type { CellAnalysis } from "./cell.ts";
import type { Caveat } from "./compare/caveats.ts";
import { caveatsOf } from "./compare/caveats.ts";
import type { FailureCount } from "./compare/failures.ts";
import { failureCount, loses } from "./compare/failures.ts";
import { matchCells } from "./compare/match-cells.ts";
import type { ComparedCell, Side } from "./compare/side.ts";
import type { Work } from "./compare/work.ts";
import { isUnlikeWork, workOf, workText } from "./compare/work.ts";

export interface StackRow {
  /** As the person named the run. */
  readonly stack: string;
  readonly cell: string;
  readonly engines: readonly string[];
  readonly models: readonly string[];
  readonly agents: number;
  readonly trials: number;
  readonly simulated: boolean;
  readonly work: Work;
  /** Of the trials of agents together. */
  readonly failures: FailureCount;
  /** So many failed that the figures of the rest rank it nowhere. */
  readonly losesRequests: boolean;
  readonly aggregateTokS: Description | undefined;
  readonly aggregateGain: Description | undefined;
  readonly retention: Description | undefined;
  readonly ttftMsAlone: number | undefined;
  readonly ttftMsTogether: Description | undefined;
  /** Milliseconds that sharing adds to each output token; absent without comparable solo trials. */
  readonly queueing: QueueingCost | undefined;
}

export interface QueueingCost {
  readonly msPerToken: Description;
  /** Of it before the first token: waiting for a slot, and prefill among others' work. Can be below 0. */
  readonly beforeFirstMsPerToken: number;
  /** Of it between tokens: steps that serve others too. */
  readonly decodingMsPerToken: number;
}

export interface StackComparison {
  readonly rows: readonly StackRow[];
  readonly simulated: boolean;
  /** Any two rows of as many agents that were asked for other work: then none of them is the best. */
  readonly unlikeWork: boolean;
  readonly caveats: readonly Caveat[];
}

export interface StackInput {
  readonly side: Side;
  /** The cells that take part, as they were analysed. */
  readonly cells: readonly CellAnalysis[];
}

/** Rows in the order given; every stack is held against the first for what makes it no fair comparison. */
export function compareStacks(stacks: readonly StackInput[]): StackComparison {
  const [first, ...others] = stacks;
  const caveats = others.flatMap(({ side }) =>
    first === undefined ? [] : caveatsOf(first.side, side, matchCells(first.side.cells, side.cells).pairs),
  );
  const seen = new Set<string>();
  const rows = stacks.flatMap(({ side, cells }) => cells.map((cell) => stackRow(side, cell)));
  const unlikeWork = rows.some((row, index) =>
    rows.slice(index + 1).some((other) => row.agents === other.agents && isUnlikeWork(row.work, other.work)),
  );
  return {
    rows,
    simulated: stacks.some(({ side }) => side.simulated),
    unlikeWork,
    caveats: [
      ...(unlikeWork ? [unlikeWorkCaveat(rows)] : []),
      ...rows.flatMap(failureCaveat),
      // Another engine is what a table of stacks is about, and other work is told of all rows at once.
      ...caveats.filter(({ code, message }) => {
        if (code === "OTHER_ENGINE" || code === "OTHER_WORKLOAD" || seen.has(message)) return false;
        seen.add(message);
        return true;
      }),
    ],
  };
}

function unlikeWorkCaveat(rows: readonly StackRow[]): Caveat {
  return {
    code: "OTHER_WORKLOAD",
    message: `the stacks did not do the same work: ${rows.map((row) => `${row.stack}, ${row.cell}: ${workText(row.work)}`).join("; ")}`,
    remedy: "give all of them the same prompts, output length and number of requests",
  };
}

function failureCaveat({ stack, cell, failures: { failed, requests } }: StackRow): readonly Caveat[] {
  if (failed === 0) return [];
  return [
    {
      code: "REQUESTS_FAILED",
      message: `${failed} of ${requests} requests of ${stack}, ${cell} failed: its figures describe the rest`,
      remedy: "slipway report says what failed; a server that answers less is often faster at it",
    },
  ];
}

const NOT_ASKED: Work = {
  inputPerRequest: undefined,
  outputPerRequest: undefined,
  requestsPerAgent: undefined,
};

const NO_FAILURES: FailureCount = { failed: 0, requests: 0 };

function stackRow(side: Side, cell: CellAnalysis): StackRow {
  const own: ComparedCell | undefined = side.allCells.find(({ hash }) => hash === cell.hash);
  const failures = own === undefined ? NO_FAILURES : failureCount(own);
  const alone = cell.blocks.flatMap((block) => block.agents.flatMap(({ solo }) => solo?.ttftMedianMs ?? []));
  return {
    stack: side.name,
    cell: cell.label,
    engines: own?.engines ?? [],
    models: own?.models ?? [],
    agents: cell.agentNames.length,
    trials: cell.blocks.length,
    simulated: side.simulated,
    work: own === undefined ? NOT_ASKED : workOf(own),
    failures,
    losesRequests: loses(failures),
    aggregateTokS: cell.figures.aggregateTokS,
    aggregateGain: cell.figures.aggregateGain,
    retention: cell.figures.retention,
    ttftMsAlone: describe(alone)?.mean,
    ttftMsTogether: describe(cell.blocks.map((block) => block.figures.pooled.ttftMsP50)),
    queueing: queueingOf(cell.blocks),
  };
}

function queueingOf(blocks: readonly BlockAnalysis[]): QueueingCost | undefined {
  const costs = blocks.flatMap((block) => blockQueueing(block) ?? []);
  const total = describe(costs.map((cost) => cost.totalMs));
  const decoding = describe(costs.map((cost) => cost.decodingMs));
  if (total === undefined || decoding === undefined) return undefined;
  return {
    msPerToken: total,
    beforeFirstMsPerToken: total.mean - decoding.mean,
    decodingMsPerToken: decoding.mean,
  };
}

/**
 * Σ over agents of tokens × (1/throughput together − 1/throughput alone) ÷ Σ tokens, and the same of
 * the decode rates: what the tokens of this trial took longer than their agents take alone.
 */
function blockQueueing({
  agents,
}: BlockAnalysis): { readonly totalMs: number; readonly decodingMs: number } | undefined {
  let tokens = 0;
  let totalMs = 0;
  let decodingMs = 0;
  for (const { together, solo, comparability } of agents) {
    const slower = lost(together.throughputTokS, solo?.throughputTokS);
    const slowerDecoding = lost(together.decodeTokS, solo?.decodeTokS);
    const own = together.outputTokens;
    if (comparability.kind !== "comparable" || own === undefined) return undefined;
    if (slower === undefined || slowerDecoding === undefined) return undefined;
    tokens += own;
    totalMs += own * slower;
    decodingMs += own * slowerDecoding;
  }
  return tokens === 0 ? undefined : { totalMs: totalMs / tokens, decodingMs: decodingMs / tokens };
}

/** Milliseconds per token, together − alone. */
function lost(together: number | undefined, alone: number | undefined): number | undefined {
  if (together === undefined || alone === undefined || together <= 0 || alone <= 0) return undefined;
  return MS_PER_S / together - MS_PER_S / alone;
}
