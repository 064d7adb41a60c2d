import type { CallRow } from "./figures.ts";

/** Rows of one name become one, with shares of what all take together; most time first. */
export function mergedCalls(rows: readonly CallRow[]): readonly CallRow[] {
  const merged = new Map<string, CallRow>();
  for (const row of rows) {
    const other = merged.get(row.name);
    merged.set(row.name, other === undefined ? row : together(row, other));
  }
  const totalNs = rows.reduce((sum, row) => sum + row.totalNs, 0);
  return [...merged.values()]
    .map((row) => ({ ...row, ...(totalNs > 0 ? { timeShare: row.totalNs / totalNs } : {}) }))
    .sort((one, other) => other.totalNs - one.totalNs);
}

/** An extreme is known only where both know theirs. */
function together(one: CallRow, other: CallRow): CallRow {
  return {
    name: one.name,
    calls: one.calls + other.calls,
    totalNs: one.totalNs + other.totalNs,
    ...(one.minNs === undefined || other.minNs === undefined
      ? {}
      : { minNs: Math.min(one.minNs, other.minNs) }),
    ...(one.maxNs === undefined || other.maxNs === undefined
      ? {}
      : { maxNs: Math.max(one.maxNs, other.maxNs) }),
  };
}
