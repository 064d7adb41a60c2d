/** Study 003: its derived figures. */
import type { RecomputedFigures } from "../recomputed-figures.ts";
import { changePct } from "../sample-figures.ts";
import type { CapacitySpikeInputs } from "./inputs.ts";
import { CELLS_PER_1K, MIB_PER_GIB, workload } from "./inputs.ts";
import { fitMemoryLine, usedByLine } from "./memory-line.ts";

export function memoryFigures(book: RecomputedFigures, inputs: CapacitySpikeInputs): void {
  const { coTenant, compositor, scratch } = inputs.overheadGb;
  for (const row of inputs.ceiling) {
    book.exactly(`ceiling.${row.id}.total`, row.slots * row.slotCells);
    book.exactly(`ceiling.${row.id}.card`, row.usedMib + row.freeMib);
    const [least, most] = inputs.marginMib;
    const left = row.freeMib - inputs.imageMib;
    book.between(`headroom.${row.id}.free`, left - most, left - least);
  }
  const sum = (...parts: readonly number[]): number => parts.reduce((total, part) => total + part, 0);
  book.from("shared.overhead.gb", [coTenant, compositor, scratch], sum);
  book.from("shared.backbone.gb", [inputs.weightsGb, inputs.projectorGb], sum);
  for (const id of ["128k", "64k", "32k"] as const) {
    const theory = (Number.parseInt(id, 10) * 1024 * inputs.kvMbPer1kCells) / CELLS_PER_1K;
    book.exactly(`per-slot.${id}.theory`, theory);
    const [low, high] = perSlotMib(inputs, id, MIB_PER_GIB, "with-rounding");
    book.between(`per-slot.${id}.empirical`, low, high);
  }
}

/**
 * The study's own formula, (used − 3.4 − 14.1 − 0.5) ÷ N, over the launches with this context. Its GB
 * are read as `mibPerGb` MiB each. The parts it subtracts are printed to a tenth.
 */
export function perSlotMib(
  inputs: CapacitySpikeInputs,
  context: "128k" | "64k" | "32k",
  mibPerGb: number,
  rounding: "with-rounding" | "as-printed",
): readonly [number, number] {
  const parts = Object.values(inputs.formulaGb);
  const shared = parts.reduce((total, part) => total + part.value, 0) * mibPerGb;
  const slack =
    rounding === "as-printed" ? 0 : parts.reduce((total, part) => total + part.halfUnit, 0) * mibPerGb;
  const costs = inputs.ceiling
    .filter((row) => row.slotCells === Number.parseInt(context, 10) * 1024)
    .map((row) => ({ mib: (row.usedMib - shared) / row.slots, slack: slack / row.slots }));
  return [
    Math.min(...costs.map((cost) => cost.mib - cost.slack)),
    Math.max(...costs.map((cost) => cost.mib + cost.slack)),
  ];
}

/** Printed empirical cost less the theory: what the last column of the study's table says. */
export function beyondTheory(
  book: RecomputedFigures,
  inputs: CapacitySpikeInputs,
  published: (id: string) => { readonly value: number; readonly halfUnit: number },
): void {
  for (const id of ["128k", "64k", "32k"] as const) {
    const { value, halfUnit } = published(`per-slot.${id}.empirical`);
    const beyond = value - Number.parseInt(id, 10) * inputs.kvMbPer1kCells;
    book.between(`per-slot.${id}.beyond`, beyond - halfUnit, beyond + halfUnit);
  }
}

export function workloadFigures(book: RecomputedFigures, inputs: CapacitySpikeInputs): void {
  const row = (id: string) => workload(inputs, id);
  const put = (
    id: string,
    parts: Parameters<RecomputedFigures["from"]>[1],
    formula: (a?: number, b?: number) => number,
  ) => book.from(`scaling.${id}.value`, parts, formula);
  const change = (from = 1, to = 0): number => changePct(from, to);
  const ratio = (over = 0, under = 1): number => over / under;
  const [base, wide, wider, widest] = [row("02"), row("09"), row("08"), row("07")];
  put("128k-cost", [base.aggregateTokS, wide.aggregateTokS], change);
  put("200k-cost", [base.aggregateTokS, wider.aggregateTokS], change);
  if (wider.devP50S !== undefined && base.devP50S !== undefined)
    put("200k-latency", [wider.devP50S, base.devP50S], ratio);
  put("256k-collapse", [base.aggregateTokS, widest.aggregateTokS], ratio);
  put("research-gain", [row("01").aggregateTokS, row("03").aggregateTokS], change);
  put("research-share", [row("03").perCallTokS, row("01").perCallTokS], ratio);
  const ranked = inputs.workloads.toSorted((a, b) => b.aggregateTokS.value - a.aggregateTokS.value);
  book.exactly("scaling.research-rank.value", ranked.indexOf(row("03")) + 1);
  const { turnP50S, turnP95S } = row("06");
  if (turnP50S !== undefined) put("turn-p50", [turnP50S], (value = 0) => value);
  if (turnP95S !== undefined) put("turn-p95", [turnP95S], (value = 0) => value);
  book.exactly("scaling.projector-saving.value", projectorSavingMib(inputs));
  const line = fitMemoryLine(inputs);
  const used =
    usedByLine(inputs, line, { slots: 2, slotCells: 256 * CELLS_PER_1K, textOnly: true }) / MIB_PER_GIB;
  const error = (used * line.worstPct) / 100;
  book.between("scaling.n2-256k.value", used - error, used + error);
}

/** Free memory of three slots of 128K without the projector, less with it. */
export function projectorSavingMib(inputs: CapacitySpikeInputs): number {
  const textOnly = workload(inputs, "09");
  const withProjector = inputs.ceiling.find(
    (one) => one.slots === textOnly.slots && one.slotCells === textOnly.slotCells,
  );
  return textOnly.freeMib - (withProjector?.freeMib ?? Number.NaN);
}
