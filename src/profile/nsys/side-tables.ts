/** Tables that stand in an export only where they were asked for when it was recorded. */
import type { MemoryUsage, MetricRow, Told } from "../figures.ts";
import { known, unknown } from "../figures.ts";
import { SpanColumns } from "../span-columns.ts";
import type { NsysDatabase } from "./database.ts";
import { asReal, isNumber, numberOf, relative, startOf } from "./events.ts";

/** CUPTI's number for an allocation; 1 is a release. */
const ALLOCATION = 0;
/** Kinds of memory that lie on the device: device, array, managed, and their static forms. */
const DEVICE_KINDS = "2, 3, 4, 5, 6";

export function readMemoryUsage(database: NsysDatabase, base: string): Told<MemoryUsage> {
  const table = "CUDA_GPU_MEMORY_USAGE_EVENTS";
  const columns = ["start", "bytes", "memoryOperationType"];
  if (!database.has(table, ...columns)) return unknown(database.whyNot(table, ...columns));
  const onDevice = database.has(table, "memKind") ? `WHERE memKind IN (${DEVICE_KINDS})` : "";
  const changes = new SpanColumns();
  const sql = `SELECT ${relative(base)} AS start, ${asReal(database, table, "bytes")} AS bytes, ${asReal(database, table, "memoryOperationType")} AS kind FROM ${table} ${onDevice}`;
  database.each(sql, (row) => {
    const [startNs, bytes, kind] = [startOf(row), numberOf(row["bytes"]), numberOf(row["kind"])];
    if (startNs === undefined || bytes === undefined || (kind !== 0 && kind !== 1)) return;
    changes.push(startNs, startNs, 0, kind, bytes);
  });
  if (changes.length === 0) return unknown(database.whyNot(table));
  let [allocations, liveBytes, peakBytes] = [0, 0, 0];
  changes.visit((_start, _end, _lane, kind, bytes) => {
    if (kind === ALLOCATION) allocations++;
    liveBytes += kind === ALLOCATION ? bytes : -bytes;
    peakBytes = Math.max(peakBytes, liveBytes);
  });
  const frees = changes.length - allocations;
  return known({ events: changes.length, allocations, frees, peakBytes, endBytes: liveBytes });
}

/** Metrics kept apart; a GPU offers about 60. */
const MOST_METRICS = 4_096;

export function readGpuMetrics(database: NsysDatabase): Told<readonly MetricRow[]> {
  const [samples, info] = ["GPU_METRICS", "TARGET_INFO_GPU_METRICS"];
  const columns = ["metricId", "value"];
  if (!database.has(samples, ...columns)) return unknown(database.whyNot(samples, ...columns));
  // The lowest byte of the type is the GPU's number; the whole of it is too long for a double.
  const gpu = database.has(samples, "typeId") ? "CAST(typeId & 255 AS REAL)" : "0.0";
  const tallies = new Map<
    string,
    { metric: number; gpu: number; samples: number; sum: number; max: number }
  >();
  const sql = `SELECT CAST(metricId AS REAL) AS metric, ${gpu} AS gpu, CAST(value AS REAL) AS value FROM ${samples} WHERE ${isNumber("value")}`;
  database.each(sql, (row) => {
    const [metric, device, value] = [numberOf(row["metric"]), numberOf(row["gpu"]), numberOf(row["value"])];
    if (metric === undefined || device === undefined || value === undefined) return;
    const key = `${metric}/${device}`;
    let tally = tallies.get(key);
    if (tally === undefined) {
      if (tallies.size >= MOST_METRICS) return;
      tally = { metric, gpu: device, samples: 0, sum: 0, max: value };
      tallies.set(key, tally);
    }
    tally.samples++;
    tally.sum += value;
    if (value > tally.max) tally.max = value;
  });
  if (tallies.size === 0) return unknown(database.whyNot(samples));
  const names = metricNames(database, info);
  const several = new Set([...tallies.values()].map((tally) => tally.gpu)).size > 1;
  return known(
    [...tallies.values()].map((tally) => ({
      name: `${names.get(tally.metric) ?? `metric ${tally.metric}`}${several ? ` (GPU ${tally.gpu})` : ""}`,
      samples: tally.samples,
      mean: tally.sum / tally.samples,
      max: tally.max,
    })),
  );
}

function metricNames(database: NsysDatabase, info: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  if (!database.has(info, "metricId", "metricName")) return names;
  const sql = `SELECT CAST(metricId AS REAL) AS metric, substr(CAST(metricName AS TEXT), 1, 200) AS name FROM ${info} LIMIT ${MOST_METRICS}`;
  for (const row of database.rows(sql)) {
    const metric = numberOf(row["metric"]);
    if (metric !== undefined && typeof row["name"] === "string") names.set(metric, row["name"]);
  }
  return names;
}

/** Switches between contexts on the GPU, not between threads on the CPU. */
export function readContextSwitches(database: NsysDatabase): Told<number> {
  const table = "GPU_CONTEXT_SWITCH_EVENTS";
  if (!database.has(table)) return unknown(database.whyNot(table));
  const rows = numberOf(database.first(`SELECT CAST(count(*) AS REAL) AS rows FROM ${table}`)?.["rows"]);
  return rows === undefined || rows === 0 ? unknown(database.whyNot(table)) : known(rows);
}
