/** Rows of the reports of `nsys stats`, by report. */
import { apiName } from "../api-name.ts";
import type { CallRow } from "../figures.ts";
import { Lanes } from "../lanes.ts";
import { NameNumbers } from "../named-tallies.ts";
import { SpanColumns } from "../span-columns.ts";
import { RelativeStamps } from "../stamps.ts";
import { badCell } from "./csv-records.ts";
import type { DecimalMark } from "./decimal-mark.ts";
import { parseNumber } from "./decimal-mark.ts";
import type { StatsHeading, StatsReport } from "./stats-columns.ts";

export interface MemorySum {
  count: number;
  totalNs?: number;
  bytes?: number;
}

export interface StatsTables {
  readonly kernels: CallRow[];
  readonly apiCalls: CallRow[];
  readonly osCalls: CallRow[];
  readonly ranges: CallRow[];
  readonly memory: Map<string, MemorySum>;
  readonly gpuTrace: SpanColumns;
  readonly executionTrace: SpanColumns;
  readonly memoryTrace: SpanColumns;
  readonly noSpans: SpanColumns;
  readonly lanes: Lanes;
  readonly names: NameNumbers;
  readonly stamps: RelativeStamps;
}

export function newTables(): StatsTables {
  return {
    kernels: [],
    apiCalls: [],
    osCalls: [],
    ranges: [],
    memory: new Map(),
    gpuTrace: new SpanColumns(),
    executionTrace: new SpanColumns(),
    memoryTrace: new SpanColumns(),
    noSpans: new SpanColumns(),
    lanes: new Lanes(),
    names: new NameNumbers(),
    stamps: new RelativeStamps(),
  };
}

export interface StatsRecord {
  readonly path: string;
  readonly mark: DecimalMark;
  readonly heading: StatsHeading;
  readonly cells: readonly string[];
  readonly row: number;
}

export function takeRow(
  tables: StatsTables,
  report: StatsReport | "api sum" | "os sum",
  record: StatsRecord,
): void {
  switch (report) {
    case "kernel sum":
      tables.kernels.push(callRow(record, "name", ["instances"]));
      return;
    case "api sum":
      tables.apiCalls.push(apiRow(callRow(record, "name", ["num calls"])));
      return;
    case "os sum":
    case "call sum":
      tables.osCalls.push(callRow(record, "name", ["num calls"]));
      return;
    case "range sum":
      tables.ranges.push(callRow(record, "range", ["instances", "num calls", "count"]));
      return;
    case "memory time sum":
    case "memory size sum":
      takeMemorySum(tables, report, record);
      return;
    case "kernel execution trace":
      takeExecution(tables, record);
      return;
    case "gpu trace":
      takeGpuRow(tables, record);
      return;
    case "other":
  }
}

function callRow(record: StatsRecord, nameColumn: string, countColumns: readonly string[]): CallRow {
  const minNs = amount(record, "min") ?? amount(record, "minimum");
  const maxNs = amount(record, "max") ?? amount(record, "maximum");
  return {
    name: text(record, nameColumn),
    calls: needed(record, ...countColumns),
    totalNs: needed(record, "total time"),
    ...(minNs === undefined ? {} : { minNs }),
    ...(maxNs === undefined ? {} : { maxNs }),
  };
}

function apiRow(row: CallRow): CallRow {
  return { ...row, name: apiName(row.name) };
}

function takeMemorySum(
  tables: StatsTables,
  report: "memory time sum" | "memory size sum",
  record: StatsRecord,
): void {
  const operation = memoryOperation(text(record, "operation"));
  const count = needed(record, "count", "operations", "instances");
  const sum = tables.memory.get(operation) ?? { count };
  tables.memory.set(operation, sum);
  if (report === "memory time sum") sum.totalNs = (sum.totalNs ?? 0) + needed(record, "total time");
  else sum.bytes = (sum.bytes ?? 0) + needed(record, "total");
}

function takeExecution(tables: StatsTables, record: StatsRecord): void {
  const startNs = stamp(tables, record, "kernel start");
  const launchNs = stamp(tables, record, "api start", "optional");
  const lane = tables.lanes.numberOf({
    device: text(record, "devid") || "0",
    ...(text(record, "pid") === "" ? {} : { process: text(record, "pid") }),
  });
  const name = text(record, "kernel name") || text(record, "name");
  const endNs = (startNs as number) + Math.round(needed(record, "kernel dur"));
  tables.executionTrace.push(
    startNs as number,
    endNs,
    lane,
    tables.names.numberOf(name),
    launchNs ?? Number.NaN,
  );
}

function takeGpuRow(tables: StatsTables, record: StatsRecord): void {
  const startNs = stamp(tables, record, "start") as number;
  const endNs = startNs + Math.round(needed(record, "duration"));
  const context = text(record, "ctx");
  const lane = tables.lanes.numberOf({
    device: /\((\d+)\)\s*$/.exec(text(record, "device"))?.[1] ?? text(record, "device"),
    stream: text(record, "strm"),
    ...(context === "" ? {} : { context }),
  });
  const name = text(record, "name");
  if (/^\[CUDA/.test(name)) {
    const bytes = amount(record, "bytes") ?? amount(record, "size");
    const label = tables.names.numberOf(memoryOperation(name));
    tables.memoryTrace.push(startNs, endNs, lane, label, bytes ?? Number.NaN);
  } else tables.gpuTrace.push(startNs, endNs, lane, tables.names.numberOf(name), Number.NaN);
}

const OPERATION_LETTERS: Readonly<Record<string, string>> = {
  HtoD: "host-to-device",
  DtoH: "device-to-host",
  DtoD: "device-to-device",
  HtoH: "host-to-host",
  PtoP: "peer-to-peer",
};

/** `[CUDA memcpy Host-to-Device]`, before 2023 `[CUDA memcpy HtoD]`. */
export function memoryOperation(name: string): string {
  const inner = name.replace(/^\[CUDA /, "").replace(/\]$/, "");
  if (/^memset/i.test(inner)) return "memset";
  const unified = /unified/i.test(inner) ? "unified memory " : "";
  const direction = inner.split(" ").at(-1) ?? inner;
  return `${unified}${OPERATION_LETTERS[direction] ?? direction.toLowerCase()}`;
}

function text({ heading, cells }: StatsRecord, column: string): string {
  const place = heading.places.get(column);
  return place === undefined ? "" : (cells[place] ?? "").trim();
}

/** In nanoseconds or bytes where the heading gives a unit; undefined for an empty cell or `n/a`. */
function amount(record: StatsRecord, column: string): number | undefined {
  const value = parseNumber(text(record, column), record.mark);
  return value === undefined ? undefined : value * (record.heading.scales.get(column) ?? 1);
}

/** The first of these columns that the table has; a count or a sum that cannot be read damages the report. */
function needed(record: StatsRecord, ...columns: readonly string[]): number {
  const column = columns.find((name) => record.heading.places.has(name)) ?? (columns[0] as string);
  const value = amount(record, column);
  if (value === undefined || value < 0) throw badCell(record.path, record.row, column, text(record, column));
  return value;
}

function stamp(
  tables: StatsTables,
  record: StatsRecord,
  column: string,
  must: "optional" | "needed" = "needed",
): number | undefined {
  const raw = text(record, column);
  const plain = record.mark === "," ? raw.replace(/\./g, "").replace(",", ".") : raw.replace(/,/g, "");
  const ns = tables.stamps.read(plain, record.heading.scales.get(column) ?? 1);
  if (ns === undefined && must === "needed") throw badCell(record.path, record.row, column, raw);
  return ns;
}
