/** What may come in as a whole document of a run: its manifest and its summary. Each is checked by a schema, once. */
import { z } from "zod";
import { OperatorError } from "../core/errors.ts";
import { MAX_JSON_DEPTH } from "../core/limits.ts";
import { isFields, nestsDeeper } from "./parse-line.ts";
import type { RunManifest } from "./run-manifest.ts";
import { RUN_FORMAT_VERSION } from "./run-manifest.ts";
import type { SummaryRecord } from "./summary-record.ts";
import { SUMMARY_VERSION, summarySchema } from "./summary-record.ts";

const endpointFacts = z.looseObject({
  name: z.string(),
  url: z.string(),
  engine: z.string(),
  simulated: z.boolean(),
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});

const gpuSummary = z.looseObject({ index: z.int(), name: z.string() });

/** Loose, so that a field which a later version adds survives when this one rewrites the manifest. */
const manifestSchema = z.looseObject({
  formatVersion: z.literal(RUN_FORMAT_VERSION),
  runId: z.string().min(1),
  slipwayVersion: z.string(),
  nodeVersion: z.string(),
  command: z.array(z.string()),
  scenario: z.string(),
  spec: z.unknown(),
  specHash: z.string(),
  seed: z.number(),
  startedIso: z.iso.datetime(),
  endedIso: z.iso.datetime().exactOptional(),
  status: z.enum(["running", "complete", "interrupted", "failed"]),
  host: z.looseObject({ os: z.string(), gpus: z.array(gpuSummary) }),
  endpoints: z.array(endpointFacts),
  simulated: z.boolean(),
  cells: z.array(z.looseObject({ hash: z.string(), label: z.string() })),
  plannedTrials: z.int().min(0),
  imported: z
    .looseObject({
      files: z.array(z.looseObject({ name: z.string(), storedAs: z.string(), sha256: z.string() })),
    })
    .exactOptional(),
});

/** Throws RUN_VERSION_UNKNOWN for another format, RUN_DAMAGED for anything that is no manifest. */
export function parseManifest(value: unknown, source: string): RunManifest {
  const version = isFields(value) ? value["formatVersion"] : undefined;
  if (version !== undefined && version !== RUN_FORMAT_VERSION)
    throw unknownVersion(source, version, RUN_FORMAT_VERSION);
  const problem = nestsDeeper(value, MAX_JSON_DEPTH)
    ? `nests deeper than ${MAX_JSON_DEPTH} levels`
    : schemaProblem(manifestSchema, value);
  if (problem !== undefined)
    throw new OperatorError("RUN_DAMAGED", {
      message: `${source} is not a run manifest`,
      received: problem,
      nextStep: "restore manifest.json from a copy; the record files beside it are plain JSON lines",
    });
  return value as RunManifest;
}

/** Throws RUN_VERSION_UNKNOWN for another version, RUN_DAMAGED for anything that is no summary. */
export function parseSummary(value: unknown, source: string): SummaryRecord {
  const version = isFields(value) ? value["version"] : undefined;
  if (version !== undefined && version !== SUMMARY_VERSION)
    throw unknownVersion(source, version, SUMMARY_VERSION);
  const problem = schemaProblem(summarySchema, value);
  if (problem === undefined) return value as SummaryRecord;
  throw new OperatorError("RUN_DAMAGED", {
    message: `${source} is not a summary`,
    received: problem,
    nextStep: "restore it from a copy, or make it again from the records with slipway report",
  });
}

/** The first rule that a value breaks under a schema, with the field and what stood there. */
function schemaProblem(schema: z.ZodType, value: unknown): string | undefined {
  const result = schema.safeParse(value);
  const issue = result.success ? undefined : result.error.issues[0];
  return issue === undefined ? undefined : `field ${issue.path.join(".") || "(top level)"}: ${issue.message}`;
}

export function unknownVersion(source: string, version: unknown, known: number): OperatorError {
  return new OperatorError("RUN_VERSION_UNKNOWN", {
    message: `${source} has a format version this program does not know; it knows ${known}`,
    received: version,
    nextStep: "read the run with the Slipway version named in its manifest.json, or a newer one",
  });
}
