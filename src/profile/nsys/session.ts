/** What an export tells about itself: versions, GPUs, the recorded window, the profiler's warnings. */
import type { GpuFacts, Told } from "../figures.ts";
import { known, unknown } from "../figures.ts";
import type { NsysDatabase } from "./database.ts";
import { asReal, numberOf } from "./events.ts";

/** The newest schema that was seen; what is newer is read by the same names, and said to be newer. */
const NEWEST_MAJOR = 3;
const NEWEST_MINOR = 25;

/** Warnings shown. A broken session can repeat one thousands of times. */
const MOST_WARNINGS = 12;

/** GPUs and devices listed; more are in no machine. */
const MOST_GPUS = 256;

export interface Session {
  /** `Nsight Systems 2025.3.1.90, schema 3.20.2`. */
  readonly detail: string;
  readonly isExport: boolean;
  readonly recordedNs: Told<number>;
  readonly gpus: Told<readonly GpuFacts[]>;
  /** By `process/device`. */
  readonly gpuIds: ReadonlyMap<string, number>;
  readonly graphMode: string | undefined;
  readonly notes: readonly string[];
}

export function readSession(database: NsysDatabase): Session {
  const meta = readMeta(database, "META_DATA_EXPORT", "EXPORT_META_DATA");
  const capture = readMeta(database, "META_DATA_CAPTURE");
  const schema = meta.get("EXPORT_SCHEMA_VERSION");
  const version = meta.get("EXPORT_PRODUCT_VERSION");
  const graphMode = [...capture].find(([name]) => name.endsWith("CUDA_GRAPH_TRACE_OPTIONS:MODE"))?.[1];
  return {
    detail: `Nsight Systems ${version ?? "of unknown version"}, schema ${schema ?? "unknown"}`,
    isExport: schema !== undefined || database.has("StringIds", "id", "value"),
    recordedNs: readWindow(database),
    gpus: readGpus(database),
    gpuIds: readGpuIds(database),
    graphMode,
    notes: [...newerSchema(schema), ...readWarnings(database)],
  };
}

function readMeta(database: NsysDatabase, ...tables: readonly string[]): ReadonlyMap<string, string> {
  const table = tables.find((name) => database.has(name, "name", "value"));
  const found = new Map<string, string>();
  if (table === undefined) return found;
  const sql = `SELECT substr(CAST(name AS TEXT), 1, 200) AS name, substr(CAST(value AS TEXT), 1, 200) AS value FROM ${table} LIMIT 5000`;
  for (const row of database.rows(sql))
    if (typeof row["name"] === "string" && typeof row["value"] === "string")
      found.set(row["name"], row["value"]);
  return found;
}

function newerSchema(schema: string | undefined): readonly string[] {
  const [major = 0, minor = 0] = (schema ?? "").split(".").map(Number);
  const newer = major > NEWEST_MAJOR || (major === NEWEST_MAJOR && minor > NEWEST_MINOR);
  return newer
    ? [
        `schema ${schema} is newer than ${NEWEST_MAJOR}.${NEWEST_MINOR}, the newest that was tried; tables were read by name`,
      ]
    : [];
}

function readWindow(database: NsysDatabase): Told<number> {
  const table = "ANALYSIS_DETAILS";
  if (!database.has(table, "duration")) return unknown(database.whyNot(table, "duration"));
  const row = database.first(
    `SELECT CAST(max(duration) AS REAL) AS duration FROM ${table} WHERE typeof(duration) = 'integer'`,
  );
  const duration = numberOf(row?.["duration"]);
  return duration === undefined || duration <= 0 ? unknown(database.whyNot(table)) : known(duration);
}

function readGpus(database: NsysDatabase): Told<readonly GpuFacts[]> {
  const table = "TARGET_INFO_GPU";
  if (!database.has(table, "name")) return unknown(database.whyNot(table, "name"));
  const real = (column: string): string => asReal(database, table, column);
  const sql = `SELECT substr(CAST(name AS TEXT), 1, 200) AS name, ${real("totalMemory")} AS memory, ${real("memoryBandwidth")} AS bandwidth, ${real("smCount")} AS sms FROM ${table} LIMIT ${MOST_GPUS}`;
  const gpus = database.rows(sql).map((row) => {
    const [memory, bandwidth, sms] = ["memory", "bandwidth", "sms"].map((column) => {
      const value = numberOf(row[column]);
      return value === undefined || value <= 0 ? undefined : value;
    });
    return {
      name: typeof row["name"] === "string" ? row["name"] : "unnamed GPU",
      ...(memory === undefined ? {} : { memoryBytes: memory }),
      ...(bandwidth === undefined ? {} : { memoryBytesPerS: bandwidth }),
      ...(sms === undefined ? {} : { multiprocessors: sms }),
    };
  });
  return gpus.length === 0 ? unknown(database.whyNot(table)) : known(gpus);
}

function readGpuIds(database: NsysDatabase): ReadonlyMap<string, number> {
  const table = "TARGET_INFO_CUDA_DEVICE";
  const ids = new Map<string, number>();
  if (!database.has(table, "gpuId", "cudaId", "pid")) return ids;
  const sql = `SELECT CAST(gpuId AS REAL) AS gpu, CAST(cudaId AS REAL) AS device, CAST(pid AS REAL) AS process FROM ${table} LIMIT 65536`;
  for (const row of database.rows(sql)) {
    const gpu = numberOf(row["gpu"]);
    const [process, device] = [numberOf(row["process"]), numberOf(row["device"])];
    if (gpu !== undefined && process !== undefined && device !== undefined)
      ids.set(`${process}/${device}`, gpu);
  }
  return ids;
}

/** From severity 2 on: that nothing was recorded stands only here. */
function readWarnings(database: NsysDatabase): readonly string[] {
  const table = "DIAGNOSTIC_EVENT";
  if (!database.has(table, "severity", "text")) return [];
  const sql = `SELECT DISTINCT substr(CAST(text AS TEXT), 1, 300) AS text FROM ${table} WHERE severity >= 2 LIMIT ${MOST_WARNINGS}`;
  return database.rows(sql).map((row) => `the profiler warned: ${String(row["text"])}`);
}
