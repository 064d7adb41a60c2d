/**
 * The order of trials. A block is one repeat of one cell: its solo trials and its together trial.
 * Interleaved order shuffles, within each repeat, the cells and the trials of each cell, so that
 * drift of the machine falls on all of them alike; the seed that did it is in the manifest.
 */
import { randomStream } from "../core/random.ts";
import type { Cell } from "./matrix.ts";
import { soloGroups } from "./matrix.ts";
import type { Scenario } from "./scenario.ts";

export interface PlannedTrial {
  readonly trialId: string;
  readonly cell: Cell;
  readonly kind: "solo" | "together";
  /** For a solo trial: who runs, and whose baseline it is. */
  readonly soloAgent?: string;
  readonly soloFor?: readonly string[];
  readonly repeat: number;
  readonly order: number;
}

export function planTrials(
  scenario: Pick<Scenario, "runs" | "solo" | "order">,
  cells: readonly Cell[],
  seed: number,
): readonly PlannedTrial[] {
  const trials: Omit<PlannedTrial, "order">[] = [];
  for (let repeat = 0; repeat < scenario.runs; repeat++) {
    const random = randomStream(seed, "order", repeat);
    const shuffled = <T>(items: readonly T[]): readonly T[] =>
      scenario.order === "interleaved" ? random.shuffle(items) : items;
    for (const cell of shuffled(cells)) trials.push(...shuffled(blockOf(cell, repeat, scenario.solo)));
  }
  return trials.map((trial, order) => ({ ...trial, order }));
}

function blockOf(cell: Cell, repeat: number, solo: boolean): readonly Omit<PlannedTrial, "order">[] {
  const id = `${cell.hash.slice(0, 8)}-r${repeat}`;
  const together = { trialId: `${id}-together`, cell, kind: "together", repeat } as const;
  // One agent alone is its own baseline: the together trial would only repeat it.
  if (!solo || cell.agents.length === 1) return [together];
  const solos = soloGroups(cell).map((group) => ({
    trialId: `${id}-solo-${group.agent}`,
    cell,
    kind: "solo" as const,
    soloAgent: group.agent,
    soloFor: group.standsFor,
    repeat,
  }));
  return [...solos, together];
}
