/**
 * All sets of models that fit the memory together. They are closed under leaving one out, so each is
 * an earlier one and one model more, and tables lead from every set to its neighbours.
 */
import type { RouteTable } from "../route-table.ts";

export interface ResidencySets {
  readonly count: number;
  /** The models that sets are made of, by their places in the table. */
  readonly models: readonly number[];
  /** The last model of a set, as a place in `models`; −1 for the empty set, which is the first. */
  readonly last: Int16Array;
  /** The set without its last model. */
  readonly parent: Int32Array;
  /** The set without its k-th model at set · models + k; −1 where it has none such. */
  readonly without: Int32Array;
}

/** Sets in the order of binary numbers; nothing, where there are more than `most`. */
export function residencySets(
  table: RouteTable,
  models: readonly number[],
  most: number,
): ResidencySets | undefined {
  const width = models.length;
  const sizes = models.map((model) => table.models[model]?.memoryMib as number);
  const last: number[] = [-1];
  const parent: number[] = [-1];
  const memoryMib: number[] = [0];
  // Of each set, the set with one more model, for the models up to the one that is being added.
  const grown: number[][] = models.map(() => []);
  for (let added = 0; added < width; added++) {
    const size = sizes[added] as number;
    const next = grown[added] as number[];
    for (let set = 0, end = last.length; set < end; set++) {
      const sum = (memoryMib[set] as number) + size;
      if (sum > table.budgetMib) continue;
      if (last.length === most) return undefined;
      next[set] = last.length;
      last.push(added);
      parent.push(set);
      memoryMib.push(sum);
    }
  }
  const without = new Int32Array(last.length * width).fill(-1);
  for (let set = 1; set < last.length; set++) {
    const added = last[set] as number;
    const smaller = parent[set] as number;
    without[set * width + added] = smaller;
    for (let place = 0; place < added; place++) {
      const rest = without[smaller * width + place] as number;
      if (rest >= 0) without[set * width + place] = grown[added]?.[rest] as number;
    }
  }
  return {
    count: last.length,
    models,
    last: Int16Array.from(last),
    parent: Int32Array.from(parent),
    without,
  };
}

/** The models of a set, in their order. */
export function membersOf(sets: ResidencySets, set: number): number[] {
  const members: number[] = [];
  for (let at = set; at > 0; at = sets.parent[at] as number)
    members.unshift(sets.models[sets.last[at] as number] as number);
  return members;
}
