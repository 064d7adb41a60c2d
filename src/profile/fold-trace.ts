/** From the intervals of a trace to its figures: one ordered pass over copies, one over kernels. */
import { NS_PER_S } from "../core/units.ts";
import { DeviceTimeline } from "./device-timeline.ts";
import { DurationTally } from "./duration-tally.ts";
import type {
  BusyFigures,
  ConcurrencyFigures,
  DeviceFigures,
  FigureSet,
  MemoryRow,
  StreamFigures,
  Told,
} from "./figures.ts";
import { known, unknown, valueOf } from "./figures.ts";
import { CoveredTime, IdleTally } from "./idle-cause.ts";
import { familiesOf, kernelTableOf } from "./kernel-table.ts";
import type { Lanes } from "./lanes.ts";
import { DurationsByNumber } from "./named-tallies.ts";
import type { SpanColumns } from "./span-columns.ts";

export interface Trace {
  /** The extra of a kernel is when its launch began. */
  readonly kernels: SpanColumns;
  /** The extra of a copy or memset is its bytes. Absent where such tables do not exist. */
  readonly memory: SpanColumns;
  /** Whole CUDA graphs, recorded as one interval each. */
  readonly graphBlocks: SpanColumns;
  readonly lanes: Lanes;
  readonly kernelName: (label: number) => string;
  readonly memoryName: (label: number) => string;
  readonly recordedNs: Told<number>;
  /** Why kernels, copies or launches are not there, where they are not. */
  readonly because: { readonly kernels: string; readonly memory: string; readonly launches: string };
  /** Whether lanes tell streams apart; otherwise why not. */
  readonly streams: Told<true>;
}

type TraceFigures = Pick<
  FigureSet,
  "kernelCount" | "gpuTimeNs" | "devices" | "kernels" | "families" | "memory"
>;

interface DeviceFold {
  readonly gaps: DurationTally;
  readonly idle: IdleTally;
  readonly kernels: DeviceTimeline;
  /** Kernels and whole graphs together. */
  readonly withGraphs: DeviceTimeline;
}

export function foldTrace(trace: Trace): TraceFigures {
  const { memory, transfers } = foldMemory(trace);
  const not = unknown(trace.because.kernels);
  const nothing = { kernelCount: not, gpuTimeNs: not, kernels: not, families: not, memory };
  if (trace.kernels.length + trace.graphBlocks.length === 0) return { ...nothing, devices: not };
  const byName = new DurationsByNumber();
  const folds = foldDevices(trace, transfers, byName);
  const devices = known(folds.map(([device, fold]) => deviceFigures(device, fold, trace)));
  // Whole graphs alone tell when a device was busy, and nothing of kernels.
  if (trace.kernels.length === 0) return { ...nothing, devices };
  const table = kernelTableOf(byName, trace.kernelName);
  return {
    kernelCount: known(trace.kernels.length),
    gpuTimeNs: known(byName.totalNs),
    devices,
    kernels: known(table),
    families: known(familiesOf(table)),
    memory,
  };
}

function foldDevices(
  trace: Trace,
  transfers: ReadonlyMap<string, CoveredTime>,
  byName: DurationsByNumber,
): readonly (readonly [string, DeviceFold])[] {
  const devices = new Map<string, DeviceFold>();
  const foldOf = (lane: number): DeviceFold => {
    const { device } = trace.lanes.laneOf(lane);
    const found = devices.get(device);
    if (found !== undefined) return found;
    const fold = newDeviceFold(transfers.get(device) ?? new CoveredTime());
    devices.set(device, fold);
    return fold;
  };
  const blocks = orderedBlocks(trace.graphBlocks);
  let nextBlock = 0;
  const addBlocksUntil = (timeNs: number): void => {
    for (; nextBlock < blocks.length; nextBlock++) {
      const block = blocks[nextBlock] as Block;
      if (block.startNs > timeNs) return;
      foldOf(block.lane).withGraphs.add(block.startNs, block.endNs, block.lane, Number.NaN);
    }
  };
  trace.kernels.visit((startNs, endNs, lane, label, launchStartNs) => {
    byName.add(label, endNs - startNs);
    const fold = foldOf(lane);
    fold.kernels.add(startNs, endNs, lane, launchStartNs);
    if (blocks.length === 0) return;
    addBlocksUntil(startNs);
    fold.withGraphs.add(startNs, endNs, lane, launchStartNs);
  });
  addBlocksUntil(Number.POSITIVE_INFINITY);
  return [...devices].sort(([one], [other]) => one.localeCompare(other, "en", { numeric: true }));
}

