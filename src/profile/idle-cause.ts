/**
 * Why a device was idle between two kernels. A gap is cut where the state of the next kernel's
 * launch changes: before the host began to launch it the gap is host-bound, from then on
 * launch-bound. What a copy or a memset filled is neither.
 */
import type { IdleSplit } from "./figures.ts";

/** Disjoint intervals in ascending order, asked about in ascending order. */
export class CoveredTime {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #next = 0;

  /** Starts ascend; what overlaps is joined. */
  add(startNs: number, endNs: number): void {
    const last = this.#ends.length - 1;
    if (last >= 0 && startNs <= (this.#ends[last] as number))
      this.#ends[last] = Math.max(this.#ends[last] as number, endNs);
    else {
      this.#starts.push(startNs);
      this.#ends.push(endNs);
    }
  }

  /** How much of an interval is covered. Each begins no earlier than the one before it ended. */
  within(fromNs: number, toNs: number): number {
    let covered = 0;
    while (this.#next < this.#ends.length && (this.#ends[this.#next] as number) <= fromNs) this.#next++;
    for (let index = this.#next; index < this.#starts.length; index++) {
      const start = this.#starts[index] as number;
      if (start >= toNs) break;
      covered += Math.min(this.#ends[index] as number, toNs) - Math.max(start, fromNs);
    }
    return covered;
  }
}

export class IdleTally {
  readonly #transfers: CoveredTime;
  #transferNs = 0;
  #launchBoundNs = 0;
  #alreadyLaunchedNs = 0;
  #hostBoundNs = 0;
  #unknownNs = 0;
  #decided = 0;

  constructor(transfers: CoveredTime) {
    this.#transfers = transfers;
  }

  /** `launchStartNs` is when the host began to launch the kernel at the gap's end; NaN where it is not known. */
  addGap(fromNs: number, toNs: number, launchStartNs: number): void {
    if (Number.isNaN(launchStartNs)) {
      this.#unknownNs += this.#outsideTransfers(fromNs, toNs);
      return;
    }
    this.#decided++;
    const cutNs = Math.min(Math.max(launchStartNs, fromNs), toNs);
    this.#hostBoundNs += this.#outsideTransfers(fromNs, cutNs);
    const launchNs = this.#outsideTransfers(cutNs, toNs);
    this.#launchBoundNs += launchNs;
    if (launchStartNs <= fromNs) this.#alreadyLaunchedNs += launchNs;
  }

  /** Undefined where no launch of any kernel after a gap is known: then nothing is decided. */
  split(): IdleSplit | undefined {
    if (this.#decided === 0) return undefined;
    return {
      transferNs: this.#transferNs,
      launchBoundNs: this.#launchBoundNs,
      alreadyLaunchedNs: this.#alreadyLaunchedNs,
      hostBoundNs: this.#hostBoundNs,
      unknownNs: this.#unknownNs,
    };
  }

  #outsideTransfers(fromNs: number, toNs: number): number {
    const covered = this.#transfers.within(fromNs, toNs);
    this.#transferNs += covered;
    return toNs - fromNs - covered;
  }
}
