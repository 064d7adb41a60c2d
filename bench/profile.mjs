// A trace of 5,274,779 kernels (the largest of the kernel study), with and without as many API calls, read and
// analysed in a process of its own; and the same kernels stored out of order.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sqlite from "node-sqlite3-wasm";
import { readProfile } from "../dist/profile/read-profile.js";

const KERNELS = 5_274_779;
const NAMES = 200;
const GLOBAL_ID = 2 ** 48 + 4711 * 2 ** 24;

if (process.argv[2] === undefined) {
  const folder = mkdtempSync(join(tmpdir(), "slipway-bench-"));
  try {
    const path = join(folder, "trace.sqlite");
    writeTrace(path);
    const kernels = readInChild(path);
    addShuffledKernels(path);
    const shuffled = readInChild(path);
    restoreOrder(path);
    addCalls(path);
    const withCalls = readInChild(path);
    console.log(
      JSON.stringify([
        { figure: "5.27 M kernels: read and analysed", value: kernels.seconds, unit: "s", atMost: 6 },
        { figure: "5.27 M kernels: processor time", value: kernels.cpuSeconds, unit: "s" },
        { figure: "5.27 M kernels: peak memory", value: kernels.peakMib, unit: "MiB", atMost: 500 },
        { figure: "the same out of order", value: shuffled.seconds, unit: "s" },
        { figure: "the same out of order: processor time", value: shuffled.cpuSeconds, unit: "s" },
        { figure: "the same out of order: peak memory", value: shuffled.peakMib, unit: "MiB" },
        { figure: "with 5.27 M API calls, launches joined", value: withCalls.seconds, unit: "s" },
        { figure: "with 5.27 M API calls: processor time", value: withCalls.cpuSeconds, unit: "s" },
        { figure: "with 5.27 M API calls: peak memory", value: withCalls.peakMib, unit: "MiB", atMost: 500 },
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
} else {
  const startMs = performance.now();
  const figures = await readProfile([process.argv[2]]);
  const seconds = (performance.now() - startMs) / 1000;
  if (figures.kernelCount.value !== KERNELS) throw new Error(`${JSON.stringify(figures.kernelCount)}`);
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  console.log(
    JSON.stringify({ seconds, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMib: maxRSS / 1024 }),
  );
}

/** Rows are made inside SQLite: stamps as of 2026, gaps and durations of microseconds, two streams in turn. */
function writeTrace(path) {
  const database = new sqlite.Database(path);
  database.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
  database.exec("CREATE TABLE StringIds (id INTEGER PRIMARY KEY, value TEXT)");
  database.exec(
    `INSERT INTO StringIds SELECT value, 'void ampere_gemm_' || value || '<float>(int)' FROM (${numbers(NAMES)})`,
  );
  database.exec("INSERT INTO StringIds VALUES (100000, 'cudaLaunchKernel_v7000')");
  database.exec(
    `CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start INTEGER, "end" INTEGER, deviceId INTEGER, contextId INTEGER, streamId INTEGER,
     correlationId INTEGER, globalPid INTEGER, demangledName INTEGER, shortName INTEGER, registersPerThread INTEGER, gridX INTEGER,
     gridY INTEGER, gridZ INTEGER, blockX INTEGER, blockY INTEGER, blockZ INTEGER, graphNodeId INTEGER)`,
  );
  database.exec(
    `INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL SELECT s, s + 1000 + value * 7919 % 6000, 0, 1, 7 + value % 2, value, ${GLOBAL_ID},
     value % ${NAMES}, value % ${NAMES}, 32, 128, 1, 1, 256, 1, 1, NULL
     FROM (SELECT value, 1800000000000000000 + value * 9000 AS s FROM (${numbers(KERNELS)}))`,
  );
  database.close();
}

function numbers(count) {
  return `WITH RECURSIVE n(value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM n LIMIT ${count}) SELECT value FROM n`;
}

/** In 16 runs one after the other, as streams that are written out one by one would stand. */
function addShuffledKernels(path) {
  withDatabase(path, (database) => {
    database.exec("ALTER TABLE CUPTI_ACTIVITY_KIND_KERNEL RENAME TO ordered");
    database.exec("CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL AS SELECT * FROM ordered LIMIT 0");
    for (let run = 0; run < 16; run++)
      database.exec(
        `INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL SELECT * FROM ordered WHERE correlationId % 16 = ${run}`,
      );
  });
}

function restoreOrder(path) {
  withDatabase(path, (database) => {
    database.exec("DROP TABLE CUPTI_ACTIVITY_KIND_KERNEL");
    database.exec("ALTER TABLE ordered RENAME TO CUPTI_ACTIVITY_KIND_KERNEL");
  });
}

function addCalls(path) {
  withDatabase(path, (database) => {
    database.exec(
      'CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start INTEGER, "end" INTEGER, eventClass INTEGER, globalTid INTEGER, correlationId INTEGER, nameId INTEGER, returnValue INTEGER)',
    );
    database.exec(
      `INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME SELECT 1799999999999995000 + value * 9000, 1799999999999998000 + value * 9000, 0,
       ${GLOBAL_ID} + 9, value, 100000, 0 FROM (${numbers(KERNELS)})`,
    );
  });
}

function withDatabase(path, act) {
  const database = new sqlite.Database(path);
  database.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
  act(database);
  database.close();
}

function readInChild(path) {
  const script = fileURLToPath(import.meta.url);
  const child = spawnSync(process.execPath, [script, path], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.status !== 0) throw new Error("the trace could not be read");
  return JSON.parse(child.stdout);
}
