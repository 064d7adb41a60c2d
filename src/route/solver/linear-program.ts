/** Linear and mixed-integer programs as data, and what solves them. Objectives are to be greatest. */

export interface LinearProgram {
  /** By column. */
  readonly objective: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** 1 where a column must be whole. */
  readonly whole: Uint8Array;
  readonly rowLower: Float64Array;
  readonly rowUpper: Float64Array;
  /** Row r has the entries from starts[r] to starts[r + 1]. */
  readonly starts: Int32Array;
  readonly indices: Int32Array;
  readonly coefficients: Float64Array;
}

export interface SolveLimits {
  readonly timeLimitS?: number;
  /** A solution that is known to be feasible, to start from. */
  readonly start?: Float64Array;
}

export type SolverAnswer =
  | { readonly kind: "optimal"; readonly values: Float64Array; readonly objective: number }
  /** Ended early: perhaps with a solution, perhaps with a value that none can pass. */
  | {
      readonly kind: "stopped";
      readonly values?: Float64Array;
      readonly upper?: number;
      readonly reason: string;
    }
  | { readonly kind: "infeasible" };

export interface LinearSolver {
  solve(program: LinearProgram, limits?: SolveLimits): Promise<SolverAnswer>;
}

export type RowEntry = readonly [column: number, coefficient: number];

/** Columns first, then rows over them. */
export class ProgramBuilder {
  readonly #objective: number[] = [];
  readonly #lower: number[] = [];
  readonly #upper: number[] = [];
  readonly #whole: number[] = [];
  readonly #rowLower: number[] = [];
  readonly #rowUpper: number[] = [];
  readonly #starts: number[] = [0];
  readonly #indices: number[] = [];
  readonly #coefficients: number[] = [];

  /** Between 0 and 1 unless said otherwise. Returns its place. */
  column(
    objective: number,
    options: { readonly whole?: boolean; readonly lower?: number; readonly upper?: number } = {},
  ): number {
    this.#lower.push(options.lower ?? 0);
    this.#upper.push(options.upper ?? 1);
    this.#whole.push(Number(options.whole ?? false));
    return this.#objective.push(objective) - 1;
  }

  atMost(most: number, entries: readonly RowEntry[]): void {
    this.#row(Number.NEGATIVE_INFINITY, most, entries);
  }

  exactly(value: number, entries: readonly RowEntry[]): void {
    this.#row(value, value, entries);
  }

  build(): LinearProgram {
    return {
      objective: Float64Array.from(this.#objective),
      lower: Float64Array.from(this.#lower),
      upper: Float64Array.from(this.#upper),
      whole: Uint8Array.from(this.#whole),
      rowLower: Float64Array.from(this.#rowLower),
      rowUpper: Float64Array.from(this.#rowUpper),
      starts: Int32Array.from(this.#starts),
      indices: Int32Array.from(this.#indices),
      coefficients: Float64Array.from(this.#coefficients),
    };
  }

  #row(lower: number, upper: number, entries: readonly RowEntry[]): void {
    this.#rowLower.push(lower);
    this.#rowUpper.push(upper);
    for (const [column, coefficient] of entries) {
      this.#indices.push(column);
      this.#coefficients.push(coefficient);
    }
    this.#starts.push(this.#indices.length);
  }
}
