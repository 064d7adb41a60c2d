/**
 * Results that another program measured, in the form of the dual-instance study: per configuration
 * its runs with the published fields, or the averages alone.
 */
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { z } from "zod";
import { OperatorError, messageOf } from "../core/errors.ts";
import { readTextFile } from "../core/file.ts";
import { MAX_DOCUMENT_BYTES, MAX_JSON_DEPTH } from "../core/limits.ts";
import { parseWith } from "../core/yaml.ts";
import { nestsDeeper } from "../record/parse-line.ts";
import type { SummaryConfiguration, SummaryRun } from "../record/summary-record.ts";
import {
  summaryAgentSchema,
  summaryConfigurationSchema,
  summaryRunSchema,
} from "../record/summary-record.ts";

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

export interface ForeignFile {
  readonly path: string;
  readonly name: string;
  readonly storedAs: string;
  readonly text: string;
  readonly sha256: string;
  readonly value: unknown;
}

export function readForeignFile(path: string, storedAs: string): ForeignFile {
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

export function configurationsOf(source: ForeignFile, scenario: string): readonly SummaryConfiguration[] {
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

export function refuseDuplicates(configurations: readonly SummaryConfiguration[]): void {
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

type Averages = Pick<
  SummaryConfiguration,
  | "average_concurrency_speedup"
  | "average_efficiency"
  | "average_throughput_delta"
  | "average_ttft_delta_ms"
  | "contention_runs"
>;

/** Plain means over the runs that have the figure; what no run has is absent. */
export function averagesOf(runs: readonly SummaryRun[]): Averages {
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

/** Published figures are rounded to three or four places; a difference above half a percent is no rounding. */
const ROUNDING_PCT = 0.5;

/** The study's efficiency is per two agents; a file that lists its agents says how many there were. */
const STUDY_AGENTS = 2;

export function contradictions(one: SummaryConfiguration): readonly string[] {
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
