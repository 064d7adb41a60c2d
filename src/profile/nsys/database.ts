/**
 * An Nsight Systems export, opened so that nothing of it changes. Exports are lazy: a table without
 * rows may not exist, columns come and go with the version, and people add their own. So every
 * table and column is asked for before it is used, by name.
 */
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import sqlite from "node-sqlite3-wasm";
import { OperatorError, messageOf } from "../../core/errors.ts";

/** A row as SQLite gives it; columns are named in the query. */
export type Row = Readonly<Record<string, number | bigint | string | Uint8Array | null>>;

/** Columns beyond this are no export's: the widest table seen has 42. */
const MAX_COLUMNS = 200;

/** Tables beyond this are no export's: the largest seen has 80. */
const MAX_TABLES = 2_000;

export class NsysDatabase {
  readonly path: string;
  readonly #database: InstanceType<typeof sqlite.Database>;
  readonly #folder: string;
  readonly #tables: ReadonlyMap<string, ReadonlySet<string>>;

  /**
   * The package makes its lock beside the name it is given, and looks for a journal there, so it is
   * given a link in a folder of ours: the export's own folder may be read-only and stays untouched.
   */
  constructor(path: string) {
    this.path = path;
    this.#folder = mkdtempSync(join(tmpdir(), "slipway-profile-"));
    try {
      const link = join(this.#folder, "export.sqlite");
      symlinkSync(resolve(path), link);
      this.#database = this.#guard(() => new sqlite.Database(link, { readOnly: true, fileMustExist: true }));
    } catch (thrown) {
      rmSync(this.#folder, { recursive: true, force: true });
      throw thrown;
    }
    try {
      // What a schema defines is not run: a view could compute for ever. Damage shows early.
      this.#guard(() => this.#database.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON"));
      this.#guard(() => this.#database.exec("PRAGMA cache_size = -16000"));
      this.#tables = this.#readSchema();
    } catch (thrown) {
      this.close();
      throw thrown;
    }
  }

  close(): void {
    try {
      this.#database.close();
    } catch {
      // A damaged file can refuse even that; the handle goes with the process.
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get tableCount(): number {
    return this.#tables.size;
  }

  has(table: string, ...columns: readonly string[]): boolean {
    const found = this.#tables.get(table);
    return found !== undefined && columns.every((column) => found.has(column));
  }

  /** The first of these that the table has. */
  columnOf(table: string, ...names: readonly string[]): string | undefined {
    const found = this.#tables.get(table);
    return names.find((name) => found?.has(name) === true);
  }

  /** Follows "unknown, because". */
  whyNot(table: string, ...columns: readonly string[]): string {
    const found = this.#tables.get(table);
    if (found === undefined) return `the table ${table} is missing`;
    const lacking = columns.find((column) => !found.has(column));
    return lacking === undefined
      ? `the table ${table} is empty`
      : `the table ${table} has no column ${lacking}`;
  }

  /** Millions of rows: a callback, since a generator around the package's own costs a tenth of the time. */
  each(sql: string, take: (row: Row) => void): void {
    this.#run(sql, (statement) => {
      for (const row of statement.iterate()) take(row as Row);
    });
  }

  rows(sql: string): readonly Row[] {
    const rows: Row[] = [];
    this.each(sql, (row) => rows.push(row));
    return rows;
  }

  first(sql: string): Row | undefined {
    return this.#run(sql, (statement) => (statement.get() ?? undefined) as Row | undefined);
  }

  #run<T>(sql: string, act: (statement: InstanceType<typeof sqlite.Statement>) => T): T {
    let statement: InstanceType<typeof sqlite.Statement> | undefined;
    try {
      statement = this.#database.prepare(sql);
      return act(statement);
    } catch (thrown) {
      throw this.#damaged(thrown);
    } finally {
      // A statement that failed reports the same failure again.
      try {
        statement?.finalize();
      } catch {
        // Told above.
      }
    }
  }

  /** Tables only, and only plain columns: views and generated columns are somebody's program. */
  #readSchema(): ReadonlyMap<string, ReadonlySet<string>> {
    const tables = new Map<string, ReadonlySet<string>>();
    // A virtual table has no page of its own.
    const names = this.rows(
      `SELECT CAST(name AS TEXT) AS name FROM sqlite_master WHERE type = 'table' AND rootpage > 0 LIMIT ${MAX_TABLES}`,
    ).map((row) => String(row["name"]));
    for (const name of names) {
      if (!/^\w+$/.test(name)) continue;
      const columns = this.rows(
        `SELECT CAST(name AS TEXT) AS name FROM pragma_table_xinfo('${name}') WHERE hidden = 0 LIMIT ${MAX_COLUMNS}`,
      ).map((row) => String(row["name"]));
      tables.set(name, new Set(columns));
    }
    return tables;
  }

  #guard<T>(act: () => T): T {
    try {
      return act();
    } catch (thrown) {
      throw this.#damaged(thrown);
    }
  }

  #damaged(thrown: unknown): unknown {
    if (thrown instanceof OperatorError) return thrown;
    if (/out of memory|string or blob too big|allocation failed/.test(messageOf(thrown)))
      return new OperatorError("PROFILE_TOO_LARGE", {
        message: `SQLite has too little memory for ${this.path}: ${messageOf(thrown)}`,
        received: this.path,
        nextStep: "record a shorter window, or give the reports of nsys stats instead",
        cause: thrown,
      });
    const unopened = messageOf(thrown).includes("unable to open database file");
    return new OperatorError("PROFILE_DAMAGED", {
      message: `SQLite cannot read ${this.path}: ${messageOf(thrown)}`,
      received: this.path,
      // Write-ahead mode needs files beside the database; no export is in it, but an edited one can be.
      nextStep: unopened
        ? "if it was edited, copy it and run sqlite3 <copy> 'PRAGMA journal_mode = DELETE'; else export it again"
        : "export it again: nsys export --type sqlite --force-overwrite true <report.nsys-rep>",
      cause: thrown,
    });
  }
}
