/** Study 003: what its figures should be read against. */
import type { CorrectionTable, PublishedFigures } from "../study-findings.ts";
import { countText, numberText } from "../words.ts";
import { perSlotMib } from "./figures.ts";
import type { CapacitySpikeInputs } from "./inputs.ts";
import { MIB_PER_GIB } from "./inputs.ts";
import type { MemoryLine } from "./memory-line.ts";
import { fitMemoryLine, freeByLine } from "./memory-line.ts";

/** 10⁹ bytes in MiB, should GB be meant as printed. */
export const MIB_PER_DECIMAL_GB = 1e9 / 1024 ** 2;

export function capacitySpikeCorrections(
  inputs: CapacitySpikeInputs,
  published: PublishedFigures,
): readonly CorrectionTable[] {
  const line = fitMemoryLine(inputs);
  return [perSlot(inputs, line, published), residence(inputs, line), windows(inputs)];
}

function perSlot(
  inputs: CapacitySpikeInputs,
  line: MemoryLine,
  published: PublishedFigures,
): CorrectionTable {
  return {
    id: "per-slot",
    title: "Memory of one more slot, MiB",
    note: `The study's formula, its GB read as 1,024 MiB and as 10⁹ bytes, gives none of its three figures. A straight line through the five launches, ${countText(line.fixedMib)} + ${numberText(line.perSlotMib, 0)} per slot + ${numberText(line.per1kCellsMib, 2)} per 1K cells, holds within ${numberText(line.worstPct, 1)} %; its cells cost less than the 16 MB that were assumed.`,
    columns: [
      { heading: "published", unit: "plain", decimals: 0 },
      { heading: "GiB: least", unit: "plain", decimals: 0 },
      { heading: "most", unit: "plain", decimals: 0 },
      { heading: "GB: least", unit: "plain", decimals: 0 },
      { heading: "most", unit: "plain", decimals: 0 },
      { heading: "line", unit: "plain", decimals: 0 },
    ],
    rows: (["128k", "64k", "32k"] as const).map((id) => ({
      label: id.toUpperCase(),
      values: [
        published(`per-slot.${id}.empirical`).value,
        ...perSlotMib(inputs, id, MIB_PER_GIB, "as-printed"),
        ...perSlotMib(inputs, id, MIB_PER_DECIMAL_GB, "as-printed"),
        line.perSlotMib + line.per1kCellsMib * Number.parseInt(id, 10),
      ],
    })),
  };
}

function residence(inputs: CapacitySpikeInputs, line: MemoryLine): CorrectionTable {
  return {
    id: "residence",
    title: "Free memory at boot: printed, and what the line leaves, MiB",
    note: "Where the line leaves less than nothing although memory was free, a part of the model or its cache cannot have been on the card.",
    columns: [
      { heading: "slots", unit: "plain", decimals: 0 },
      { heading: "context K", unit: "plain", decimals: 0 },
      { heading: "printed", unit: "MiB", decimals: 0 },
      { heading: "by the line", unit: "MiB", decimals: 0 },
      { heading: "aggregate", unit: "tok/s", decimals: 1 },
    ],
    rows: inputs.workloads.map((row) => ({
      label: `row ${row.id}${row.textOnly ? ", text only" : ""}`,
      values: [
        row.slots,
        row.slotCells / 1024,
        row.freeMib,
        freeByLine(inputs, line, row),
        row.aggregateTokS.value,
      ],
    })),
  };
}

function windows(inputs: CapacitySpikeInputs): CorrectionTable {
  return {
    id: "windows",
    title: "Aggregate against what its calls can give, tok/s",
    note: "N agents that each stream at the per-call rate give at most N times that. An aggregate above it counts tokens and window differently; above 100 % it cannot be.",
    columns: [
      { heading: "agents", unit: "plain", decimals: 0 },
      { heading: "aggregate", unit: "tok/s", decimals: 1 },
      { heading: "per call", unit: "tok/s", decimals: 1 },
      { heading: "N × per call", unit: "tok/s", decimals: 1 },
      { heading: "share", unit: "percent", decimals: 0 },
    ],
    rows: inputs.workloads.map((row) => {
      const most = row.agents.length * row.perCallTokS.value;
      return {
        label: `row ${row.id}`,
        values: [
          row.agents.length,
          row.aggregateTokS.value,
          row.perCallTokS.value,
          most,
          (row.aggregateTokS.value / most) * 100,
        ],
      };
    }),
  };
}
