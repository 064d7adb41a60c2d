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
import { profileAnswer } from "./profile-answer.ts";

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
      ...deviceTable(figures),
      ...gpuNotes(figures),
      ...gapTable(figures),
      ...streamTable(figures, top),
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
    `Time per kernel${first(top, rows.length)}`,
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

function deviceTable({ devices }: ProfileFigures): readonly SectionBlock[] {
  return table(
    "Devices: GPU time is a sum, busy a union",
    [
      left("device"),
      right("kernels"),
      right("GPU time"),
      right("busy"),
      right("span"),
      right("of span"),
      right("of window"),
      right("at once"),
    ],
    (valueOf(devices) ?? []).map((row) => [
      row.device,
      countText(row.kernels),
      nsText(row.gpuTimeNs),
      nsText(row.busyNs),
      nsText(row.spanNs),
      shareText(row.utilisationOfSpan),
      shareText(valueOf(row.utilisationOfWindow)),
      String(row.concurrency.maxKernels),
    ]),
  );
}

function gpuNotes({ gpus }: ProfileFigures): readonly SectionBlock[] {
  return (valueOf(gpus) ?? []).map(({ name, memoryBytes, memoryBytesPerS, multiprocessors }) => {
    const parts = [
      ...(memoryBytes === undefined ? [] : [sizeText(memoryBytes)]),
      ...(memoryBytesPerS === undefined ? [] : [`${rateText(memoryBytesPerS)} peak`]),
      ...(multiprocessors === undefined ? [] : [`${multiprocessors} multiprocessors`]),
    ];
    return note(`GPU: ${[name, ...parts].join(", ")}.`);
  });
}

function gapTable({ devices }: ProfileFigures): readonly SectionBlock[] {
  const rows = (valueOf(devices) ?? []).flatMap((row) => {
    const [gaps, idle] = [valueOf(row.gaps), valueOf(row.idle)];
    return gaps === undefined ? [] : [{ device: row.device, gaps, idle }];
  });
  return table(
    "Gaps between kernels, and what the device waited for",
    [
      left("device"),
      right("gaps"),
      right("p50"),
      right("p90"),
      right("p99"),
      right("max"),
      right("host"),
      right("launch"),
      right("copies"),
      right("unknown"),
    ],
    rows.map(({ device, gaps, idle }) => [
      device,
      countText(gaps.count),
      nsText(gaps.p50Ns),
      nsText(gaps.p90Ns),
      nsText(gaps.p99Ns),
      nsText(gaps.maxNs),
      nsText(idle?.hostBoundNs),
      nsText(idle?.launchBoundNs),
      nsText(idle?.transferNs),
      nsText(idle === undefined ? gaps.totalNs : idle.unknownNs),
    ]),
  );
}

function streamTable({ devices }: ProfileFigures, top: number): readonly SectionBlock[] {
  const rows = (valueOf(devices) ?? []).flatMap((device) =>
    (valueOf(device.streams) ?? []).map((stream) => ({ device: device.device, ...stream })),
  );
  // With one stream per device the table of devices has said it all.
  if (rows.length <= (valueOf(devices) ?? []).length) return [];
  return table(
    `Streams${first(top, rows.length)}`,
    [left("device"), left("stream"), right("kernels"), right("GPU time"), right("busy")],
    rows
      .slice(0, top)
      .map((row) => [
        row.device,
        row.stream,
        countText(row.kernels),
        nsText(row.gpuTimeNs),
        nsText(row.busyNs),
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
    `${caption}${first(top, known.length)}`,
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
    `Nsight Compute, at its own clock${first(top, rows.length)}`,
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
      `Sampled GPU metrics${first(top, metrics.length)}`,
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

function first(top: number, rows: number): string {
  return rows > top ? `, first ${top} of ${countText(rows)}` : "";
}
