/** Where a kernel ran, as one number: process, device, context and stream together. */

export interface Lane {
  /** The GPU, by the name under which the trace knows it. */
  readonly device: string;
  /** Absent where the trace does not say. Stream 7 of two processes is two streams. */
  readonly stream?: string;
  readonly context?: string;
  readonly process?: string;
}

/** Lanes kept apart. A server has a few streams per context; more is no trace of one. */
const MAX_LANES = 65_536;

export class Lanes {
  readonly #numbers = new Map<string, number>();
  readonly #lanes: Lane[] = [];

  numberOf(lane: Lane): number {
    const key = JSON.stringify([lane.process, lane.device, lane.context, lane.stream]);
    const found = this.#numbers.get(key);
    if (found !== undefined) return found;
    if (this.#lanes.length >= MAX_LANES) return MAX_LANES - 1;
    this.#numbers.set(key, this.#lanes.length);
    return this.#lanes.push(lane) - 1;
  }

  laneOf(number: number): Lane {
    return this.#lanes[number] as Lane;
  }

  /** A stream's name with as much in front as tells it from the others of its device. */
  streamNames(numbers: readonly number[]): readonly string[] {
    const lanes = numbers.map((number) => this.laneOf(number));
    const several = (part: (lane: Lane) => string | undefined): boolean => new Set(lanes.map(part)).size > 1;
    const [processes, contexts] = [several((lane) => lane.process), several((lane) => lane.context)];
    return lanes.map((lane) =>
      [
        ...(processes ? [`process ${lane.process ?? "?"}`] : []),
        ...(contexts ? [`context ${lane.context ?? "?"}`] : []),
        `stream ${lane.stream ?? "?"}`,
      ].join(" "),
    );
  }
}
