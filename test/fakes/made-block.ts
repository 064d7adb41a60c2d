/** What tests of one block need: a request in three numbers, and the only block of a made run. */
import type { BlockAnalysis } from "../../src/analysis/block.ts";
import { analyseRun } from "../../src/analysis/analyse-run.ts";
import { defined } from "../../src/core/assert.ts";
import type { MadeRequest, MadeRun } from "./recorded-run.ts";

export const made = (
  ttftMs: number,
  tokens: number,
  decodeMs: number,
  extra: Partial<MadeRequest> = {},
): MadeRequest => ({
  ttftMs,
  tokens,
  decodeMs,
  ...extra,
});

/** Alone: 100 ms of prefill, then 10 ms for each token after the first. */
export const alone = made(100, 101, 1_000);

export function onlyBlock(run: MadeRun): BlockAnalysis {
  return defined(analyseRun(run).cells[0]?.blocks[0], "a block");
}
