/** Study 003: statements that its own numbers do not carry. */
import type { Finding } from "../study-findings.ts";
import { countText, numberText, percentText } from "../words.ts";
import { MIB_PER_DECIMAL_GB } from "./corrections.ts";
import { perSlotMib, projectorSavingMib } from "./figures.ts";
import type { CapacitySpikeInputs } from "./inputs.ts";
import { MIB_PER_GIB, workload } from "./inputs.ts";
import { fitMemoryLine, freeByLine } from "./memory-line.ts";

export function capacitySpikeFindings(inputs: CapacitySpikeInputs): readonly Finding[] {
  return [
    perSlot(inputs),
    notResident(inputs),
    windowEdges(inputs),
    collapse(inputs),
    shortTurns(inputs),
    oneRun(inputs),
    beyond(inputs),
    highestYield(inputs),
    projector(inputs),
    scratchTwice(inputs),
    floor(inputs),
  ];
}

function perSlot(inputs: CapacitySpikeInputs): Finding {
  const span = (context: "128k" | "64k" | "32k", mibPerGb: number): string => {
    const [low, high] = perSlotMib(inputs, context, mibPerGb, "as-printed");
    return low === high ? countText(low) : `${countText(low)} to ${countText(high)}`;
  };
  const all = (mibPerGb: number): string =>
    (["128k", "64k", "32k"] as const).map((context) => span(context, mibPerGb)).join(", ");
  const line = fitMemoryLine(inputs);
  return {
    id: "per-slot-formula",
    kind: "contradiction",
    section: "phase 1, per-slot KV cost",
    says: "(used − 3.4 − 14.1 − 0.5) ÷ N gives about 1,800, 1,100 and 660 MB per slot at 128K, 64K and 32K.",
    shows: `It gives ${all(MIB_PER_GIB)} MiB, or ${all(MIB_PER_DECIMAL_GB)} if GB means 10⁹ bytes. ${countText(line.fixedMib)} + ${numberText(line.perSlotMib, 0)} N + ${numberText(line.per1kCellsMib, 2)} MiB per 1K cells fits all five launches within ${percentText(line.worstPct)}.`,
  };
}

function notResident(inputs: CapacitySpikeInputs): Finding {
  const line = fitMemoryLine(inputs);
  const rows = inputs.workloads.filter((row) => freeByLine(inputs, line, row) < 0);
  const part = (value: (row: (typeof rows)[number]) => number): string =>
    rows.map((row) => countText(Math.abs(value(row)))).join(" and ");
  return {
    id: "not-resident",
    kind: "inference",
    section: "phase 2, finding 2",
    says: "At 200K and 256K everything fits, yet throughput falls: attention costs by allocated context.",
    shows: `By the line of the five launches rows ${rows.map((row) => row.id).join(" and ")} lack ${part((row) => freeByLine(inputs, line, row))} MiB, while ${part((row) => row.freeMib)} MiB were free: about the 1 GiB that the server leaves free by moving layers to host memory. That explains the fall, and why it comes where memory ends (128K, which fits, costs 7 %).`,
  };
}

function windowEdges(inputs: CapacitySpikeInputs): Finding {
  const over = inputs.workloads.filter(
    (row) => row.aggregateTokS.value > row.agents.length * row.perCallTokS.value,
  );
  const parts = over.map(
    (row) =>
      `row ${row.id}: ${row.aggregateTokS.text} against ${row.agents.length} × ${row.perCallTokS.text} = ${numberText(row.agents.length * row.perCallTokS.value, 1)}`,
  );
  return {
    id: "window-edges",
    kind: "contradiction",
    section: "phase 2, results",
    says: "Aggregate and per-call rates of nine rows.",
    shows: `Agents cannot stream more together than each does, times their number; ${parts.join("; ")}. Most likely tokens of a turn that crosses an edge of the window are counted wholly into it.`,
  };
}

function collapse(inputs: CapacitySpikeInputs): Finding {
  const base = workload(inputs, "02");
  const row = workload(inputs, "07");
  // One developer streams all the time at the per-call rate; none of its turns ends, so none is counted.
  const withUnfinished = row.aggregateTokS.value + row.perCallTokS.value;
  return {
    id: "unfinished-turn",
    kind: "inference",
    section: "phase 2, finding 2",
    says: "Throughput collapses by 13 × at 256K; the developer never finished a turn.",
    shows: `${base.aggregateTokS.text} ÷ ${row.aggregateTokS.text} is ${numberText(base.aggregateTokS.value / row.aggregateTokS.value, 1)}. The unfinished turn streamed for ${inputs.durationS} s and is left out; at the per-call rate it adds ${row.perCallTokS.text} tok/s, and the factor is ${numberText(base.aggregateTokS.value / withUnfinished, 1)}.`,
  };
}

