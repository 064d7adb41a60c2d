/** What the host did: calls of the CUDA API and of the operating system, ranges, and the profiler's own work. */
import type { CallRow, Told } from "../figures.ts";
import { known, unknown } from "../figures.ts";
import { apiName } from "../api-name.ts";
import { graphLaunchesIn } from "../graph-reading.ts";
import { LaunchTimes } from "../launch-times.ts";
import { mergedCalls } from "../merged-calls.ts";
import { CallTally, DurationsByNumber, MAX_NAME_CHARACTERS } from "../named-tallies.ts";
import type { OnProgress } from "../progress.ts";
import { RowCounter } from "../progress.ts";
import { rangeName } from "../range-name.ts";
import type { NsysDatabase } from "./database.ts";
import { IS_INTERVAL, asReal, endOf, numberOf, processOf, relative, startOf } from "./events.ts";
import { UsedStrings } from "./string-table.ts";

const RUNTIME = "CUPTI_ACTIVITY_KIND_RUNTIME";

export interface CudaCalls {
  readonly calls: Told<readonly CallRow[]>;
  readonly launches: LaunchTimes;
  /** Undefined where calls were not traced. */
  readonly graphLaunches: number | undefined;
}

export function readCudaCalls(database: NsysDatabase, base: string, onProgress: OnProgress): CudaCalls {
  const launches = new LaunchTimes();
  const columns = ["start", "end", "nameId"];
  if (!database.has(RUNTIME, ...columns))
    return { calls: unknown(database.whyNot(RUNTIME, ...columns)), launches, graphLaunches: undefined };
  const strings = new UsedStrings();
  const durations = new DurationsByNumber();
  const counter = new RowCounter("CUDA API calls", onProgress);
  const sql = `SELECT ${relative(base)} AS start, ${relative(base, "end")} AS "end", ${asReal(database, RUNTIME, "nameId")} AS name, ${processOf(database, RUNTIME)} AS process, ${asReal(database, RUNTIME, "correlationId")} AS correlation FROM ${RUNTIME}`;
  database.each(sql, (row) => {
    counter.count();
    const startNs = startOf(row);
    if (startNs === undefined) return;
    launches.set(numberOf(row["process"]) ?? 0, numberOf(row["correlation"]) ?? Number.NaN, startNs);
    // A call that had not returned when recording stopped has no end, and no duration.
    const endNs = endOf(row, startNs);
    if (endNs !== undefined)
      durations.add(strings.labelOf(numberOf(row["name"]) ?? Number.NaN), endNs - startNs);
  });
  if (durations.count === 0)
    return { calls: unknown(database.whyNot(RUNTIME)), launches, graphLaunches: undefined };
  strings.resolve(database);
  const calls = byName(durations, (label) => apiName(strings.nameOf(label)));
  return { calls: known(calls), launches, graphLaunches: graphLaunchesIn(calls) };
}

export function readOsRuntime(database: NsysDatabase, onProgress: OnProgress): Told<readonly CallRow[]> {
  return readCalls(database, "OSRT_API", "OS runtime calls", onProgress);
}

function readCalls(
  database: NsysDatabase,
  table: string,
  what: string,
  onProgress: OnProgress,
): Told<readonly CallRow[]> {
  const columns = ["start", "end", "nameId"];
  if (!database.has(table, ...columns)) return unknown(database.whyNot(table, ...columns));
  const strings = new UsedStrings();
  const durations = new DurationsByNumber();
  const counter = new RowCounter(what, onProgress);
  const sql = `SELECT ${asReal(database, table, "nameId")} AS name, CAST("end" - start AS REAL) AS length FROM ${table} WHERE ${IS_INTERVAL}`;
  database.each(sql, (row) => {
    counter.count();
    durations.add(strings.labelOf(numberOf(row["name"]) ?? Number.NaN), numberOf(row["length"]) ?? 0);
  });
  if (durations.count === 0) return unknown(database.whyNot(table));
  strings.resolve(database);
  return known(byName(durations, (label) => strings.nameOf(label)));
}

/** NVTX's own numbers for the two kinds of range. */
const PUSH_POP = 59;
const START_END = 60;

export function readNvtx(database: NsysDatabase, onProgress: OnProgress): Told<readonly CallRow[]> {
  const table = "NVTX_EVENTS";
  const columns = ["start", "end", "eventType"];
  if (!database.has(table, ...columns)) return unknown(database.whyNot(table, ...columns));
  const tally = new CallTally();
  const counter = new RowCounter("NVTX ranges", onProgress);
  const text = database.has(table, "text") ? `substr(CAST(text AS TEXT), 1, ${MAX_NAME_CHARACTERS})` : "NULL";
  const strings = new UsedStrings();
  const byId = new DurationsByNumber();
  const sql = `SELECT ${text} AS text, ${asReal(database, table, "textId")} AS id, CAST("end" - start AS REAL) AS length FROM ${table} WHERE eventType IN (${PUSH_POP}, ${START_END}) AND ${IS_INTERVAL}`;
  database.each(sql, (row) => {
    counter.count();
    const length = numberOf(row["length"]) ?? 0;
    if (typeof row["text"] === "string") tally.add(rangeName(row["text"]), length);
    else byId.add(strings.labelOf(numberOf(row["id"]) ?? Number.NaN), length);
  });
  if (tally.count + byId.count === 0) return unknown(`no range stands in ${table}`);
  strings.resolve(database);
  return known(mergedCalls([...tally.rows(), ...byName(byId, (label) => rangeName(strings.nameOf(label)))]));
}

function byName(durations: DurationsByNumber, nameOf: (label: number) => string): readonly CallRow[] {
  const rows = durations.entries().map(([label, { count, totalNs, minNs, maxNs }]) => ({
    name: nameOf(label),
    calls: count,
    totalNs,
    minNs,
    maxNs,
  }));
  return mergedCalls(rows);
}

/** Both tables in which the profiler tells of its own work; their rows may overlap the application's. */
export function readProfilerOverhead(database: NsysDatabase): Told<number> {
  const tables = ["PROFILER_OVERHEAD", "CUPTI_ACTIVITY_KIND_OVERHEAD"].filter((table) =>
    database.has(table, "start", "end"),
  );
  if (tables.length === 0) return unknown(database.whyNot("PROFILER_OVERHEAD"));
  const lengths = tables.map((table) =>
    numberOf(
      database.first(`SELECT total("end" - start) AS total FROM ${table} WHERE ${IS_INTERVAL}`)?.["total"],
    ),
  );
  return known(lengths.reduce<number>((sum, length) => sum + (length ?? 0), 0));
}
