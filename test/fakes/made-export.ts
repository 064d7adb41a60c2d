/** Exports of Nsight Systems made for one test: any tables, any columns, rows as they stand. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import sqlite from "node-sqlite3-wasm";
import { temporaryDirectory } from "./temporary-directory.ts";

export type Cell = number | bigint | string | Uint8Array | null;

/** Columns and rows by table. A column may carry a declared type after its name. */
export type MadeTables = Readonly<
  Record<string, { readonly columns: readonly string[]; readonly rows: readonly (readonly Cell[])[] }>
>;

/** Writes the tables, and returns the file's path. */
export function madeExport(tables: MadeTables, statements: readonly string[] = []): string {
  const path = join(temporaryDirectory(), "made.sqlite");
  const database = new sqlite.Database(path);
  for (const [name, { columns, rows }] of Object.entries(tables)) {
    database.exec(`CREATE TABLE ${name} (${columns.map((column) => quoted(column)).join(", ")})`);
    const insert = database.prepare(`INSERT INTO ${name} VALUES (${columns.map(() => "?").join(", ")})`);
    for (const row of rows) insert.run([...row]);
    insert.finalize();
  }
  for (const statement of statements) database.exec(statement);
  database.close();
  return path;
}

function quoted(column: string): string {
  const [name = "", ...type] = column.split(" ");
  return [`"${name}"`, ...type].join(" ");
}

/** A process id as the exporter packs it: the hardware above, the process in the middle, the thread below. */
export function globalId(process: number, thread = 0): number {
  return 2 ** 48 + process * 2 ** 24 + thread;
}

const KERNEL_COLUMNS = [
  "start INTEGER",
  "end INTEGER",
  "deviceId INTEGER",
  "contextId INTEGER",
  "streamId INTEGER",
  "correlationId INTEGER",
  "globalPid INTEGER",
  "demangledName INTEGER",
  "graphNodeId INTEGER",
];

export interface MadeKernel {
  readonly start: number | bigint;
  readonly end: number | bigint;
  readonly name?: number;
  readonly device?: number;
  readonly stream?: number;
  readonly correlation?: number;
  readonly process?: number;
  readonly graphNode?: number;
}

export function kernelTable(kernels: readonly MadeKernel[]): MadeTables[string] {
  return {
    columns: KERNEL_COLUMNS,
    rows: kernels.map((kernel) => [
      kernel.start,
      kernel.end,
      kernel.device ?? 0,
      1,
      kernel.stream ?? 7,
      kernel.correlation ?? null,
      globalId(kernel.process ?? 1),
      kernel.name ?? 1,
      kernel.graphNode ?? null,
    ]),
  };
}

export interface MadeCall {
  readonly start: number | bigint;
  readonly end: number | bigint;
  readonly name: number;
  readonly correlation?: number;
  readonly process?: number;
}

export function runtimeTable(calls: readonly MadeCall[]): MadeTables[string] {
  return {
    columns: ["start INTEGER", "end INTEGER", "globalTid INTEGER", "correlationId INTEGER", "nameId INTEGER"],
    rows: calls.map((call) => [
      call.start,
      call.end,
      globalId(call.process ?? 1, 9),
      call.correlation ?? 0,
      call.name,
    ]),
  };
}

export function stringTable(strings: Readonly<Record<number, string>>): MadeTables[string] {
  return {
    columns: ["id INTEGER PRIMARY KEY", "value TEXT"],
    rows: Object.entries(strings).map(([id, value]) => [Number(id), value]),
  };
}

/** A text file in a folder of its own. */
export function madeFile(name: string, text: string | Uint8Array): string {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, text);
  return path;
}
