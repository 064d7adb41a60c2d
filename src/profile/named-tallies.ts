/** Counts and times by name: kernels, API calls, ranges. Names are numbered, so that columns can hold them. */
import type { CallRow } from "./figures.ts";

/** Distinct names kept. PyTorch's largest trace seen has hundreds; more is a name that carries a number. */
export const MAX_NAMES = 20_000;

/** A demangled C++ name has been seen with 3,000 characters. */
export const MAX_NAME_CHARACTERS = 4_096;

export class NameNumbers {
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];

  numberOf(name: string): number {
    const cut = name.length > MAX_NAME_CHARACTERS ? `${name.slice(0, MAX_NAME_CHARACTERS)}…` : name;
    const found = this.#numbers.get(cut);
    if (found !== undefined) return found;
    if (this.#names.length >= MAX_NAMES) return this.#numberOfRest();
    this.#numbers.set(cut, this.#names.length);
    return this.#names.push(cut) - 1;
  }

  nameOf(number: number): string {
    return this.#names[number] ?? REST;
  }

  #numberOfRest(): number {
    const found = this.#numbers.get(REST);
    if (found !== undefined) return found;
    this.#numbers.set(REST, this.#names.length);
    return this.#names.push(REST) - 1;
  }
}

const REST = "(further names)";

interface Tally {
  count: number;
  totalNs: number;
  minNs: number;
  maxNs: number;
}

export class DurationsByNumber {
  readonly #tallies: Tally[] = [];
  #totalNs = 0;
  #count = 0;

  get totalNs(): number {
    return this.#totalNs;
  }

  get count(): number {
    return this.#count;
  }

  add(number: number, ns: number): void {
    this.#totalNs += ns;
    this.#count++;
    const tally = this.#tallies[number];
    if (tally === undefined) {
      this.#tallies[number] = { count: 1, totalNs: ns, minNs: ns, maxNs: ns };
      return;
    }
    tally.count++;
    tally.totalNs += ns;
    if (ns < tally.minNs) tally.minNs = ns;
    if (ns > tally.maxNs) tally.maxNs = ns;
  }

  /** Most time first; equal times by number, which is the order of first appearance. */
  entries(): readonly (readonly [number, Readonly<Tally>])[] {
    return this.#tallies
      .flatMap((tally, number) => (tally === undefined ? [] : [[number, tally] as const]))
      .sort(([one, a], [other, b]) => b.totalNs - a.totalNs || one - other);
  }
}

/** Calls by name, for what is not kept in columns. */
export class CallTally {
  readonly #names = new NameNumbers();
  readonly #durations = new DurationsByNumber();

  get count(): number {
    return this.#durations.count;
  }

  add(name: string, ns: number): void {
    this.#durations.add(this.#names.numberOf(name), ns);
  }

  rows(): readonly CallRow[] {
    const { totalNs } = this.#durations;
    return this.#durations.entries().map(([number, tally]) => ({
      name: this.#names.nameOf(number),
      calls: tally.count,
      totalNs: tally.totalNs,
      minNs: tally.minNs,
      maxNs: tally.maxNs,
      ...(totalNs > 0 ? { timeShare: tally.totalNs / totalNs } : {}),
    }));
  }
}
