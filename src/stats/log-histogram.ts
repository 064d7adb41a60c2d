/**
 * A histogram whose bins grow by a constant factor, for distributions too long to keep: a run of a
 * million requests has hundreds of millions of chunk gaps. Every quantile read from it is within
 * one bin width of a type 7 quantile; 0 has a bin of its own, since gaps within one read are 0.
 */

/**
 * Bins grow by 2 %, which is finer than the scheduling noise of any gap; 1,050 of them span 1 µs to
 * 1,000 s of milliseconds in 8 KB. What is smaller counts as 0, what is larger as the largest.
 */
const GROWTH = 1.02;
const SMALLEST = 1e-3;
const LARGEST = 1e6;
const LOG_GROWTH = Math.log(GROWTH);
const BINS = Math.ceil(Math.log(LARGEST / SMALLEST) / LOG_GROWTH) + 1;

export class LogHistogram {
  readonly #bins = new Float64Array(BINS);
  #zeros = 0;
  #count = 0;
  #sum = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  get mean(): number | undefined {
    return this.#count === 0 ? undefined : this.#sum / this.#count;
  }

  get max(): number | undefined {
    return this.#count === 0 ? undefined : this.#max;
  }

  /** Values are not negative; `times` adds the same value more than once. */
  add(value: number, times = 1): void {
    this.#count += times;
    this.#sum += value * times;
    if (value > this.#max) this.#max = value;
    if (value < SMALLEST) {
      this.#zeros += times;
      return;
    }
    const bin = Math.min(Math.floor(Math.log(value / SMALLEST) / LOG_GROWTH), BINS - 1);
    this.#bins[bin] = (this.#bins[bin] as number) + times;
  }

  merge(other: LogHistogram): void {
    for (let bin = 0; bin < BINS; bin++)
      this.#bins[bin] = (this.#bins[bin] as number) + (other.#bins[bin] as number);
    this.#zeros += other.#zeros;
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#max = Math.max(this.#max, other.#max);
  }

  /** The geometric middle of the bin that holds the value of rank ⌈q·n⌉. */
  quantile(q: number): number | undefined {
    if (this.#count === 0) return undefined;
    let left = Math.max(Math.ceil(q * this.#count), 1) - this.#zeros;
    if (left <= 0) return 0;
    for (let bin = 0; bin < BINS; bin++) {
      left -= this.#bins[bin] as number;
      if (left <= 0) return Math.min(SMALLEST * GROWTH ** (bin + 0.5), this.#max);
    }
    return this.#max;
  }
}
