/**
 * Intervals of a trace in columns: 32 bytes each, outside the heap of objects, in pages, so that
 * five million kernels take 170 MB and are never copied to grow. They come in the order in which a
 * file stores them, which is by start in every export seen; one that is not is sorted once.
 */
import { OperatorError } from "../core/errors.ts";

const PAGE = 65_536;

/** 1.6 GB of columns. Study 002's largest trace had 5.3 million kernels. */
export const MAX_SPANS = 50_000_000;

interface Page {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  readonly extras: Float64Array;
  readonly lanes: Uint32Array;
  readonly labels: Uint32Array;
}

/** `extra` is what else is known: when the launch began for a kernel, bytes for a copy; NaN for unknown. */
export type VisitSpan = (startNs: number, endNs: number, lane: number, label: number, extra: number) => void;

export class SpanColumns {
  readonly #pages: Page[] = [];
  #length = 0;
  #ordered = true;
  #lastStart = Number.NEGATIVE_INFINITY;

  get length(): number {
    return this.#length;
  }

  push(startNs: number, endNs: number, lane: number, label: number, extra: number): void {
    const place = this.#length % PAGE;
    if (place === 0) this.#addPage();
    const page = this.#pages[this.#pages.length - 1] as Page;
    page.starts[place] = startNs;
    page.ends[place] = endNs;
    page.extras[place] = extra;
    page.lanes[place] = lane;
    page.labels[place] = label;
    if (startNs < this.#lastStart) this.#ordered = false;
    this.#lastStart = startNs;
    this.#length++;
  }

  /** In order of start; equal starts in the order in which they came. */
  visit(each: VisitSpan): void {
    if (this.#ordered) for (let index = 0; index < this.#length; index++) this.#visitOne(index, each);
    else for (const index of this.#order()) this.#visitOne(index, each);
  }

  #visitOne(index: number, each: VisitSpan): void {
    const page = this.#pages[Math.floor(index / PAGE)] as Page;
    const place = index % PAGE;
    each(
      page.starts[place] as number,
      page.ends[place] as number,
      page.lanes[place] as number,
      page.labels[place] as number,
      page.extras[place] as number,
    );
  }

  #order(): Uint32Array {
    const start = (index: number): number =>
      this.#pages[Math.floor(index / PAGE)]?.starts[index % PAGE] as number;
    const order = Uint32Array.from({ length: this.#length }, (_, index) => index);
    return order.sort((one, other) => start(one) - start(other) || one - other);
  }

  #addPage(): void {
    if (this.#length >= MAX_SPANS)
      throw new OperatorError("PROFILE_TOO_LARGE", {
        message: `a trace has more than ${MAX_SPANS} kernels or copies`,
        received: this.#length,
        nextStep: "record a shorter window, or export a part of it with nsys",
      });
    this.#pages.push({
      starts: new Float64Array(PAGE),
      ends: new Float64Array(PAGE),
      extras: new Float64Array(PAGE),
      lanes: new Uint32Array(PAGE),
      labels: new Uint32Array(PAGE),
    });
  }
}
