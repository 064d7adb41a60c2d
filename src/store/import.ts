/**
 * Takes in results that another program measured, in the form of the dual-instance study: per
 * configuration its runs with the published fields, or the averages alone. They become a run
 * directory that is marked as imported, with the files they came from kept unchanged in it.
 * Published figures stay as published; where they do not follow from their own runs, a note says so.
 */
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { z } from "zod";
import type { Clock } from "../core/clock.ts";
import { OperatorError, messageOf } from "../core/errors.ts";
import { readTextFile } from "../core/file.ts";
import { runId, specHash } from "../core/ids.ts";
import { MAX_DOCUMENT_BYTES, MAX_JSON_DEPTH } from "../core/limits.ts";
import { randomStream } from "../core/random.ts";
import { parseWith } from "../core/yaml.ts";
import { nestsDeeper } from "../record/parse.ts";
import type { RunManifest, RunStatus } from "../record/run-manifest.ts";
import { RUN_FORMAT_VERSION } from "../record/run-manifest.ts";
import type {
  SummaryConfiguration,
  SummaryOverall,
  SummaryRecord,
  SummaryRun,
} from "../record/summary-record.ts";
import {
  SUMMARY_VERSION,
  summaryAgentSchema,
  summaryConfigurationSchema,
  summaryRunSchema,
} from "../record/summary-record.ts";
import { SUMMARY_FILE } from "./record-files.ts";
import { createRunDirectory } from "./run-directory.ts";

const foreignRun = summaryRunSchema.extend({
  run: z.int().min(1).exactOptional(),
  agents: z.array(summaryAgentSchema).default([]),
});

const foreignConfiguration = summaryConfigurationSchema
  .extend({
    test: z.string().min(1).exactOptional(),
    scenario: z.string().min(1).exactOptional(),
    parameters: summaryConfigurationSchema.shape.parameters.default({}),
    runs: z.array(foreignRun).default([]),
  })
  .refine(
    (one) =>
      one.runs.length > 0 ||
      one.average_efficiency !== undefined ||
      one.average_concurrency_speedup !== undefined,
    { message: "needs runs, average_efficiency or average_concurrency_speedup" },
  );

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
  const sources = options.files.map((path, index) => readSource(path, `imported-${index + 1}.json`));
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
  sources: readonly Source[],
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

interface Source {
  readonly path: string;
  readonly name: string;
  readonly storedAs: string;
  readonly text: string;
  readonly sha256: string;
  readonly value: unknown;
}

