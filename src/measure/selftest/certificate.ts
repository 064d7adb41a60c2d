/**
 * The error certificate: how far this machine's stamps are from the truth, for how many streams and
 * how many events a second. It is kept beside the operator's caches and put into every run's
 * manifest, so that each figure travels with its error.
 */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, platform, release, type as systemType } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { writeFileWhole } from "../../core/file.ts";
import { specHash } from "../../core/ids.ts";

const CERTIFICATE_VERSION = 1;

const errorsSchema = z.object({
  events: z.number(),
  biasMs: z.number().exactOptional(),
  p50Ms: z.number().exactOptional(),
  p99Ms: z.number().exactOptional(),
  maxMs: z.number().exactOptional(),
});

const cellSchema = z.object({
  plan: z.object({
    streams: z.number(),
    tokensPerS: z.number(),
    pattern: z.enum(["spread", "lockstep"]),
    seconds: z.number(),
  }),
  events: z.number(),
  brokenStreams: z.number(),
  offeredEventsPerS: z.number(),
  writtenEventsPerS: z.number(),
  firstEvents: errorsSchema,
  startBurst: errorsSchema,
  steady: errorsSchema,
  all: errorsSchema,
  sharedStampPct: z.number(),
  emitterLag: z.object({ events: z.number(), p50Ms: z.number(), p99Ms: z.number(), maxMs: z.number() }),
});

const machineSchema = z.object({
  cpuModel: z.string().exactOptional(),
  logicalCores: z.number(),
  os: z.string(),
  nodeVersion: z.string(),
});

const verdictSchema = z.object({
  /** The highest rate of events that was kept up with; absent when none was. */
  highestEventsPerS: z.number().exactOptional(),
  /** Up to how many streams the stamps hold, at each rate of the grid; 0 when at none. */
  trusted: z.array(z.object({ tokensPerS: z.number(), streams: z.number() })),
});

const certificateSchema = z.object({
  v: z.literal(CERTIFICATE_VERSION),
  createdIso: z.string(),
  machine: machineSchema,
  /** The host's load average over the minute before: what else was running. Absent where the system has none. */
  loadAverage1Before: z.number().exactOptional(),
  grid: z.enum(["quick", "full", "custom"]),
  cells: z.array(cellSchema),
  verdict: verdictSchema,
});

export type Certificate = Readonly<z.infer<typeof certificateSchema>>;
export type CertifiedCell = Certificate["cells"][number];
export type CertificateMachine = Certificate["machine"];

/** Kept up with: half of all events are stamped within this. What falls behind grows far past it. */
const KEPT_UP_P50_MS = 5;

/** Trusted: 99 of 100 stamps, start burst included, are within this; the fastest TTFTs are some 50 ms. */
const TRUSTED_P99_MS = 10;

export interface SelftestFacts {
  readonly machine: CertificateMachine;
  readonly createdIso: string;
  readonly loadAverage1Before?: number;
  readonly grid: Certificate["grid"];
}

export function certify(facts: SelftestFacts, cells: readonly CertifiedCell[]): Certificate {
  const rates = cells.filter(keepsUp).map((cell) => cell.writtenEventsPerS);
  const tokenRates = [...new Set(cells.map((cell) => cell.plan.tokensPerS))].sort((a, b) => a - b);
  return {
    v: CERTIFICATE_VERSION,
    ...facts,
    cells: [...cells],
    verdict: {
      ...(rates.length === 0 ? {} : { highestEventsPerS: Math.max(...rates) }),
      trusted: tokenRates.map((tokensPerS) => ({ tokensPerS, streams: trustedStreams(cells, tokensPerS) })),
    },
  };
}

function keepsUp(cell: CertifiedCell): boolean {
  return cell.brokenStreams === 0 && (cell.all.p50Ms ?? Number.POSITIVE_INFINITY) < KEPT_UP_P50_MS;
}

/** A cell with too few events for a p99 is judged by its median alone: one hiccup says nothing. */
function isTrusted(cell: CertifiedCell): boolean {
  return keepsUp(cell) && (cell.all.p99Ms ?? 0) < TRUSTED_P99_MS;
}

/** The largest concurrency up to which every cell of this rate holds. */
function trustedStreams(cells: readonly CertifiedCell[], tokensPerS: number): number {
  const ofRate = cells.filter((cell) => cell.plan.tokensPerS === tokensPerS);
  const failing = ofRate.filter((cell) => !isTrusted(cell)).map((cell) => cell.plan.streams);
  const lowestFailing = Math.min(...failing, Number.POSITIVE_INFINITY);
  return Math.max(0, ...ofRate.map((cell) => cell.plan.streams).filter((streams) => streams < lowestFailing));
}

/** What the figures depend on: processor, cores, kernel and Node. */
export function describeMachine(): CertificateMachine {
  const cpuModel = cpus()[0]?.model.trim() ?? "";
  return {
    ...(cpuModel === "" ? {} : { cpuModel }),
    logicalCores: availableParallelism(),
    os: `${systemType()} ${release()}`,
    nodeVersion: process.version,
  };
}

/** Windows keeps no load average: its zeros are not a quiet machine. */
export function readLoadAverage1(): number | undefined {
  return platform() === "win32" ? undefined : loadavg()[0];
}

/**
 * Where a machine's certificate is kept: a cache, since it can be measured again, and one file per
 * machine and Node version, since home directories are shared and upgrades change the figures.
 */
export function certificatePath(
  machine: CertificateMachine,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const cache = env["XDG_CACHE_HOME"] ?? join(env["HOME"] ?? ".", ".cache");
  return join(cache, "slipway", `certificate-${specHash(machine)}.json`);
}

/** Throws DISK_FULL or DIRECTORY_UNWRITABLE. */
export function saveCertificate(path: string, certificate: Certificate): void {
  writeFileWhole(path, `${JSON.stringify(certificate, null, 2)}\n`);
}

/** `undefined` when there is none, or none of this version: a cache that cannot be read is no certificate. */
export function loadCertificate(path: string): Certificate | undefined {
  try {
    return certificateSchema.safeParse(JSON.parse(readFileSync(path, "utf8"))).data;
  } catch {
    return undefined;
  }
}
