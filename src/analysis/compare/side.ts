/** One side of a comparison: cells with one value per metric and trial, whatever they were read from. */
import type { EndpointFacts, RunManifest } from "../../record/run-manifest.ts";
import type { RunAnalysis } from "../analyse-run.ts";
import type { BlockAnalysis } from "../block.ts";
import type { CellAnalysis } from "../cell.ts";
import { plannedScenario } from "../planned-scenario.ts";
import type { MetricName } from "./metric.ts";
import { METRIC_NAMES, metricOf } from "./metric.ts";

export interface ComparedTrial {
  readonly repeat: number;
  readonly values: ReadonlyMap<MetricName, number>;
  /** Requests that were answered: a percentile of this trial is taken over them. */
  readonly requests: number;
  /** Requests that failed, timeouts among them; absent where nothing is known of failures. */
  readonly failed: number | undefined;
  /** Equal for equal prompts at equal positions of every agent. */
  readonly promptFingerprint: string;
}

export interface ComparedCell {
  readonly hash: string;
  readonly label: string;
  readonly agents: number;
  readonly parameters: CellAnalysis["parameters"];
  readonly effectiveHash: string | undefined;
  /** In the order of their repeats. */
  readonly trials: readonly ComparedTrial[];
  /** Means per request over all trials; a workload is another one when these differ. */
  readonly inputPerRequest: number | undefined;
  readonly outputPerRequest: number | undefined;
  /** Asked for, failed ones included; absent where a set time decided how many. */
  readonly requestsPerAgent: number | undefined;
  readonly models: readonly string[];
  readonly engines: readonly string[];
  /** The servers its agents used, as the manifest has them. */
  readonly endpoints: readonly EndpointFacts[];
}

export interface Side {
  /** As the person named it. */
  readonly name: string;
  readonly manifest: RunManifest;
  readonly simulated: boolean;
  readonly cells: readonly ComparedCell[];
  /** Of the whole run, those that do not take part included: among them may be repeats of the same settings. */
  readonly allCells: readonly ComparedCell[];
  /**
   * Trials of one repeat ran next to each other; `shuffled` also in an order that chance decided.
   * `unknown`: nothing says that they did.
   */
  readonly blocks: "shuffled" | "in-order" | "unknown";
}

/** `cells`: those of the analysis that take part; all of them where absent. */
export function sideOf(
  name: string,
  analysis: RunAnalysis,
  cells: readonly CellAnalysis[] = analysis.cells,
): Side {
  const allCells = analysis.cells.map((cell) => comparedCell(cell, analysis.manifest));
  const hashes = new Set(cells.map((cell) => cell.hash));
  return {
    name,
    manifest: analysis.manifest,
    simulated: analysis.simulated,
    cells: allCells.filter((cell) => hashes.has(cell.hash)),
    allCells,
    blocks: blocksOf(analysis.manifest.spec),
  };
}

function comparedCell(cell: CellAnalysis, manifest: RunManifest): ComparedCell {
  const agents = cell.blocks.flatMap((block) => block.agents);
  const names = new Set(cell.agents.flatMap((agent) => agent.endpoints));
  const endpoints = manifest.endpoints.filter((endpoint) => names.has(endpoint.name));
  return {
    hash: cell.hash,
    label: cell.label,
    agents: cell.agentNames.length,
    parameters: cell.parameters,
    effectiveHash: cell.effectiveHash,
    trials: cell.blocks.map(comparedTrial),
    inputPerRequest: meanKnown(agents.map(({ together }) => together.inputPerRequest)),
    outputPerRequest: meanKnown(agents.map(({ together }) => together.outputPerRequest)),
    requestsPerAgent: requestsPerAgent(cell.blocks),
    endpoints,
    models: distinct(endpoints.map((endpoint) => endpoint.model)),
    engines: distinct(endpoints.map(({ engine, version }) => [engine, version].filter(Boolean).join(" "))),
  };
}

function comparedTrial(block: BlockAnalysis): ComparedTrial {
  const values = new Map<MetricName, number>();
  for (const name of METRIC_NAMES) {
    const value = metricOf(name).of(block);
    if (value !== undefined) values.set(name, value);
  }
  return {
    repeat: block.repeat,
    values,
    requests: block.figures.pooled.requests,
    failed: block.failures,
    promptFingerprint: block.agents
      .map(({ together }) => `${together.agent} ${together.promptFingerprint}`)
      .join("\n"),
  };
}

function requestsPerAgent(blocks: readonly BlockAnalysis[]): number | undefined {
  if (blocks.some(({ figures }) => figures.windowMs !== undefined)) return undefined;
  const agents = blocks.flatMap((block) => block.agents);
  return meanKnown(agents.map(({ together }) => together.requests + together.failed + together.cancelled));
}

/** The plan shuffles the cells of one repeat among themselves unless the scenario says otherwise. */
function blocksOf(spec: unknown): Side["blocks"] {
  const scenario = plannedScenario(spec);
  if (scenario === undefined) return "unknown";
  return scenario.order === "interleaved" ? "shuffled" : "in-order";
}

function meanKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0) / known.length;
}

function distinct(values: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(values.filter((value) => value !== undefined && value !== ""))] as readonly string[];
}
