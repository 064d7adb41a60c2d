/** Results that another program measured, as a side of a comparison: there are figures and no records. */
import type { RunManifest } from "../../record/run-manifest.ts";
import type { SummaryConfiguration, SummaryRecord, SummaryRun } from "../../record/summary-record.ts";
import { mean } from "../../stats/quantile.ts";
import type { MetricName } from "./metric.ts";
import type { ComparedCell, ComparedTrial, Side } from "./side.ts";

/** Its trials are independent samples: nothing is known of the order they ran in or of their prompts. */
export function importedSide(name: string, manifest: RunManifest, summary: SummaryRecord): Side {
  const cells = summary.configurations.map(importedCell);
  return { name, manifest, simulated: summary.simulated, cells, allCells: cells, blocks: "unknown" };
}

function importedCell(configuration: SummaryConfiguration): ComparedCell {
  const { test, cell_hash: hash, parameters, runs } = configuration;
  return {
    hash: hash ?? test,
    label: test,
    agents: agentsOf(runs[0]),
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([key, value]) => [key, Array.isArray(value) ? value.join(",") : value]),
    ),
    effectiveHash: undefined,
    trials: runs.map(importedTrial),
    inputPerRequest: undefined,
    outputPerRequest: undefined,
    requestsPerAgent: undefined,
    models: [],
    engines: [],
    endpoints: [],
  };
}

/** Failures count only beside the requests that were answered: without these they are a share of nothing known. */
function importedTrial(run: SummaryRun): ComparedTrial {
  const answered = run.agents.map((agent) => agent.requests);
  const known = answered.filter((requests) => requests !== undefined);
  const whole = known.length > 0 && known.length === answered.length;
  return {
    repeat: run.run - 1,
    values: valuesOf(run),
    requests: known.reduce((total, requests) => total + requests, 0),
    failed: whole ? run.failures : undefined,
    promptFingerprint: "",
  };
}

/** Where the agents are not listed, efficiency says how many they were: speedup ÷ agents × 100. */
function agentsOf(run: SummaryRun | undefined): number {
  if (run === undefined) return 0;
  return run.agents.length || Math.round((run.concurrency_speedup / run.efficiency_percent) * 100);
}

function valuesOf(run: SummaryRun): ReadonlyMap<MetricName, number> {
  const kept = run.agents.map((agent) => agent.retention);
  const known = kept.filter((value) => value !== undefined);
  const figures: Partial<Record<MetricName, number | undefined>> = {
    balanceIndex: run.concurrency_speedup,
    trueSpeedup: run.true_speedup,
    aggregateGain: run.aggregate_gain,
    aggregateTps: run.aggregate_throughput_tok_s,
    fairness: run.jain_index,
    wallMs: run.wall_ms,
    retention: known.length === kept.length ? mean(known) : undefined,
  };
  return new Map(
    Object.entries(figures).flatMap(([metric, value]) =>
      value === undefined ? [] : [[metric as MetricName, value] as const],
    ),
  );
}
