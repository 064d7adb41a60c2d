/** From a run's records to everything its reports say. */
import type { RunManifest } from "../record/run-manifest.ts";
import type { RunSource } from "../record/run-source.ts";
import type { AgentPlan } from "./agent-plan.ts";
import { agentPlan } from "./agent-plan.ts";
import type { BlockFigures, CellAnalysis } from "./cell.ts";
import { analyseCell, figuresOf } from "./cell.ts";
import type { Pooling } from "./pooling.ts";
import { poolingOf } from "./pooling.ts";
import type { RepeatGroup } from "./repeats.ts";
import { repeatGroups } from "./repeats.ts";
import type { CellRoles } from "./roles/measured-roles.ts";
import { MeasuredRoles } from "./roles/measured-roles.ts";
import type { FoldTotals, FoldedTrial } from "./run-fold.ts";
import { RunFold } from "./run-fold.ts";
import type { RunWarning } from "./warning-check.ts";
import { runWarnings } from "./warnings.ts";

export interface RunAnalysis {
  readonly manifest: RunManifest;
  /** Some figure comes from the simulated engine. */
  readonly simulated: boolean;
  readonly cells: readonly CellAnalysis[];
  readonly pooling: Pooling;
  /** Over the together trials of all cells; every figure is unknown where they are not to be pooled. */
  readonly overall: BlockFigures;
  readonly repeats: readonly RepeatGroup[];
  /** Of cells whose agents have roles or a set time; empty in any other run. */
  readonly roles: readonly CellRoles[];
  readonly totals: FoldTotals;
  readonly warnings: readonly RunWarning[];
}

export interface AnalyseOptions {
  /** Reads chunk stamps too, for gaps between tokens and exact windows; costs a second file. Default true. */
  readonly chunks?: boolean;
}

/**
 * Reads the run once per file and keeps numbers only. Throws what the source throws when it cannot
 * be read; an empty or half-finished run gives an analysis with few or no cells.
 */
export function analyseRun(
  source: Pick<RunSource, "manifest" | "trials" | "eachRequest" | "eachChunk"> &
    Partial<Pick<RunSource, "notices">>,
  options: AnalyseOptions = {},
): RunAnalysis {
  const plan = agentPlan(source.manifest.spec);
  const fold = new RunFold(source.trials);
  const roles = new MeasuredRoles(source.manifest, source.trials, plan);
  source.eachRequest((record, membership) => {
    fold.request(record, membership);
    roles.request(record, membership);
  });
  if (options.chunks !== false)
    source.eachChunk((record, membership) => {
      fold.chunks(record, membership);
      if (membership === "finished") roles.chunks(record);
    });
  const run = fold.finish();
  const cells = inPlannedOrder(source.manifest, plan, byCell(run.trials))
    .map((trials) => analyseCell(trials, run, plan, source.manifest.seed))
    .filter((cell) => cell !== undefined);
  const pooling = poolingOf(cells, plan);
  return {
    manifest: source.manifest,
    simulated: source.manifest.simulated || run.trials.some((trial) => trial.record.simulated),
    cells,
    pooling,
    overall: figuresOf(pooling.kind === "pooled" ? cells.flatMap((cell) => cell.blocks) : []),
    repeats: repeatGroups(cells),
    roles: inOrderOf(cells, roles.finish()),
    totals: run.totals,
    warnings: runWarnings({ manifest: source.manifest, run, cells, plan, notices: source.notices ?? [] }),
  };
}

function inOrderOf(cells: readonly CellAnalysis[], roles: readonly CellRoles[]): readonly CellRoles[] {
  const byHash = new Map(roles.map((one) => [one.hash, one]));
  return cells.flatMap(({ hash }) => byHash.get(hash) ?? []);
}

function byCell(trials: readonly FoldedTrial[]): ReadonlyMap<string, readonly FoldedTrial[]> {
  const cells = new Map<string, FoldedTrial[]>();
  for (const trial of trials) {
    const cell = cells.get(trial.record.cellHash);
    if (cell === undefined) cells.set(trial.record.cellHash, [trial]);
    else cell.push(trial);
  }
  return cells;
}

/**
 * Trials ran in shuffled order, and the manifest lists cells as they came up; a reader wants the
 * order of the scenario, and of repeats within it.
 */
function inPlannedOrder(
  manifest: RunManifest,
  plan: AgentPlan,
  cells: ReadonlyMap<string, readonly FoldedTrial[]>,
): readonly (readonly FoldedTrial[])[] {
  const planned = [...plan.cells, ...manifest.cells].map((cell) => cell.hash);
  const hashes = new Set([...planned, ...cells.keys()]);
  return [...hashes].map((hash) =>
    [...(cells.get(hash) ?? [])].sort((a, b) => a.record.repeat - b.record.repeat),
  );
}
