import { assert } from "../../core/assert.ts";

/** The entry of a study's list that has this id; asking for one that is not there is a mistake of ours. */
export function namedEntry<Entry extends { readonly id: string }>(
  entries: readonly Entry[],
  id: string,
): Entry {
  const found = entries.find((entry) => entry.id === id);
  assert(found !== undefined, `no entry ${id}`);
  return found;
}
