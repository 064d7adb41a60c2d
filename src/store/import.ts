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
  /** Published figures that do not follow from the runs beside them, and why there are no averages over all. */
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
  const contradicted = configurations.flatMap(contradictions);
  const notices = apartNotes(configurations);
  const writer = createRunDirectory({ ...options, manifest, durable: false });
  let status: RunStatus = "failed";
  try {
    for (const source of sources) writer.writeDocument(source.storedAs, source.text);
    for (const message of contradicted)
      writer.event({ atNs: options.clock.nowNs(), kind: "import-contradiction", message });
    for (const message of notices) writer.event({ atNs: options.clock.nowNs(), kind: "notice", message });
    writer.writeDocument(SUMMARY_FILE, summary);
    status = "complete";
  } finally {
    writer.close(status);
  }
  return { path: writer.path, summary, notes: [...contradicted, ...notices] };
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

/**
 * Averages only over what may be averaged, as for our own runs: an efficiency of four agents is
 * another quantity than one of two, and other scenarios are other work. Settings may differ. What
 * was counted is counted over all.
 */
function overallOf(configurations: readonly SummaryConfiguration[]): SummaryOverall {
  const runs = configurations.flatMap((one) => one.runs);
  const { contention_runs, ...averages } = averagesOf(runs);
  return {
    configurations: configurations.length,
    runs: runs.length,
    ...(apart(configurations) === undefined ? averages : {}),
    ...(contention_runs === undefined ? {} : { contention_runs }),
  };
}

/** In what the configurations differ, so that they are not averaged. */
function apart(configurations: readonly SummaryConfiguration[]): "scenarios" | "agent counts" | undefined {
  if (new Set(configurations.map((one) => one.scenario)).size > 1) return "scenarios";
  const counts = new Set(configurations.flatMap((one) => one.runs.map(({ agents }) => agents.length)));
  // A run that lists no agent does not say how many there were.
  counts.delete(0);
  return counts.size > 1 ? "agent counts" : undefined;
}

function apartNotes(configurations: readonly SummaryConfiguration[]): readonly string[] {
  const differ = apart(configurations);
  return differ === undefined
    ? []
    : [`no averages over all ${configurations.length} configurations: their ${differ} differ`];
}
