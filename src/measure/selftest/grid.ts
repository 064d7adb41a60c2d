/** Which cells a self-test measures. */
import type { CellPlan } from "./receiver.ts";

export type GridName = "quick" | "full";

export interface Grid {
  readonly name: GridName | "custom";
  readonly cells: readonly CellPlan[];
}

/** Measured and thrown away: code is compiled and connections are opened in it, as in a benchmark's own warm-up. */
export const WARM_UP: CellPlan = { streams: 64, tokensPerS: 100, pattern: "spread", seconds: 0.5 };

const FULL_STREAMS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const FULL_TOKENS_PER_S = [10, 50, 100, 200];
/** Beyond the grid of real rates, only to find where the event rate ends. */
const LADDER_TOKENS_PER_S = [250, 300, 400];
const MOST_STREAMS = 512;
const QUICK_SECONDS = 1.4;
const FULL_SECONDS = 3;

/** Nine cells, under 20 seconds: the ends of the grid and the cells that targets are set for. */
const QUICK: Grid = {
  name: "quick",
  cells: [
    cell(1, 50, "spread", QUICK_SECONDS),
    cell(16, 50, "spread", QUICK_SECONDS),
    cell(64, 100, "spread", QUICK_SECONDS),
    cell(256, 50, "spread", QUICK_SECONDS),
    cell(512, 50, "spread", QUICK_SECONDS),
    cell(512, 50, "lockstep", QUICK_SECONDS),
    cell(512, 100, "spread", QUICK_SECONDS),
    cell(512, 200, "spread", QUICK_SECONDS),
    cell(512, 300, "spread", QUICK_SECONDS),
  ],
};

/** Every concurrency at every rate, and in lockstep at one rate: about three minutes. */
const FULL: Grid = {
  name: "full",
  cells: [
    ...FULL_STREAMS.flatMap((streams) => [
      ...FULL_TOKENS_PER_S.map((rate) => cell(streams, rate, "spread", FULL_SECONDS)),
      cell(streams, 50, "lockstep", FULL_SECONDS),
    ]),
    ...LADDER_TOKENS_PER_S.map((rate) => cell(MOST_STREAMS, rate, "spread", FULL_SECONDS)),
  ],
};

export const GRIDS: Readonly<Record<GridName, Grid>> = { quick: QUICK, full: FULL };

function cell(streams: number, tokensPerS: number, pattern: CellPlan["pattern"], seconds: number): CellPlan {
  return { streams, tokensPerS, pattern, seconds };
}
