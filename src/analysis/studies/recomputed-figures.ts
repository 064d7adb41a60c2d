import { assert } from "../../core/assert.ts";
import type { PrintedNumber } from "./printed-number.ts";
import type { Reproduction } from "./reproduce.ts";
import { exactly, reproduce } from "./reproduce.ts";

/** Collects what the inputs of a study give, by figure id `table.row.column`. */
export class RecomputedFigures {
  readonly figures = new Map<string, Reproduction>();

  /** A formula over printed inputs; see `reproduce`. */
  put<const In extends Readonly<Record<string, readonly PrintedNumber[]>>>(
    id: string,
    inputs: In,
    formula: (values: { readonly [Name in keyof In]: readonly number[] }) => number,
  ): void {
    this.#add(id, reproduce(inputs, formula));
  }

  /** A figure of single printed numbers, in the order given. */
  from(
    id: string,
    inputs: readonly PrintedNumber[],
    formula: (...values: readonly number[]) => number,
  ): void {
    this.put(id, { inputs }, (values) => formula(...values.inputs));
  }

  exactly(id: string, value: number): void {
    this.#add(id, exactly(value));
  }

  /** The inputs allow anything from low to high. */
  between(id: string, low: number, high: number): void {
    this.#add(id, { kind: "range", low, high });
  }

  #add(id: string, reproduction: Reproduction): void {
    assert(!this.figures.has(id), `figure ${id} is computed twice`);
    this.figures.set(id, reproduction);
  }
}
