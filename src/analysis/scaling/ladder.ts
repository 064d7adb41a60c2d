/** A ladder: the same cell with 1, 2, 4 … agents. Only N may differ between its levels. */
import { canonicalJson } from "../../core/ids.ts";
import { MS_PER_S } from "../../core/units.ts";
import type { RunManifest } from "../../record/run-manifest.ts";
import { mean } from "../../stats/quantile.ts";
import type { BlockAnalysis } from "../block.ts";
import type { CellAnalysis } from "../cell.ts";

export interface LadderLevel {
  readonly agents: number;
  readonly label: string;
  /** Aggregate throughput of each trial. */
  readonly tokS: readonly number[];
  /** `solo`: no cell has one agent, and the solo trials of the smallest one stand for it. */
  readonly basis: "together" | "solo";
  readonly retention: number | undefined;
  /** 1/N, where it holds. */
  readonly equalShare: number | undefined;
  /** Throughput over that of one agent, on ideal devices that serve the same requests. */
  readonly idealSharedGain: number | undefined;
  readonly idealOneAtATimeGain: number | undefined;
}

export interface Ladder {
  readonly name: string;
  /** Ascending in agents, each number once. */
  readonly levels: readonly LadderLevel[];
  /** Tokens that a request holds in the cache on average while it decodes: its prompt and half of its answer. */
  readonly contextTokens: number | undefined;
  readonly endpoints: readonly string[];
  /** Requests that all its servers decode at once; absent where one does not say. */
  readonly slots: number | undefined;
}

/** Two cells make a ladder; what can be said of it depends on how many there are. */
const FEWEST_LEVELS = 2;

export function laddersOf(cells: readonly CellAnalysis[], manifest: RunManifest): readonly Ladder[] {
  const byRest = new Map<string, CellAnalysis[]>();
  for (const cell of cells) {
    const group = byRest.get(restOf(cell));
    if (group === undefined) byRest.set(restOf(cell), [cell]);
    else group.push(cell);
  }
  const ladders = [...byRest.values()].flatMap((group) => ladderOf(group, manifest));
  // Cells that someone named by hand, each with its own number of agents, are a ladder too.
  return ladders.length > 0 ? ladders : ladderOf(cells, manifest);
}

const COUNT_SUFFIX = / N=\d+$/;

function nameOf({ label }: CellAnalysis): string {
  return label.replace(COUNT_SUFFIX, "");
}

/** Everything about a cell except how many agents it has. */
function restOf(cell: CellAnalysis): string {
  const { agents: _agents, ...others } = cell.parameters;
  return canonicalJson([cell.scenario, nameOf(cell), others]);
}

function ladderOf(cells: readonly CellAnalysis[], manifest: RunManifest): readonly Ladder[] {
  const levels = cells.map(levelOf).filter((level) => level.tokS.length > 0);
  const counts = new Set(levels.map((level) => level.agents));
  const [first] = cells;
  if (first === undefined || counts.size !== levels.length || counts.size < FEWEST_LEVELS) return [];
  const sorted = levels.sort((one, other) => one.agents - other.agents);
  const whole = [...soloLevel(cells, sorted[0]), ...sorted];
  const names = new Set(cells.map(nameOf));
  const endpoints = [...new Set(cells.flatMap((cell) => cell.agents.flatMap((agent) => agent.endpoints)))];
  return [
    {
      name: names.size === 1 ? nameOf(first) : first.scenario,
      levels: whole,
      contextTokens: contextTokens(cells),
      endpoints,
      slots: slotsOf(manifest, endpoints),
    },
  ];
}

/** By server: two names of one url are one server, and its models share the slots. */
function slotsOf(manifest: RunManifest, endpoints: readonly string[]): number | undefined {
  const byUrl = new Map<string, number | undefined>();
  for (const { name, url, slots } of manifest.endpoints) if (endpoints.includes(name)) byUrl.set(url, slots);
  const known = [...byUrl.values()].filter((slots) => slots !== undefined);
  if (known.length === 0 || known.length < byUrl.size) return undefined;
  return known.reduce((total, slots) => total + slots, 0);
}

function levelOf(cell: CellAnalysis): LadderLevel {
  return {
    agents: cell.agentNames.length,
    label: cell.label,
    tokS: cell.blocks.flatMap(({ figures }) => figures.whole.tokS ?? []),
    basis: "together",
    retention: cell.figures.retention?.mean,
    equalShare: cell.sharing?.equalShare,
    idealSharedGain: cell.sharing?.shared.gain,
    idealOneAtATimeGain: cell.sharing?.oneAtATime.gain,
  };
}

/** One agent alone is one agent, whichever trial it was in; of agents that differ none stands for all. */
function soloLevel(
  cells: readonly CellAnalysis[],
  smallest: LadderLevel | undefined,
): readonly LadderLevel[] {
  const cell = cells.find(({ label }) => label === smallest?.label);
  if (cell === undefined || smallest === undefined || smallest.agents === 1 || !cell.rolesAlike) return [];
  const tokS = cell.blocks.flatMap((block) => soloTokS(block) ?? []);
  if (tokS.length === 0) return [];
  return [
    {
      agents: 1,
      label: `alone, from ${cell.label}`,
      tokS,
      basis: "solo",
      retention: undefined,
      equalShare: 1,
      idealSharedGain: 1,
      idealOneAtATimeGain: 1,
    },
  ];
}

function soloTokS({ agents }: BlockAnalysis): number | undefined {
  const solo = agents[0]?.solo;
  if (solo?.outputTokens === undefined || solo.totalMs === undefined || solo.totalMs <= 0) return undefined;
  return (solo.outputTokens * MS_PER_S) / solo.totalMs;
}

function contextTokens(cells: readonly CellAnalysis[]): number | undefined {
  const each = cells.flatMap(({ blocks }) =>
    blocks.flatMap(({ agents }) =>
      agents.flatMap(({ together: { inputPerRequest, outputPerRequest } }) =>
        inputPerRequest === undefined || outputPerRequest === undefined
          ? []
          : [inputPerRequest + outputPerRequest / 2],
      ),
    ),
  );
  return mean(each);
}