function newDeviceFold(transfers: CoveredTime): DeviceFold {
  const gaps = new DurationTally();
  const idle = new IdleTally(transfers);
  const kernels = new DeviceTimeline((fromNs, toNs, launchStartNs) => {
    gaps.add(toNs - fromNs);
    idle.addGap(fromNs, toNs, launchStartNs);
  });
  return { gaps, idle, kernels, withGraphs: new DeviceTimeline(() => undefined) };
}

interface Block {
  readonly startNs: number;
  readonly endNs: number;
  readonly lane: number;
}

function orderedBlocks(columns: SpanColumns): readonly Block[] {
  const blocks: Block[] = [];
  columns.visit((startNs, endNs, lane) => blocks.push({ startNs, endNs, lane }));
  return blocks;
}

function deviceFigures(device: string, fold: DeviceFold, trace: Trace): DeviceFigures {
  const { kernels } = fold;
  const gaps = fold.gaps.figures();
  const split = fold.idle.split();
  const noGap = "there is no gap between kernels";
  return {
    device,
    kernels: kernels.kernels,
    gpuTimeNs: kernels.gpuTimeNs,
    ...busyFigures(kernels, trace.recordedNs),
    concurrency: trace.streams.kind === "known" ? kernels.concurrency : ofKernelsOnly(kernels.concurrency),
    gaps: gaps === undefined ? unknown(noGap) : known(gaps),
    idle: split === undefined ? unknown(gaps === undefined ? noGap : trace.because.launches) : known(split),
    streams: trace.streams.kind === "known" ? known(streamFigures(kernels, trace.lanes)) : trace.streams,
    ...(fold.withGraphs.kernels === 0 || trace.graphBlocks.length === 0
      ? {}
      : { withGraphs: busyFigures(fold.withGraphs, trace.recordedNs) }),
  };
}

function ofKernelsOnly({ maxKernels }: ConcurrencyFigures): ConcurrencyFigures {
  return { maxKernels };
}

function busyFigures({ busyNs, spanNs }: DeviceTimeline, recorded: Told<number>): BusyFigures {
  const recordedNs = valueOf(recorded);
  return {
    busyNs,
    spanNs,
    ...(spanNs > 0 ? { utilisationOfSpan: busyNs / spanNs } : {}),
    utilisationOfWindow:
      recordedNs === undefined
        ? (recorded as Exclude<Told<number>, { kind: "known" }>)
        : recordedNs < busyNs || recordedNs <= 0
          ? unknown("the recorded window is shorter than the kernels in it")
          : known(busyNs / recordedNs),
  };
}

function streamFigures(timeline: DeviceTimeline, lanes: Lanes): readonly StreamFigures[] {
  const streams = [...timeline.streams];
  const names = lanes.streamNames(streams.map(([lane]) => lane));
  return streams
    .map(([, { kernels, gpuTimeNs, busyNs }], index) => ({
      stream: names[index] as string,
      kernels,
      gpuTimeNs,
      busyNs,
    }))
    .sort((one, other) => other.gpuTimeNs - one.gpuTimeNs);
}

function foldMemory(trace: Trace): {
  readonly memory: Told<readonly MemoryRow[]>;
  readonly transfers: ReadonlyMap<string, CoveredTime>;
} {
  const durations = new DurationsByNumber();
  const bytes: number[] = [];
  const transfers = new Map<string, CoveredTime>();
  trace.memory.visit((startNs, endNs, lane, label, spanBytes) => {
    durations.add(label, endNs - startNs);
    bytes[label] = (bytes[label] ?? 0) + spanBytes;
    const { device } = trace.lanes.laneOf(lane);
    const covered = transfers.get(device) ?? new CoveredTime();
    covered.add(startNs, endNs);
    transfers.set(device, covered);
  });
  if (durations.count === 0) return { memory: unknown(trace.because.memory), transfers };
  const rows = durations
    .entries()
    .map(([label, { count, totalNs }]) =>
      memoryRow(trace.memoryName(label), count, totalNs, bytes[label] ?? Number.NaN),
    );
  return { memory: known(rows), transfers };
}

/** NaN bytes are unknown ones. */
export function memoryRow(operation: string, count: number, totalNs: number, bytes: number): MemoryRow {
  return {
    operation,
    count,
    totalNs,
    ...(Number.isNaN(bytes) ? {} : { bytes }),
    ...(Number.isNaN(bytes) || totalNs <= 0 ? {} : { bytesPerS: (bytes / totalNs) * NS_PER_S }),
  };
}
