/** Where the engine itself says the time went, and what is left of the client's latency beside it. */
import { mean } from "../stats/quantile.ts";
import { ratePerS } from "./request-figures.ts";
import type { RequestRows } from "./request-table.ts";

/** Means over the finished requests that say so, milliseconds. */
export interface EngineSplitMeans {
  readonly requests: number;
  readonly queueMs: number | undefined;
  readonly loadMs: number | undefined;
  readonly prefillMs: number | undefined;
  readonly decodeMs: number | undefined;
  /** Latency by the client's clock − everything the engine accounts for. */
  readonly residualMs: number | undefined;
  /** Σ decoded tokens ÷ Σ decode time, as the engine counts both. */
  readonly decodeTokS: number | undefined;
}

const PARTS = ["engineQueueMs", "engineLoadMs", "enginePrefillMs", "engineDecodeMs"] as const;

/** `undefined` where the engine reports neither prefill nor decode. */
export function engineSplit(trials: readonly RequestRows[]): EngineSplitMeans | undefined {
  const told = trials.map((rows) =>
    rows.where(
      (index) =>
        rows.at(index, "ok") === 1 &&
        rows.at(index, "enginePrefillMs") !== undefined &&
        rows.at(index, "engineDecodeMs") !== undefined,
    ),
  );
  const requests = told.reduce((total, rows) => total + rows.length, 0);
  if (requests === 0) return undefined;
  const over = (column: (typeof PARTS)[number]): number | undefined =>
    mean(told.flatMap((rows) => [...rows.values(column)]));
  const sum = (column: "engineDecodeTokens" | "engineDecodeMs"): number =>
    told.reduce((total, rows) => total + rows.sum(column), 0);
  const tokens = sum("engineDecodeTokens");
  return {
    requests,
    queueMs: over("engineQueueMs"),
    loadMs: over("engineLoadMs"),
    prefillMs: over("enginePrefillMs"),
    decodeMs: over("engineDecodeMs"),
    residualMs: mean(told.flatMap(residuals)),
    decodeTokS: tokens > 0 ? ratePerS(tokens, sum("engineDecodeMs")) : undefined,
  };
}

function residuals(rows: RequestRows): readonly number[] {
  return Array.from({ length: rows.length }, (_, index) => {
    const accounted = PARTS.reduce((total, part) => total + (rows.at(index, part) ?? 0), 0);
    return (rows.at(index, "latencyMs") ?? 0) - accounted;
  });
}
