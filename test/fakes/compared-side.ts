/** Sides of a comparison made from values per trial, without a run behind them. */
import type { MetricName } from "../../src/analysis/compare/metric.ts";
import type { ComparedCell, Side } from "../../src/analysis/compare/side.ts";
import type { RunManifest } from "../../src/record/run-manifest.ts";
import { madeRun } from "./recorded-run.ts";

export interface MadeCell extends Partial<Omit<ComparedCell, "trials">> {
  /** Of each metric one value per trial. */
  readonly values: Readonly<Partial<Record<MetricName, readonly number[]>>>;
  /** Requests of a trial. */
  readonly requests?: number;
  /** Of each repeat, beside those that were answered; 0 when absent. */
  readonly failed?: readonly number[];
  /** Of each repeat; the same for all when absent. */
  readonly prompts?: readonly string[];
}

export function madeCell({ values, requests = 200, failed, prompts, ...facts }: MadeCell): ComparedCell {
  const trials = Math.max(...Object.values(values).map((list) => list.length));
  const label = facts.label ?? "quick";
  return {
    hash: `hash ${label}`,
    label,
    agents: 4,
    parameters: {},
    effectiveHash: undefined,
    inputPerRequest: 256,
    outputPerRequest: 128,
    requestsPerAgent: undefined,
    models: ["gemma3"],
    engines: ["ollama 0.12"],
    endpoints: [],
    ...facts,
    trials: Array.from({ length: trials }, (_, repeat) => ({
      repeat,
      values: new Map(
        Object.entries(values).flatMap(([metric, list]) => {
          const value = list[repeat];
          return value === undefined ? [] : [[metric as MetricName, value] as const];
        }),
      ),
      requests,
      failed: failed?.[repeat] ?? 0,
      promptFingerprint: prompts?.[repeat] ?? "same",
    })),
  };
}

export interface MadeSide {
  readonly name?: string;
  readonly runId?: string;
  readonly manifest?: Partial<RunManifest>;
  readonly simulated?: boolean;
  readonly blocks?: Side["blocks"];
  readonly otherCells?: readonly ComparedCell[];
}

export function madeSide(cells: readonly ComparedCell[], facts: MadeSide = {}): Side {
  const { name = "run-a", manifest, simulated = false, blocks = "shuffled", otherCells = [] } = facts;
  return {
    name,
    manifest: madeRun([], { runId: facts.runId ?? name, ...manifest }).manifest,
    simulated,
    cells,
    allCells: [...cells, ...otherCells],
    blocks,
  };
}
