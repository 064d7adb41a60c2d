/** A profile as a section: the answer, then a table for each thing that is known, then what is not. */
import { UNKNOWN, formatNumber } from "../../core/units.ts";
import type { CallRow, FigureSet, ProfileFigures, Told } from "../../profile/figures.ts";
import { valueOf } from "../../profile/figures.ts";
import type { Section, SectionBlock } from "../section/section.ts";
import { heading, lead, left, list, note, right, table } from "../section/section.ts";
import {
  callNameText,
  countText,
  kernelNameText,
  nsText,
  rateText,
  shareText,
  sizeText,
} from "./measure-text.ts";
import { firstOf } from "./first-of.ts";
import { profileAnswer } from "./profile-answer.ts";
import { deviceBlocks } from "./profile-devices.ts";

export interface ProfileSectionOptions {
  /** Rows of each long table. */
  readonly top: number;
}

export function profileSection(figures: ProfileFigures, { top }: ProfileSectionOptions): Section {
  return {
    id: "profile",
    title: "profile",
    simulated: false,
    blocks: [
      ...profileAnswer(figures).map(lead),
      ...familyTable(figures),
      ...kernelTable(figures, top),
      ...deviceBlocks(figures, top),
      ...memoryTable(figures),
      ...callTable("CUDA API calls, shares of their own sum", valueOf(figures.cudaApi), top),
      ...callTable("OS runtime calls, shares of their own sum", valueOf(figures.osRuntime), top),
      ...callTable(
        "NVTX ranges, shares of their own sum; nested ones count twice",
        valueOf(figures.nvtx),
        top,
      ),
      ...ncuTable(figures, top),
      ...sideTables(figures, top),
      ...unknownBlocks(figures),
      ...noteBlocks(figures),
      ...sourceBlocks(figures),
    ],
  };
}

function familyTable({ families }: ProfileFigures): readonly SectionBlock[] {
  return table(
    "Kernels by family",
    [left("family"), right("kernels"), right("GPU time"), right("share")],
    (valueOf(families) ?? []).map((row) => [
      row.family,
      countText(row.kernels),
      nsText(row.totalNs),
      shareText(row.timeShare),
    ]),
  );
}

function kernelTable({ kernels }: ProfileFigures, top: number): readonly SectionBlock[] {
  const rows = valueOf(kernels) ?? [];
  return table(
    `Time per kernel${firstOf(top, rows.length)}`,
    [left("kernel"), left("family"), right("n"), right("total"), right("mean"), right("max"), right("share")],
    rows
      .slice(0, top)
      .map((row) => [
        kernelNameText(row.name),
        row.family,
        countText(row.instances),
        nsText(row.totalNs),
        nsText(row.meanNs),
        nsText(row.maxNs),
        shareText(row.timeShare),
      ]),
  );
}

function memoryTable({ memory }: ProfileFigures): readonly SectionBlock[] {
  return table(
    "Memory operations: copies and memsets, not what kernels read and write",
    [left("operation"), right("n"), right("time"), right("bytes"), right("rate")],
    (valueOf(memory) ?? []).map((row) => [
      row.operation,
      countText(row.count),
      nsText(row.totalNs),
      sizeText(row.bytes),
      rateText(row.bytesPerS),
    ]),
  );
}

function callTable(
  caption: string,
  rows: readonly CallRow[] | undefined,
  top: number,
): readonly SectionBlock[] {
  const known = rows ?? [];
  return table(
    `${caption}${firstOf(top, known.length)}`,
    [left("name"), right("n"), right("total"), right("max"), right("share")],
    known
      .slice(0, top)
      .map((row) => [
        callNameText(row.name),
        countText(row.calls),
        nsText(row.totalNs),
        nsText(row.maxNs),
        shareText(row.timeShare),
      ]),
  );
}

function ncuTable({ ncu }: ProfileFigures, top: number): readonly SectionBlock[] {
  const rows = valueOf(ncu) ?? [];
  const percent = (value: number | undefined): string =>
    value === undefined ? UNKNOWN : `${formatNumber(value)} %`;
  return table(
    `Nsight Compute, at its own clock${firstOf(top, rows.length)}`,
    [
      left("kernel"),
      right("time"),
      right("DRAM"),
      right("compute"),
      right("achieved"),
      right("occupancy"),
      right("possible"),
    ],
    rows
      .slice(0, top)
      .map((row) => [
        kernelNameText(row.name),
        nsText(row.durationNs),
        percent(row.dramPctOfPeak),
        percent(row.computePctOfPeak),
        rateText(row.achievedBytesPerS),
        percent(row.achievedOccupancyPct),
        percent(row.theoreticalOccupancyPct),
      ]),
  );
}

function sideTables(figures: ProfileFigures, top: number): readonly SectionBlock[] {
  const usage = valueOf(figures.memoryUsage);
  const switches = valueOf(figures.contextSwitches);
  const overheadNs = valueOf(figures.profilerOverheadNs);
  const metrics = valueOf(figures.gpuMetrics) ?? [];
  return [
    ...(usage === undefined
      ? []
      : [
          note(
            `GPU memory: ${countText(usage.allocations)} allocations, ${countText(usage.frees)} releases, at most ${sizeText(usage.peakBytes)} at one time.`,
          ),
        ]),
    ...(switches === undefined ? [] : [note(`GPU context switches: ${countText(switches)} events.`)]),
    ...(overheadNs === undefined ? [] : [note(`The profiler's own work: ${nsText(overheadNs)}.`)]),
    ...table(
      `Sampled GPU metrics${firstOf(top, metrics.length)}`,
      [left("metric"), right("samples"), right("mean"), right("max")],
      metrics
        .slice(0, top)
        .map((row) => [row.name, countText(row.samples), formatNumber(row.mean), formatNumber(row.max)]),
    ),
  ];
}

const TITLES: Readonly<Record<keyof FigureSet, string>> = {
  kernelCount: "kernels",
  gpuTimeNs: "GPU time",
  recordedNs: "recorded window",
  devices: "busy time, concurrency and gaps",
  gpus: "GPU models",
  kernels: "kernel table",
  families: "families",
  memory: "memory operations",
  cudaApi: "CUDA API",
  osRuntime: "OS runtime",
  nvtx: "NVTX ranges",
  graphs: "CUDA graphs",
  profilerOverheadNs: "profiler's own work",
  memoryUsage: "GPU memory in use",
  gpuMetrics: "sampled GPU metrics",
  contextSwitches: "GPU context switches",
  ncu: "counters of Nsight Compute",
};

/** One line for each reason. */
function unknownBlocks(figures: ProfileFigures): readonly SectionBlock[] {
  const reasons = new Map<string, string[]>();
  for (const name of Object.keys(TITLES) as (keyof FigureSet)[]) {
    const told: Told<unknown> = figures[name];
    if (told.kind === "unknown")
      reasons.set(told.because, [...(reasons.get(told.because) ?? []), TITLES[name]]);
  }
  const items = [...reasons].map(([because, names]) => `${names.join(", ")}: unknown, because ${because}`);
  return items.length === 0 ? [] : [heading("Not known"), ...list(items)];
}

function noteBlocks({ notes }: ProfileFigures): readonly SectionBlock[] {
  return notes.length === 0 ? [] : [heading("Notes"), ...list(notes)];
}

function sourceBlocks({ sources }: ProfileFigures): readonly SectionBlock[] {
  return [
    heading("Read from"),
    ...list(sources.map(({ path, detail, bytes }) => `${path}: ${detail}, ${sizeText(bytes)}`)),
  ];
}
