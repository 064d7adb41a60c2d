/**
 * The requests of a run as columns of numbers. A million request records as objects would need
 * gigabytes; as columns they need 8 bytes per number, and every figure reads the columns it needs.
 */

const COLUMNS = [
  "position",
  /** 1 for a request that ended well; the figures of any other request are unknown. */
  "ok",
  "cancelled",
  "sentMs",
  "ttftMs",
  "responseTtftMs",
  "firstVisibleMs",
  "latencyMs",
  "responseLatencyMs",
  "meanItlMs",
  /** (tokens after the first event) and the time they took; also of requests that did not end well. */
  "decodeTokens",
  "decodeMs",
  /** Tokens of the first text event, which are out when prefill ends. */
  "firstEventTokens",
  "outputTokens",
  /** 1 where the output tokens are a count of text events. */
  "estimated",
  /** Tokens inside the window in which all agents are busy, and 1 where that is a share and no count. */
  "steadyTokens",
  "steadyShare",
  "inputTokens",
  /** What the workload asked the prompt to be. */
  "inputTargetTokens",
  "cachedTokens",
  "promptCold",
  "promptHash",
  /** Model loading inside the request; 0 for a warm one. */
  "coldLoadMs",
  /** What the engine itself reports. */
  "engineQueueMs",
  "engineLoadMs",
  "enginePrefillMs",
  "engineDecodeMs",
  "engineDecodeTokens",
  /** How much shorter the client's times are than the engine's own; 0 where they can be true. */
  "clientLateMs",
  "step",
  "endpoint",
] as const;

type Column = (typeof COLUMNS)[number];
export type Row = { readonly [K in Column]: number | undefined };

const FIRST_CAPACITY = 1024;

export class RequestTable {
  #capacity = FIRST_CAPACITY;
  #length = 0;
  readonly #groups: number[] = [];
  readonly #columns = Object.fromEntries(
    COLUMNS.map((column) => [column, new Float64Array(FIRST_CAPACITY)]),
  ) as Record<Column, Float64Array>;

  /** NaN marks an unknown value inside the table and never leaves it. */
  add(group: number, row: Row): number {
    if (this.#length === this.#capacity) this.#grow();
    for (const column of COLUMNS) this.#columns[column][this.#length] = row[column] ?? Number.NaN;
    this.#groups.push(group);
    return this.#length++;
  }

  set(row: number, column: Column, value: number): void {
    this.#columns[column][row] = value;
  }

  at(row: number, column: Column): number | undefined {
    const value = this.#columns[column][row];
    return value === undefined || Number.isNaN(value) ? undefined : value;
  }

  /** The rows of each group 0 … groups − 1, in the order they were added: a counting sort. */
  rowsByGroup(groups: number): readonly RequestRows[] {
    const starts = new Int32Array(groups + 1);
    for (const group of this.#groups) starts[group + 1] = (starts[group + 1] as number) + 1;
    for (let group = 0; group < groups; group++)
      starts[group + 1] = (starts[group + 1] as number) + (starts[group] as number);
    const next = starts.slice();
    const order = new Int32Array(this.#length);
    this.#groups.forEach((group, row) => {
      order[next[group] as number] = row;
      next[group] = (next[group] as number) + 1;
    });
    return Array.from(
      { length: groups },
      (_, group) => new RequestRows(this, order.subarray(starts[group], starts[group + 1])),
    );
  }

  /** A whole column, for reading many rows of it; NaN is an unknown value. */
  column(column: Column): Float64Array {
    return this.#columns[column];
  }

  #grow(): void {
    this.#capacity *= 2;
    for (const column of COLUMNS) {
      const larger = new Float64Array(this.#capacity);
      larger.set(this.#columns[column]);
      this.#columns[column] = larger;
    }
  }
}

/** Some rows of a table: the requests of one agent in one trial. */
export class RequestRows {
  readonly #table: RequestTable;
  readonly #rows: Int32Array;

  constructor(table: RequestTable, rows: Int32Array) {
    this.#table = table;
    this.#rows = rows;
  }

  get length(): number {
    return this.#rows.length;
  }

  at(index: number, column: Column): number | undefined {
    const row = this.#rows[index];
    return row === undefined ? undefined : this.#table.at(row, column);
  }

  /** The known values of a column, in order. */
  values(column: Column): Float64Array {
    const all = this.#table.column(column);
    const known = new Float64Array(this.#rows.length);
    let length = 0;
    for (const row of this.#rows) {
      const value = all[row] as number;
      if (!Number.isNaN(value)) known[length++] = value;
    }
    return known.subarray(0, length);
  }

  /** The sum of what is known: 0 when nothing is, so ask `values` where that matters. */
  sum(column: Column): number {
    const all = this.#table.column(column);
    let total = 0;
    for (const row of this.#rows) {
      const value = all[row] as number;
      if (!Number.isNaN(value)) total += value;
    }
    return total;
  }

  /** The rows that pass, by index. */
  where(keep: (index: number) => boolean): RequestRows {
    return new RequestRows(
      this.#table,
      this.#rows.filter((_, index) => keep(index)),
    );
  }
}
