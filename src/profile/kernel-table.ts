/** The kernel table, and the same by family. */
import type { FamilyRow, KernelRow, KernelTable } from "./figures.ts";
import type { KernelFamily } from "./kernel-family.ts";
import { kernelFamily } from "./kernel-family.ts";
import type { DurationsByNumber } from "./named-tallies.ts";

export function kernelTableOf(durations: DurationsByNumber, nameOf: (label: number) => string): KernelTable {
  return durations.entries().map(([label, { count, totalNs, minNs, maxNs }]) => {
    const name = nameOf(label);
    return {
      name,
      family: kernelFamily(name),
      instances: count,
      totalNs,
      meanNs: totalNs / count,
      minNs,
      maxNs,
      ...(durations.totalNs > 0 ? { timeShare: totalNs / durations.totalNs } : {}),
    } satisfies KernelRow;
  });
}

export function familiesOf(table: KernelTable): readonly FamilyRow[] {
  const families = new Map<KernelFamily, { kernels: number; totalNs: number }>();
  let totalNs = 0;
  for (const row of table) {
    const family = families.get(row.family) ?? { kernels: 0, totalNs: 0 };
    families.set(row.family, family);
    family.kernels += row.instances;
    family.totalNs += row.totalNs;
    totalNs += row.totalNs;
  }
  return [...families]
    .map(([family, sums]) => ({
      family,
      ...sums,
      ...(totalNs > 0 ? { timeShare: sums.totalNs / totalNs } : {}),
    }))
    .sort((one, other) => other.totalNs - one.totalNs || (one.family < other.family ? -1 : 1));
}