function shortTurns(inputs: CapacitySpikeInputs): Finding {
  const { aggregateTokS, perCallTokS, turns, turnP50S } = workload(inputs, "06");
  const counted = (aggregateTokS.value * inputs.durationS) / (turns ?? Number.NaN);
  const streamed = perCallTokS.value * (turnP50S?.value ?? Number.NaN);
  return {
    id: "short-turns",
    kind: "interpretation",
    section: "phase 2, finding 5",
    says: `Tool storms are handled cleanly: ${countText(turns ?? Number.NaN)} turns in ${inputs.durationS} s at p50 ${turnP50S?.text ?? "–"} s.`,
    shows: `${aggregateTokS.text} tok/s over ${inputs.durationS} s make ${numberText(counted, 1)} tokens a turn (and p50 at the per-call rate ${numberText(streamed, 1)}), where up to ${inputs.roles.ToolStorm?.maxTokens ?? "–"} were allowed: short turns are what was tested, and their low aggregate is their length, not the server's limit.`,
  };
}

function oneRun(inputs: CapacitySpikeInputs): Finding {
  const free = (slots: number, cells: number): readonly number[] => [
    ...new Set([
      ...inputs.ceiling
        .filter((row) => row.slots === slots && row.slotCells === cells)
        .map((row) => row.freeMib),
      ...inputs.workloads
        .filter((row) => row.slots === slots && row.slotCells === cells && !row.textOnly)
        .map((row) => row.freeMib),
    ]),
  ];
  const gap = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);
  const three = free(3, 65_536);
  const five = free(5, 32_768);
  return {
    id: "one-run-each",
    kind: "assumption",
    section: "phase 1, phase 2",
    says: "Configurations are compared by one run each.",
    shows: `Free memory of one and the same launch differs between rows by ${gap(three)} MiB (three slots of 64K: ${three.map(countText).join(", ")}) and by ${gap(five)} MiB (five of 32K: ${five.map(countText).join(", ")}). Twice the same amount is no noise: most likely another program of about 0.4 GB, such as the compositor, had ended in between, so rows do not share one background.`,
  };
}

function beyond({ kvMbPer1kCells }: CapacitySpikeInputs): Finding {
  return {
    id: "beyond-theory",
    kind: "contradiction",
    section: "phase 1, per-slot KV cost",
    says: "Beyond the theoretical cache a slot costs 150 MB more at 128K, 75 at 64K, 150 at 32K.",
    shows: `At 128K its figures are ${countText(128 * kvMbPer1kCells)} in theory and about 1,800 found: 248 MB less, not 150 more. A fixed cost per slot that is largest, smallest and largest again is none.`,
  };
}

function highestYield(inputs: CapacitySpikeInputs): Finding {
  const research = workload(inputs, "03");
  const most = inputs.workloads.reduce((a, b) => (b.aggregateTokS.value > a.aggregateTokS.value ? b : a));
  return {
    id: "highest-yield",
    kind: "contradiction",
    section: "phase 2, findings 3 and 4",
    says: "Three Research agents at 180 tok/s are the highest aggregate of any configuration.",
    shows: `Row ${most.id} has ${most.aggregateTokS.text} against ${research.aggregateTokS.text}; with one run each they are tied.`,
  };
}

function projector(inputs: CapacitySpikeInputs): Finding {
  return {
    id: "projector-saving",
    kind: "contradiction",
    section: "recommended configurations",
    says: "Dropping the projector frees about 1.1 GiB.",
    shows: `At three slots of 128K free memory rises from 1,102 to 1,823 MiB: ${projectorSavingMib(inputs)} MiB. The line leaves ${countText(freeByLine(inputs, fitMemoryLine(inputs), workload(inputs, "09")))} MiB; where the rest went is not printed.`,
  };
}

function scratchTwice(inputs: CapacitySpikeInputs): Finding {
  const { overheadGb, formulaGb } = inputs;
  const slots = 5;
  const partMib = (formulaGb.fragmentation.value * MIB_PER_GIB) / slots;
  const [slotMib] = perSlotMib(inputs, "32k", MIB_PER_GIB, "as-printed");
  return {
    id: "scratch-twice",
    kind: "inference",
    section: "phase 1, per-slot KV cost",
    says: `${formulaGb.overhead.text} GB of overhead include about ${overheadGb.scratch.text} GB of CUDA scratch; another ${formulaGb.fragmentation.text} GB are subtracted as fragmentation.`,
    shows: `Neither was measured. Each takes ${numberText(partMib, 0)} MiB from every one of five slots, a share of ${percentText((partMib / slotMib) * 100, 0)} of the ${numberText(slotMib, 0)} MiB that the formula leaves for a slot of 32K.`,
  };
}

function floor(inputs: CapacitySpikeInputs): Finding {
  const floorMib = inputs.freeFloorGib * MIB_PER_GIB;
  const below = inputs.ceiling.filter((row) => row.freeAfterImageMib.value < floorMib);
  return {
    id: "free-floor",
    kind: "contradiction",
    section: "phase 1, headroom",
    says: `At least ${inputs.freeFloorGib} GiB must stay free in a session with images; seven slots of 32K are marginal.`,
    shows: `${inputs.freeFloorGib} GiB are ${countText(floorMib)} MiB. After one image ${below.map((row) => `${row.slots} slots of ${row.slotCells / 1024}K (${row.freeAfterImageMib.text.replace("~", "about ")})`).join(", ")} are below it: by the study's own bar seven slots fail too.`,
  };
}
