/** In which order presets start. */
import type { Preset } from "../preset/preset.ts";

/**
 * Those that others depend on first, otherwise as given. Dependencies outside the list are taken to
 * be there; the catalogue has refused circles, and one that came with an old snapshot ends the search.
 */
export function startOrder<T extends { readonly preset: Preset }>(items: readonly T[]): readonly T[] {
  const byName = new Map(items.map((item) => [item.preset.name, item]));
  const ordered = new Set<T>();
  const entered = new Set<T>();
  const enter = (item: T): void => {
    if (entered.has(item)) return;
    entered.add(item);
    for (const name of item.preset.dependsOn) {
      const needed = byName.get(name);
      if (needed !== undefined) enter(needed);
    }
    ordered.add(item);
  };
  for (const item of items) enter(item);
  return [...ordered];
}
