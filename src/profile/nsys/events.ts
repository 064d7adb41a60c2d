/**
 * Rows of an export's event tables as numbers. Stamps become doubles only after a base is taken off
 * inside SQLite: with `--time-normalize` they are nanoseconds since 1970, beyond what a double holds.
 */
import type { NsysDatabase, Row } from "./database.ts";

/** Beyond this a difference of stamps is no longer exact, and no trace is 104 days long. */
const LARGEST_NS = 2 ** 53;

const EVENT_TABLES = [
  "CUPTI_ACTIVITY_KIND_KERNEL",
  "CUPTI_ACTIVITY_KIND_GRAPH_TRACE",
  "CUPTI_ACTIVITY_KIND_MEMCPY",
  "CUPTI_ACTIVITY_KIND_MEMSET",
  "CUPTI_ACTIVITY_KIND_RUNTIME",
];

/** Decimal digits of the stamp that all others are counted from: the first kernel's, or what comes nearest. */
export function baseStamp(database: NsysDatabase): string {
  for (const table of EVENT_TABLES) {
    if (!database.has(table, "start")) continue;
    const row = database.first(
      `SELECT CAST(start AS TEXT) AS base FROM ${table} WHERE typeof(start) = 'integer' LIMIT 1`,
    );
    if (typeof row?.["base"] === "string") return row["base"];
  }
  return "0";
}

/**
 * Whether a column holds a number, as one comparison: SQLite sorts every number before every text.
 * Asking `typeof` for millions of rows took a fifth of the reading time. Without it a word would count as 0.
 */
export function isNumber(column: string): string {
  return `"${column}" < ''`;
}

/** A stamp relative to the base; NULL for what is no number. */
export function relative(base: string, column = "start"): string {
  return `iif(${isNumber(column)}, CAST("${column}" - (${base}) AS REAL), NULL)`;
}

/** The rows of a table of intervals that are intervals. */
export const IS_INTERVAL = `${isNumber("start")} AND ${isNumber("end")} AND "end" >= start`;

/** A column as a double; NULL where the table lacks it or holds no number. */
export function asReal(database: NsysDatabase, table: string, column: string): string {
  return database.has(table, column) ? `iif(${isNumber(column)}, CAST("${column}" AS REAL), NULL)` : "NULL";
}

/** The process of `globalPid` or `globalTid`: 24 bits above the lowest 24, as the exporter documents. */
export function processOf(database: NsysDatabase, table: string): string {
  const column = database.columnOf(table, "globalPid", "globalTid");
  return column === undefined ? "0" : `CAST(coalesce(("${column}" / 16777216) % 16777216, 0) AS REAL)`;
}

/** Device and stream with the process and context they belong to, in two doubles that lose nothing. */
export function laneColumns(database: NsysDatabase, table: string): string {
  const part = (column: string, bits: number): string =>
    database.has(table, column) ? `(coalesce("${column}", 0) & ${2 ** bits - 1})` : "0";
  return `${processOf(database, table)} * 4096 + ${part("deviceId", 12)} AS place, CAST(${part("contextId", 20)} * 4294967296 + ${part("streamId", 32)} AS REAL) AS stream`;
}

export interface SplitLane {
  readonly process: number;
  readonly device: number;
  readonly context: number;
  readonly stream: number;
}

export function splitLane(place: number, stream: number): SplitLane {
  return {
    process: Math.floor(place / 4096),
    device: place % 4096,
    context: Math.floor(stream / 4294967296),
    stream: stream % 4294967296,
  };
}

/** Start and end of a row whose query names them `start` and `end`; undefined for what cannot be an interval. */
export function startOf(row: Row): number | undefined {
  const start = row["start"];
  return typeof start === "number" && Math.abs(start) < LARGEST_NS ? start : undefined;
}

export function endOf(row: Row, startNs: number): number | undefined {
  const end = row["end"];
  return typeof end === "number" && end >= startNs && end < LARGEST_NS ? end : undefined;
}

export function numberOf(value: Row[string] | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}