function readSource(path: string, storedAs: string): Source {
  const sizeBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (sizeBytes > MAX_DOCUMENT_BYTES)
    throw invalid(
      `${path} is too large`,
      `${sizeBytes} bytes`,
      `split it: the limit is ${MAX_DOCUMENT_BYTES} bytes`,
    );
  const text = readTextFile(path);
  const sha256 = createHash("sha256").update(text).digest("hex");
  let value: unknown;
  try {
    // A byte-order mark is what some systems begin a text file with; JSON knows none.
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (thrown) {
    throw invalid(`${path} is not JSON`, messageOf(thrown), FORM);
  }
  if (nestsDeeper(value, MAX_JSON_DEPTH))
    throw invalid(`${path} nests too deep`, `more than ${MAX_JSON_DEPTH} levels`, FORM);
  return { path, name: basename(path), storedAs, text, sha256, value: withoutNulls(value) };
}

const FORM =
  "docs/run-directory.md shows the form: one configuration, a list of them, or an object with configurations";

function invalid(message: string, received: unknown, nextStep: string, cause?: unknown): OperatorError {
  return new OperatorError("IMPORT_INVALID", {
    message,
    received,
    nextStep,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Foreign programs write null for what they do not know; here the unknown is absent. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  const known = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(known.map(([name, member]) => [name, withoutNulls(member)]));
}

function configurationsOf(source: Source, scenario: string): readonly SummaryConfiguration[] {
  const { items, at } = listOf(source.value);
  if (items.length === 0) throw invalid(`${source.path} holds no configuration`, "an empty list", FORM);
  return items.map((item, index) => {
    const where = at === undefined ? source.path : `${source.path}, ${at}[${index}]`;
    const { runs, ...rest } = parsed(item, where);
    const fallback = at === undefined ? fileLabel(source.path) : `${fileLabel(source.path)}-${index + 1}`;
    const numbered: readonly SummaryRun[] = runs.map((run, position) => ({
      ...run,
      run: run.run ?? position + 1,
    }));
    return { scenario, test: fallback, ...averagesOf(numbered), ...rest, runs: [...numbered] };
  });
}

function listOf(value: unknown): { readonly items: readonly unknown[]; readonly at?: string } {
  if (Array.isArray(value)) return { items: value, at: "entry " };
  if (typeof value === "object" && value !== null && "configurations" in value) {
    const { configurations } = value;
    if (Array.isArray(configurations)) return { items: configurations, at: "configurations" };
  }
  return { items: [value] };
}

function parsed(item: unknown, where: string): z.output<typeof foreignConfiguration> {
  try {
    return parseWith(foreignConfiguration, item, where);
  } catch (thrown) {
    if (!(thrown instanceof OperatorError)) throw thrown;
    throw invalid(thrown.message, thrown.received, `correct the field; ${FORM}`, thrown);
  }
}

/** The study keeps one `summary.json` per test in a folder of the test's name. */
function fileLabel(path: string): string {
  const name = basename(path, extname(path));
  return name === "summary" ? basename(dirname(resolve(path))) || name : name;
}

function refuseDuplicates(configurations: readonly SummaryConfiguration[]): void {
  const seen = new Set<string>();
  for (const one of configurations) {
    if (seen.has(one.test))
      throw invalid(
        "two configurations have the same name",
        `test = ${one.test}`,
        "give each its own field test",
      );
    seen.add(one.test);
  }
}

function cellHash(one: SummaryConfiguration): string {
  return specHash({ test: one.test, scenario: one.scenario, parameters: one.parameters });
}

type Averages = Pick<
  SummaryConfiguration,
  | "average_concurrency_speedup"
  | "average_efficiency"
  | "average_throughput_delta"
  | "average_ttft_delta_ms"
  | "contention_runs"
>;

/** Plain means over the runs that have the figure; what no run has is absent. */
function averagesOf(runs: readonly SummaryRun[]): Averages {
  const speedup = meanOf(runs.map((run) => run.concurrency_speedup));
  const efficiency = meanOf(runs.map((run) => run.efficiency_percent));
  const throughput = meanOf(runs.map((run) => run.throughput_delta));
  const ttft = meanOf(runs.map((run) => run.ttft_delta_ms));
  const decided = runs.flatMap((run) => run.resource_contention_detected ?? []);
  return {
    ...(speedup === undefined ? {} : { average_concurrency_speedup: speedup }),
    ...(efficiency === undefined ? {} : { average_efficiency: efficiency }),
    ...(throughput === undefined ? {} : { average_throughput_delta: throughput }),
    ...(ttft === undefined ? {} : { average_ttft_delta_ms: ttft }),
    ...(decided.length === 0 ? {} : { contention_runs: decided.filter(Boolean).length }),
  };
}

function meanOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function overallOf(configurations: readonly SummaryConfiguration[]): SummaryOverall {
  const runs = configurations.flatMap((one) => one.runs);
  return { configurations: configurations.length, runs: runs.length, ...averagesOf(runs) };
}

/** Published figures are rounded to three or four places; a difference above half a percent is no rounding. */
const ROUNDING_PCT = 0.5;

/** The study's efficiency is per two agents; a file that lists its agents says how many there were. */
const STUDY_AGENTS = 2;

function contradictions(one: SummaryConfiguration): readonly string[] {
  const means = averagesOf(one.runs);
  const notes: string[] = [];
  for (const name of ["average_concurrency_speedup", "average_efficiency"] as const) {
    const published = one[name];
    const mean = means[name];
    if (published !== undefined && mean !== undefined && differ(published, mean))
      notes.push(`${one.test}: ${name} is given as ${published}, its runs give ${mean.toFixed(4)}`);
  }
  if (means.contention_runs !== undefined && one.contention_runs !== means.contention_runs)
    notes.push(
      `${one.test}: contention_runs is given as ${one.contention_runs}, its runs give ${means.contention_runs}`,
    );
  for (const run of one.runs) {
    const agents = run.agents.length === 0 ? STUDY_AGENTS : run.agents.length;
    const expected = (run.concurrency_speedup / agents) * 100;
    if (differ(run.efficiency_percent, expected))
      notes.push(
        `${one.test} run ${run.run}: efficiency_percent is given as ${run.efficiency_percent}, its speedup gives ${expected.toFixed(2)}`,
      );
  }
  return notes;
}

function differ(published: number, computed: number): boolean {
  return Math.abs(published - computed) > (Math.abs(computed) * ROUNDING_PCT) / 100;
}
