/**
 * Chance is a parameter. Every consumer draws from its own stream, named by purpose and entity
 * (`randomStream(seed, "prompt", agentName, turn)`), so adding an agent never shifts what
 * another one sends. The seed is in the run manifest.
 */
import { createHash, randomInt } from "node:crypto";

export interface RandomStream {
  /** Uniform in [0, 1) with 53 bits. */
  next(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
  /** Exponential with the given mean. */
  exponential(mean: number): number;
  /** Standard normal (Box–Muller, one of the pair). */
  normal(): number;
  pick<T>(items: readonly T[]): T;
  /** A shuffled copy (Fisher–Yates). */
  shuffle<T>(items: readonly T[]): T[];
}

/**
 * sfc32 (Chris Doty-Humphrey's PractRand), keyed by SHA-256 of the seed and labels: streams with
 * different names are independent for every practical purpose.
 */
class Sfc32 implements RandomStream {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(key: Buffer) {
    this.#a = key.readUInt32LE(0);
    this.#b = key.readUInt32LE(4);
    this.#c = key.readUInt32LE(8);
    // Twelve rounds mix the key through the state before the first draw, as its author advises.
    for (let round = 0; round < 12; round++) this.#word();
  }

  #word(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  next(): number {
    const high = this.#word() >>> 5;
    const low = this.#word() >>> 6;
    return (high * 67_108_864 + low) / 9_007_199_254_740_992;
  }

  integer(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  exponential(mean: number): number {
    return -mean * Math.log1p(-this.next());
  }

  normal(): number {
    const radius = Math.sqrt(-2 * Math.log1p(-this.next()));
    return radius * Math.cos(2 * Math.PI * this.next());
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.integer(items.length)];
    if (item === undefined) throw new RangeError("pick from an empty list");
    return item;
  }

  shuffle<T>(items: readonly T[]): T[] {
    const copy = [...items];
    for (let last = copy.length - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      const moved = copy[last] as T;
      copy[last] = copy[other] as T;
      copy[other] = moved;
    }
    return copy;
  }
}

export function randomStream(seed: number, ...labels: readonly (string | number)[]): RandomStream {
  const key = createHash("sha256")
    .update(JSON.stringify([seed, ...labels]))
    .digest();
  return new Sfc32(key);
}

/** A seed from the operating system, for when the operator gave none. It is recorded like any other. */
export function entropySeed(): number {
  return randomInt(2 ** 31);
}
