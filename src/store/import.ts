/**
 * Results that another program measured become a run directory that is marked as imported, with
 * the files they came from kept unchanged in it. Published figures stay as published; where they
 * do not follow from their own runs, a note says so.
 */
import type { Clock } from "../core/clock.ts";
import { runId, specHash } from "../core/ids.ts";
import { randomStream } from "../core/random.ts";
import type { RunManifest, RunStatus } from "../record/run-manifest.ts";
import { RUN_FORMAT_VERSION } from "../record/run-manifest.ts";
import type { SummaryConfiguration, SummaryOverall, SummaryRecord } from "../record/summary-record.ts";
import { SUMMARY_VERSION } from "../record/summary-record.ts";
import type { ForeignFile } from "./import-form.ts";
import {
  averagesOf,
  configurationsOf,
  contradictions,
  readForeignFile,
  refuseDuplicates,
} from "./import-form.ts";
import { SUMMARY_FILE } from "./record-files.ts";
import { createRunDirectory } from "./run-directory.ts";

export interface ImportOptions {
  readonly files: readonly string[];
  readonly runsDir: string;
  /** For files that name none. */
  readonly scenario: string;
  /** Of the name of the run directory. */
  readonly seed: number;
  readonly slipwayVersion: string;
  readonly command: readonly string[];
  readonly clock: Clock;
}

export interface ImportedRun {
  readonly path: string;
  readonly summary: SummaryRecord;
  /** Published figures that do not follow from the runs beside them. */
  readonly notes: readonly string[];
}

/** Throws IMPORT_INVALID, FILE_NOT_FOUND and what creating a run directory throws. */
export function importResults(options: ImportOptions): ImportedRun {
  const sources = options.files.map((path, index) => readForeignFile(path, `imported-${index + 1}.json`));
  const configurations = sources.flatMap((source) => configurationsOf(source, options.scenario));
  refuseDuplicates(configurations);
  const manifest = manifestOf(options, sources, configurations);
  const summary: SummaryRecord = {
    version: SUMMARY_VERSION,
    run_id: manifest.runId,
    scenario: manifest.scenario,
    simulated: false,
    imported: true,
    configurations: [...configurations],
    overall: overallOf(configurations),
  };
  const notes = configurations.flatMap(contradictions);
  const writer = createRunDirectory({ ...options, manifest, durable: false });
  let status: RunStatus = "failed";
  try {
    for (const source of sources) writer.writeDocument(source.storedAs, source.text);
    for (const message of notes)
      writer.event({ atNs: options.clock.nowNs(), kind: "import-contradiction", message });
    writer.writeDocument(SUMMARY_FILE, summary);
    status = "complete";
  } finally {
    writer.close(status);
  }
  return { path: writer.path, summary, notes };
}

function manifestOf(
  options: ImportOptions,
  sources: readonly ForeignFile[],
  configurations: readonly SummaryConfiguration[],
): RunManifest {
  const scenarios = new Set(configurations.map((one) => one.scenario));
  const scenario = scenarios.size === 1 ? ([...scenarios][0] as string) : options.scenario;
  const startedIso = options.clock.wallIso();
  return {
    formatVersion: RUN_FORMAT_VERSION,
    runId: runId(startedIso, scenario, randomStream(options.seed, "run-id")),
    slipwayVersion: options.slipwayVersion,
    nodeVersion: process.version,
    command: options.command,
    scenario,
    spec: {},
    specHash: specHash(configurations),
    seed: options.seed,
    startedIso,
    status: "running",
    host: { os: "not recorded", gpus: [] },
    endpoints: [],
    simulated: false,
    cells: configurations.map((one) => ({ hash: cellHash(one), label: one.test })),
    plannedTrials: 0,
    imported: { files: sources.map(({ name, storedAs, sha256 }) => ({ name, storedAs, sha256 })) },
  };
}

function cellHash(one: SummaryConfiguration): string {
  return specHash({ test: one.test, scenario: one.scenario, parameters: one.parameters });
}

function overallOf(configurations: readonly SummaryConfiguration[]): SummaryOverall {
  const runs = configurations.flatMap((one) => one.runs);
  return { configurations: configurations.length, runs: runs.length, ...averagesOf(runs) };
}
