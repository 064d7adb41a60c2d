/** How far a reader is, told now and then. */
export type OnProgress = (what: string, rows: number) => void;

/** A quarter of a million rows take a tenth of a second. */
const EVERY_ROWS = 262_144;

export class RowCounter {
  readonly #what: string;
  readonly #onProgress: OnProgress;
  #rows = 0;

  constructor(what: string, onProgress: OnProgress) {
    this.#what = what;
    this.#onProgress = onProgress;
  }

  count(): void {
    this.#rows++;
    if (this.#rows % EVERY_ROWS === 0) this.#onProgress(this.#what, this.#rows);
  }
}
