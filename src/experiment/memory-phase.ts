/** Phase 1: which cells fit, with few starts. */
import type { KvType } from "../preset/preset.ts";
import { findMemoryBoundary } from "../plan/memory-boundary.ts";
import type { GridPoint } from "../plan/memory-boundary.ts";
import { startServer } from "./server-round.ts";
import type { StartRecord } from "./start-record.ts";
import type { Sweep } from "./sweep.ts";
import type { SweepCell } from "./sweep-cells.ts";

export interface MemoryResult {
  /** In the order of the cells: those that fit, and those that must as less fits. */
  readonly fitting: readonly SweepCell[];
  /** What was looked at, in order. */
  readonly starts: readonly StartRecord[];
  /** Sentences about tries that do not go together. */
  readonly contradictions: readonly string[];
}

/**
 * A full grid is searched by bisection, for each cache type; other cells are tried one by one.
 * `known`: what an attempt before found, by cell.
 */
export async function memoryPhase(
  sweep: Sweep,
  cells: readonly SweepCell[],
  known: ReadonlyMap<string, StartRecord>,
): Promise<MemoryResult> {
  const starts: StartRecord[] = [];
  const tryCell = async (cell: SweepCell): Promise<boolean> => {
    const record = known.get(cell.name) ?? (await startServer(sweep, cell)).record;
    starts.push(record);
    return record.outcome.kind === "fits";
  };
  const fitting = new Set<string>();
  const contradictions: string[] = [];
  for (const group of byCacheType(cells)) {
    const grid = gridOf(group);
    if (grid === undefined) {
      for (const cell of group) if (await tryCell(cell)) fitting.add(cell.name);
      continue;
    }
    const boundary = await findMemoryBoundary(grid.axes, (point) => tryCell(grid.at(point)));
    for (const cell of group) {
      const { slots, contextTokensPerSlot } = cell.configuration;
      if (contextTokensPerSlot <= (boundary.longest.get(slots) ?? 0)) fitting.add(cell.name);
    }
    contradictions.push(
      ...boundary.contradictions.map(
        ({ fitted, didNotFit }) =>
          `${grid.at(didNotFit).name} did not fit and the larger ${grid.at(fitted).name} did: something else took memory, or memory is not what decides`,
      ),
    );
  }
  return { fitting: cells.filter(({ name }) => fitting.has(name)), starts, contradictions };
}

function byCacheType(cells: readonly SweepCell[]): readonly (readonly SweepCell[])[] {
  const groups = new Map<KvType | undefined, SweepCell[]>();
  for (const cell of cells) {
    const group = groups.get(cell.configuration.kvTypeK);
    if (group === undefined) groups.set(cell.configuration.kvTypeK, [cell]);
    else group.push(cell);
  }
  return [...groups.values()];
}

interface Grid {
  readonly axes: { readonly slots: readonly number[]; readonly contextTokensPerSlot: readonly number[] };
  readonly at: (point: GridPoint) => SweepCell;
}

/** Undefined where a point is missing or stands twice. */
function gridOf(cells: readonly SweepCell[]): Grid | undefined {
  const axis = (values: readonly number[]): readonly number[] =>
    [...new Set(values)].toSorted((one, other) => one - other);
  const axes = {
    slots: axis(cells.map(({ configuration }) => configuration.slots)),
    contextTokensPerSlot: axis(cells.map(({ configuration }) => configuration.contextTokensPerSlot)),
  };
  const key = ({ slots, contextTokensPerSlot }: GridPoint): string => `${slots}x${contextTokensPerSlot}`;
  const byPoint = new Map(cells.map((cell) => [key(cell.configuration), cell]));
  const points = axes.slots.length * axes.contextTokensPerSlot.length;
  if (byPoint.size !== cells.length || cells.length !== points) return undefined;
  return { axes, at: (point) => byPoint.get(key(point)) as SweepCell };
}
