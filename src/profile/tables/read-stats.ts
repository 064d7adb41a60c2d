/** Reports of `nsys stats --format csv`, one or several in a stream, with whatever was printed between them. */
import { basename } from "node:path";
import { OperatorError } from "../../core/errors.ts";
import type { CallRow, FigureSet, KernelTable, MemoryRow, Told } from "../figures.ts";
import { allUnknown, known, unknown, valueOf } from "../figures.ts";
import { foldTrace } from "../fold-trace.ts";
import { graphsFromCalls } from "../graph-reading.ts";
import { familiesOf } from "../kernel-table.ts";
import { kernelFamily } from "../kernel-family.ts";
import { mergedCalls } from "../merged-calls.ts";
import type { OnProgress } from "../progress.ts";
import { RowCounter } from "../progress.ts";
import type { ReadFile } from "../read-file.ts";
import { csvRecords } from "./csv-records.ts";
import type { DecimalMark } from "./decimal-mark.ts";
import { DecimalMarkEvidence } from "./decimal-mark.ts";
import type { MemorySum, StatsTables } from "./stats-rows.ts";
import { newTables, takeRow } from "./stats-rows.ts";
import type { StatsHeading, StatsReport } from "./stats-columns.ts";
import { statsHeading } from "./stats-columns.ts";

/** A record of a table with its heading, and the report's name where a line before it gave one. */
interface TableRecord {
  readonly heading: StatsHeading;
  readonly banner: string;
  /** Counts tables from 0. */
  readonly table: number;
  readonly cells: readonly string[];
  readonly row: number;
}

/** ` ** CUDA API Summary (cuda_api_sum):`, and in file names `report1_cuda_api_sum.csv`. */
const BANNER = /\*\*.*\((\w+)\)/;

async function* tableRecords(path: string): AsyncGenerator<TableRecord> {
  let heading: StatsHeading | undefined;
  let banner = "";
  let [row, table] = [0, -1];
  for await (const cells of csvRecords(path)) {
    row++;
    const found = statsHeading(cells);
    if (found !== undefined) {
      heading = found;
      table++;
    } else if (heading !== undefined && cells.length === heading.width)
      yield { heading, banner: banner === "" ? basename(path) : banner, table, cells, row };
    else {
      const told = BANNER.exec(cells.join(","))?.[1];
      if (told !== undefined) banner = told;
      // A blank line may stand inside a table; anything else ends it.
      if (cells.join("").trim() !== "") heading = undefined;
    }
  }
}

/** Files are one report in several pieces: `nsys stats --output` writes each table into a file of its own. */
export async function readStats(paths: readonly string[], onProgress: OnProgress): Promise<ReadFile> {
  const tables = newTables();
  const counter = new RowCounter("rows", onProgress);
  const taken = new Map<NamedReport, string>();
  const again = new Set<string>();
  for (const path of paths) {
    const mark = await decimalMarkOf(path);
    let rows = 0;
    for await (const record of tableRecords(path)) {
      counter.count();
      rows++;
      const report = reportNamed(record);
      const table = `${path}#${record.table}`;
      // One report given twice, by kernel and by grid, would count everything twice.
      const first = taken.get(report) ?? table;
      taken.set(report, first);
      if (first === table) takeRow(tables, report, { ...record, path, mark });
      else again.add(report);
    }
    if (rows === 0) throw noRows(path);
  }
  return {
    detail: `nsys stats: ${[...taken.keys()].join(", ")}`,
    figures: figuresOf(tables),
    notes: [...again].map((report) => `${report}: given more than once, the first table counts`),
  };
}

function noRows(path: string): OperatorError {
  return new OperatorError("PROFILE_DAMAGED", {
    message: `${path} has a heading of nsys stats and no row below it`,
    received: path,
    nextStep: "write the report again with nsys stats --format csv, and give the whole of it",
  });
}

type NamedReport = StatsReport | "api sum" | "os sum";

function reportNamed({ heading, banner, cells }: TableRecord): NamedReport {
  if (heading.report !== "call sum") return heading.report;
  if (/osrt/i.test(banner)) return "os sum";
  if (/cuda_?api/i.test(banner)) return "api sum";
  return /^cu(da)?[A-Z]/.test(cells[heading.places.get("name") ?? 0] ?? "") ? "api sum" : "os sum";
}

/** Columns that hold no numbers, or numbers that are no amounts. */
const WORDS = new Set([
  "name",
  "kernel name",
  "api function",
  "operation",
  "range",
  "style",
  "device",
  "gridxyz",
  "blockxyz",
]);

