/** Names of an export stand in a table of strings, by number; only those that are used are looked up. */
import { MAX_NAMES, MAX_NAME_CHARACTERS } from "../named-tallies.ts";
import type { NsysDatabase } from "./database.ts";

/** Numbers looked up in one query: SQLite takes some thousand terms. */
const BATCH = 500;

export class UsedStrings {
  readonly #labels = new Map<number, number>();
  readonly #ids: number[] = [];
  #names: ReadonlyMap<number, string> = new Map();
  #lastId = Number.NaN;
  #lastLabel = 0;

  /** A small number for the id of a string; names beyond the limit share the last. */
  labelOf(id: number): number {
    if (id === this.#lastId) return this.#lastLabel;
    let label = this.#labels.get(id);
    if (label === undefined) {
      if (this.#ids.length >= MAX_NAMES) return MAX_NAMES;
      label = this.#ids.push(id) - 1;
      this.#labels.set(id, label);
    }
    this.#lastId = id;
    this.#lastLabel = label;
    return label;
  }

  /** Reads the names of all labels given out so far. */
  resolve(database: NsysDatabase): void {
    const names = new Map<number, string>();
    if (database.has("StringIds", "id", "value"))
      for (let from = 0; from < this.#ids.length; from += BATCH) {
        const ids = this.#ids.slice(from, from + BATCH).filter(Number.isSafeInteger);
        const sql = `SELECT CAST(id AS REAL) AS id, substr(CAST(value AS TEXT), 1, ${MAX_NAME_CHARACTERS}) AS value FROM StringIds WHERE id IN (${ids.join(",")})`;
        for (const row of database.rows(sql))
          if (typeof row["id"] === "number" && typeof row["value"] === "string")
            names.set(row["id"], row["value"]);
      }
    this.#names = names;
  }

  nameOf(label: number): string {
    const id = this.#ids[label];
    if (id === undefined) return "(further names)";
    if (Number.isNaN(id)) return "(no name)";
    return this.#names.get(id) ?? `(string ${id} is missing)`;
  }
}
