/**
 * When the host began each launch, by process and correlation number. The numbers of one process
 * are handed out one after the other, so pages of an array hold them; millions of launches take 8
 * bytes each instead of the hundred of a map's entry.
 */

const PAGE = 1024;

/** 256 MB of pages. Numbers that are scattered so widely that this does not hold them are no counter's. */
const MAX_PAGES = 32_768;

export class LaunchTimes {
  readonly #pages = new Map<string, Float64Array>();
  #lastProcess = Number.NaN;
  #lastNumber = Number.NaN;
  #lastPage: Float64Array | undefined;
  #known = 0;
  #full = false;

  get known(): number {
    return this.#known;
  }

  /** Some launches were left out; what is asked of them is unknown. */
  get full(): boolean {
    return this.#full;
  }

  /** The earliest of several calls with one number counts: runtime calls contain driver calls. */
  set(process: number, correlation: number, startNs: number): void {
    const page = this.#page(process, correlation) ?? this.#newPage();
    if (page === undefined) return;
    const before = page[correlation % PAGE] as number;
    if (before <= startNs) return;
    this.#known++;
    page[correlation % PAGE] = startNs;
  }

  /** NaN for a launch that is not in the trace. */
  get(process: number, correlation: number): number {
    return this.#page(process, correlation)?.[correlation % PAGE] ?? Number.NaN;
  }

  /** Launches come in order, so the page is nearly always the one of the call before. */
  #page(process: number, correlation: number): Float64Array | undefined {
    const number = Math.floor(correlation / PAGE);
    if (number !== this.#lastNumber || process !== this.#lastProcess) {
      this.#lastNumber = number;
      this.#lastProcess = process;
      this.#lastPage = this.#pages.get(`${process}/${number}`);
    }
    return this.#lastPage;
  }

  #newPage(): Float64Array | undefined {
    if (this.#pages.size >= MAX_PAGES) {
      this.#full = true;
      return undefined;
    }
    const page = new Float64Array(PAGE).fill(Number.NaN);
    this.#pages.set(`${this.#lastProcess}/${this.#lastNumber}`, page);
    this.#lastPage = page;
    return page;
  }
}
