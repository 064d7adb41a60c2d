/** What ran on the GPUs: kernels, copies, memsets, and graphs that were recorded whole. */
import type { Lanes } from "../lanes.ts";
import type { LaunchTimes } from "../launch-times.ts";
import type { OnProgress } from "../progress.ts";
import { RowCounter } from "../progress.ts";
import { SpanColumns } from "../span-columns.ts";
import type { NsysDatabase, Row } from "./database.ts";
import { asReal, endOf, laneColumns, numberOf, relative, splitLane, startOf } from "./events.ts";
import type { UsedStrings } from "./string-table.ts";

export interface DeviceReader {
  readonly database: NsysDatabase;
  readonly base: string;
  readonly lanes: Lanes;
  /** The GPU's own number by `process/device`, where the export has it: processes number devices for themselves. */
  readonly gpuIds: ReadonlyMap<string, number>;
  readonly onProgress: OnProgress;
}

export interface DeviceRows {
  readonly spans: SpanColumns;
  /** Rows without usable times. */
  readonly unusable: number;
}

const KERNEL = "CUPTI_ACTIVITY_KIND_KERNEL";
const GRAPH = "CUPTI_ACTIVITY_KIND_GRAPH_TRACE";

export function kernelNameColumn(database: NsysDatabase): string | undefined {
  return database.columnOf(KERNEL, "demangledName", "shortName", "mangledName");
}

export function readKernels(
  reader: DeviceReader,
  launches: LaunchTimes,
  names: UsedStrings,
): DeviceRows & { readonly inGraphs: number } {
  const { database } = reader;
  const name = kernelNameColumn(database);
  const node = database.has(KERNEL, "graphNodeId") ? '"graphNodeId" IS NOT NULL' : "0";
  let inGraphs = 0;
  const rows = readSpans(reader, KERNEL, {
    columns: `${name === undefined ? "NULL" : asReal(database, KERNEL, name)} AS name, ${asReal(database, KERNEL, "correlationId")} AS correlation, CAST(${node} AS REAL) AS node`,
    label: (row) => names.labelOf(numberOf(row["name"]) ?? Number.NaN),
    extra: (row, process) => {
      if (row["node"] === 1) inGraphs++;
      return launches.get(process, numberOf(row["correlation"]) ?? Number.NaN);
    },
  });
  return { ...rows, inGraphs };
}

export function readGraphBlocks(reader: DeviceReader): DeviceRows {
  return readSpans(reader, GRAPH, { columns: "0 AS name", label: () => 0, extra: () => Number.NaN });
}

/** CUPTI's numbers, as the exporter's own table of them lists. */
const COPY_NAMES: Readonly<Record<number, string>> = {
  1: "host-to-device",
  2: "device-to-host",
  3: "host-to-array",
  4: "array-to-host",
  5: "array-to-array",
  6: "array-to-device",
  7: "device-to-array",
  8: "device-to-device",
  9: "host-to-host",
  10: "peer-to-peer",
  11: "unified memory host-to-device",
  12: "unified memory device-to-host",
  13: "unified memory device-to-device",
};

const MEMSET_LABEL = 100;

export function memoryName(label: number): string {
  return label === MEMSET_LABEL ? "memset" : (COPY_NAMES[label] ?? "copy of unknown kind");
}

/** Copies and memsets into the same columns. */
export function readMemory(reader: DeviceReader): DeviceRows {
  const { database } = reader;
  const copies = "CUPTI_ACTIVITY_KIND_MEMCPY";
  const sets = "CUPTI_ACTIVITY_KIND_MEMSET";
  const spans = new SpanColumns();
  const bytes = (row: Row): number => numberOf(row["bytes"]) ?? Number.NaN;
  const copied = readSpans(reader, copies, {
    spans,
    columns: `${asReal(database, copies, "bytes")} AS bytes, ${asReal(database, copies, "copyKind")} AS kind`,
    label: (row) => {
      const kind = numberOf(row["kind"]) ?? 0;
      return COPY_NAMES[kind] === undefined ? 0 : kind;
    },
    extra: bytes,
  });
  const set = readSpans(reader, sets, {
    spans,
    columns: `${asReal(database, sets, "bytes")} AS bytes`,
    label: () => MEMSET_LABEL,
    extra: bytes,
  });
  return { spans, unusable: copied.unusable + set.unusable };
}

interface SpanQuery {
  readonly spans?: SpanColumns;
  readonly columns: string;
  readonly label: (row: Row) => number;
  readonly extra: (row: Row, process: number) => number;
}

function readSpans(reader: DeviceReader, table: string, query: SpanQuery): DeviceRows {
  const { database, base } = reader;
  const spans = query.spans ?? new SpanColumns();
  if (!database.has(table, "start", "end")) return { spans, unusable: 0 };
  const counter = new RowCounter(table, reader.onProgress);
  let unusable = 0;
  const seats = new Seats(reader);
  const sql = `SELECT ${relative(base)} AS start, ${relative(base, "end")} AS "end", ${laneColumns(database, table)}, ${query.columns} FROM ${table}`;
  database.each(sql, (row) => {
    counter.count();
    const startNs = startOf(row);
    const endNs = startNs === undefined ? undefined : endOf(row, startNs);
    if (startNs === undefined || endNs === undefined) {
      unusable++;
      return;
    }
    const seat = seats.of(numberOf(row["place"]) ?? 0, numberOf(row["stream"]) ?? 0);
    spans.push(startNs, endNs, seat.lane, query.label(row), query.extra(row, seat.process));
  });
  return { spans, unusable };
}

interface Seat {
  readonly lane: number;
  readonly process: number;
}

/** The lane of a row by its two numbers: millions of rows, a handful of lanes. */
class Seats {
  readonly #reader: DeviceReader;
  readonly #byPlace = new Map<number, Map<number, Seat>>();

  constructor(reader: DeviceReader) {
    this.#reader = reader;
  }

  of(place: number, stream: number): Seat {
    const streams = this.#byPlace.get(place) ?? new Map<number, Seat>();
    this.#byPlace.set(place, streams);
    const found = streams.get(stream);
    if (found !== undefined) return found;
    const split = splitLane(place, stream);
    const { gpuIds, lanes } = this.#reader;
    const lane = lanes.numberOf({
      device: String(gpuIds.get(`${split.process}/${split.device}`) ?? split.device),
      process: String(split.process),
      context: String(split.context),
      stream: String(split.stream),
    });
    const seat = { lane, process: split.process };
    streams.set(stream, seat);
    return seat;
  }
}