async function decimalMarkOf(path: string): Promise<DecimalMark> {
  const evidence = new DecimalMarkEvidence();
  for await (const { heading, cells } of tableRecords(path))
    for (const [name, place] of heading.places) if (!WORDS.has(name)) evidence.add(cells[place] ?? "");
  const { mark } = evidence;
  if (mark === undefined)
    throw new OperatorError("PROFILE_DAMAGED", {
      message: `${path} writes numbers in two languages: both 1,234.5 and 1.234,5`,
      received: path,
      nextStep: "give reports of different languages as files of their own",
    });
  return mark;
}

const NO_SUMMARY_STAMPS = "a summary has no start times; give cuda_gpu_trace, or the SQLite export";

function figuresOf(tables: StatsTables): FigureSet {
  const cudaApi = calls(tables.apiCalls, "the report cuda_api_sum is missing");
  const traced = tracedFigures(tables);
  return {
    ...allUnknown("reports of nsys stats do not tell it; give the SQLite export"),
    ...traced,
    ...(valueOf(traced.memory) === undefined ? { memory: memorySums(tables.memory) } : {}),
    cudaApi,
    osRuntime: calls(tables.osCalls, "the report osrt_sum is missing"),
    nvtx: calls(tables.ranges, "the report nvtx_sum is missing"),
    graphs: graphsFromCalls(cudaApi),
  };
}

type Traced = ReturnType<typeof foldTrace>;

function tracedFigures(tables: StatsTables): Traced {
  // The GPU's trace knows streams; the other knows launches. The richer one is used, never both.
  const useGpuTrace = tables.gpuTrace.length > 0;
  const kernels = useGpuTrace ? tables.gpuTrace : tables.executionTrace;
  const none = "no report with kernels is in the file";
  if (kernels.length === 0) {
    const memory = foldTrace({ ...traceOf(tables, none), kernels }).memory;
    return { ...kernelSums(tables.kernels), memory };
  }
  return foldTrace({ ...traceOf(tables, none), kernels });
}

function traceOf(tables: StatsTables, none: string): Omit<Parameters<typeof foldTrace>[0], "kernels"> {
  return {
    memory: tables.memoryTrace,
    graphBlocks: tables.noSpans,
    lanes: tables.lanes,
    kernelName: (label) => tables.names.nameOf(label),
    memoryName: (label) => tables.names.nameOf(label),
    recordedNs: unknown("reports of nsys stats do not tell how long was recorded; give the SQLite export"),
    because: {
      kernels: none,
      memory: "no report with copies is in the file",
      launches: "launches are not in this report; give cuda_kern_exec_trace, or the SQLite export",
    },
    streams:
      tables.gpuTrace.length > 0
        ? known(true)
        : unknown("the report cuda_kern_exec_trace does not tell streams"),
  };
}

function kernelSums(rows: StatsTables["kernels"]): Omit<Traced, "memory"> {
  if (rows.length === 0) {
    const not = unknown("the report cuda_gpu_kern_sum is missing");
    return { kernelCount: not, gpuTimeNs: not, devices: not, kernels: not, families: not };
  }
  const merged = mergedCalls(rows);
  const table: KernelTable = merged.map(({ calls: instances, ...row }) => ({
    ...row,
    instances,
    family: kernelFamily(row.name),
    meanNs: row.totalNs / instances,
  }));
  return {
    kernelCount: known(merged.reduce((sum, row) => sum + row.calls, 0)),
    gpuTimeNs: known(merged.reduce((sum, row) => sum + row.totalNs, 0)),
    devices: unknown(NO_SUMMARY_STAMPS),
    kernels: known(table),
    families: known(familiesOf(table)),
  };
}

function calls(rows: readonly CallRow[], because: string): Told<readonly CallRow[]> {
  return rows.length === 0 ? unknown(because) : known(mergedCalls(rows));
}

function memorySums(sums: ReadonlyMap<string, MemorySum>): Told<readonly MemoryRow[]> {
  if (sums.size === 0)
    return unknown("the reports cuda_gpu_mem_time_sum and cuda_gpu_mem_size_sum are missing");
  const rows = [...sums].map(
    ([operation, { count, totalNs, bytes }]): MemoryRow => ({
      operation,
      count,
      ...(totalNs === undefined ? {} : { totalNs }),
      ...(bytes === undefined ? {} : { bytes }),
      ...(bytes === undefined || totalNs === undefined || totalNs <= 0
        ? {}
        : { bytesPerS: (bytes / totalNs) * 1e9 }),
    }),
  );
  return known(rows.sort((one, other) => (other.totalNs ?? 0) - (one.totalNs ?? 0)));
}
