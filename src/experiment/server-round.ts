/** One server from start to end: what it took of memory, and whether it is the server that was asked for. */
import { OperatorError } from "../core/errors.ts";
import { BYTES_PER_MIB, formatBytes, msToNs } from "../core/units.ts";
import type { FleetStatus, SwitchReport } from "../fleet/control/protocol.ts";
import { parseLlamaLog } from "../predict/vram/llama-log.ts";
import type { MemoryLedger } from "../predict/vram/ledger.ts";
import { expectedResidual, knownBytes, observationOf } from "../predict/vram/residual.ts";
import { residencyOf, setBeside } from "../predict/vram/set-beside.ts";
import type { LlamaServerPreset } from "../preset/preset.ts";
import { presetSchema } from "../preset/preset.ts";
import { floorOf } from "./image-room.ts";
import { placeOf, poolBytes, presetLedger } from "../predict/vram/preset-ledger.ts";
import type { StartOutcome, StartRecord } from "./start-record.ts";
import type { Sweep } from "./sweep.ts";
import { noteStart } from "./sweep.ts";
import type { SweepCell } from "./sweep-cells.ts";

/** Drivers give memory back within seconds; two minutes are what a switch of the fleet waits too. */
const MEMORY_BACK_LIMIT_MS = 120_000;
const MEMORY_POLL_MS = 250;

/** Other programs come and go: this much less free than at the beginning still counts as back. */
const BACK_TOLERANCE_BYTES = 64 * BYTES_PER_MIB;
const BACK_TOLERANCE_PART = 0.02;

/** Buffer lines of a log stand at this verbosity; a server writes some ten lines more for each request, at no cost that was measured. */
const BUFFER_VERBOSITY = ["--verbosity", "4"] as const;

/** The longest name of a preset. */
const MAX_NAME = 60;

export interface RunningServer {
  readonly record: StartRecord;
  /** Present when it runs and is fit to be measured. */
  readonly url?: string;
}

/**
 * Starts a cell's server on memory that is back and quiet, and reads it at rest. Throws LOAN_OVER
 * and the signal's reason; whatever the server does is in the record.
 */
export async function startServer(sweep: Sweep, cell: SweepCell): Promise<RunningServer> {
  const excluded = excludedByLedger(sweep, cell);
  if (excluded !== undefined) return { record: noteStart(sweep, excluded) };
  await clear(sweep);
  sweep.onProgress({ kind: "start", cell });
  const before = await sweep.machine.status();
  const preset = cellPreset(sweep, cell);
  const { record, url } = await start(sweep, cell, preset, before.memory.freeBytes);
  noteStart(sweep, record);
  return record.outcome.kind === "fits" && url !== undefined ? { record, url } : { record };
}

/** Nothing but what stands beside runs afterwards, its memory is back, and the quiet time is over. */
export async function clear(sweep: Sweep): Promise<void> {
  const { machine, clock, signal, beside, freeAtRestBytes } = sweep;
  const report = await machine.use(beside, signal);
  if (report.outcome === "rolled-back") throw asError(report);
  const slackBytes = Math.max(BACK_TOLERANCE_BYTES, freeAtRestBytes * BACK_TOLERANCE_PART);
  const untilNs = clock.nowNs() + msToNs(MEMORY_BACK_LIMIT_MS);
  for (;;) {
    const { memory } = await machine.status();
    if (memory.short !== true && memory.freeBytes >= freeAtRestBytes - slackBytes) break;
    if (clock.nowNs() >= untilNs) throw notBack(memory, freeAtRestBytes);
    await clock.sleepUntil(clock.nowNs() + msToNs(MEMORY_POLL_MS), signal);
  }
  await clock.sleepUntil(clock.nowNs() + msToNs(sweep.quiesceMs), signal);
}

/** The next server would be measured on a machine that is not the one of the others. */
function notBack({ freeBytes, short }: FleetStatus["memory"], atRestBytes: number): OperatorError {
  return new OperatorError("MEMORY_NOT_FREED", {
    message: `${formatBytes(freeBytes)} are free ${MEMORY_BACK_LIMIT_MS / 1000} s after the server ended, ${formatBytes(atRestBytes)} were before the first${short === true ? "; the watchdog still lets nobody in" : ""}`,
    nextStep:
      "see what else took memory with slipway status or nvidia-smi, end it, and go on with slipway capacity --resume",
  });
}

function asError({ failure }: SwitchReport): OperatorError {
  const code = failure?.code === "SWITCH_ABORTED" ? "SWITCH_ABORTED" : "PROCESS_FAILED";
  return new OperatorError(code, {
    message: failure?.message ?? "the machine could not be cleared",
    nextStep: failure?.nextStep ?? "see slipway status",
  });
}

/** The cell's server as a preset; what the ledger predicts is its declared memory, so that preflight knows it. */
export function cellPreset(sweep: Sweep, cell: SweepCell): LlamaServerPreset {
  const preset = configured(sweep.base, cell);
  const predictedMib = Math.ceil(poolBytes(ledgerOf(sweep, preset), sweep.pool) / BYTES_PER_MIB);
  const memory = sweep.pool === "gpu" ? { vramMib: predictedMib } : { vramMib: 0, hostMib: predictedMib };
  const verbose = preset.extraArgs.includes(BUFFER_VERBOSITY[0]) ? [] : BUFFER_VERBOSITY;
  return { ...preset, memory, extraArgs: [...preset.extraArgs, ...verbose] };
}

/** The base with the cell's settings, under a name of its own. */
export function configured(base: LlamaServerPreset, cell: SweepCell): LlamaServerPreset {
  const { mmproj, ...rest } = base;
  const name = `${base.name.slice(0, MAX_NAME - cell.name.length - 1)}-${cell.name}`;
  const preset = presetSchema.parse({
    ...rest,
    ...(mmproj === undefined || cell.vision === "off" ? {} : { mmproj }),
    ...cell.configuration,
    name,
    // A port of its own each time: the fixed one may be held by what will run again afterwards.
    port: "free",
    dependsOn: [],
  });
  return preset as LlamaServerPreset;
}

function ledgerOf({ model, pool, residuals }: Sweep, preset: LlamaServerPreset): MemoryLedger {
  const residual = expectedResidual(residuals);
  return presetLedger(preset, model, pool, residual === undefined ? {} : { residual });
}

/** Held against the least that starts on this machine have taken beyond the lines of the ledger. */
function excludedByLedger(sweep: Sweep, cell: SweepCell): StartRecord | undefined {
  const { pool, freeAtRestBytes, residuals } = sweep;
  const preset = configured(sweep.base, cell);
  const floorBytes = floorOf(preset, sweep.floorBytes);
  const ledger = ledgerOf(sweep, preset);
  const leastBytes =
    knownBytes(ledger, placeOf(pool)) + Math.min(0, expectedResidual(residuals)?.lowestBytes ?? 0);
  if (leastBytes + floorBytes <= freeAtRestBytes) return undefined;
  return {
    ...recordOf(sweep, cell, preset, ledger),
    outcome: {
      kind: "excluded",
      reason: `it needs at least ${formatBytes(leastBytes)} and ${formatBytes(floorBytes)} are to stay free; ${formatBytes(freeAtRestBytes)} are there`,
    },
  };
}

function recordOf(
  { pool }: Sweep,
  { name, configuration }: SweepCell,
  preset: LlamaServerPreset,
  ledger: MemoryLedger,
): Omit<StartRecord, "outcome"> {
  const predictedBytes = poolBytes(ledger, pool);
  return { cell: name, preset: preset.name, configuration, pool, predictedBytes, compared: [] };
}

async function start(
  sweep: Sweep,
  cell: SweepCell,
  preset: LlamaServerPreset,
  freeBeforeBytes: number,
): Promise<{ readonly record: StartRecord; readonly url?: string }> {
  const ledger = ledgerOf(sweep, preset);
  const begun = { ...recordOf(sweep, cell, preset, ledger), freeBeforeBytes };
  let report: SwitchReport;
  try {
    report = await sweep.machine.use([...sweep.beside, preset], sweep.signal);
  } catch (thrown) {
    if (!(thrown instanceof OperatorError)) throw thrown;
    const reason = thrown.message;
    if (thrown.code === "PREFLIGHT_FAILED")
      return { record: { ...begun, outcome: { kind: "refused", reason } } };
    // Called off by the watchdog, and not by us.
    if (thrown.code !== "SWITCH_ABORTED" || sweep.signal.aborted) throw thrown;
    return { record: { ...begun, outcome: { kind: "did-not-start", code: thrown.code, reason } } };
  }
  const { failure } = report;
  if (report.outcome === "rolled-back") {
    sweep.signal.throwIfAborted();
    const { code = "PROCESS_FAILED", message = "no cause is known" } = failure ?? {};
    return { record: { ...begun, outcome: { kind: "did-not-start", code, reason: message } } };
  }
  const status = await sweep.machine.status();
  const seen = status.presets.find((one) => one.preset === preset.name);
  const measured = memoryAtRest(status, seen?.usedBytes, freeBeforeBytes);
  sweep.residuals.push(observationOf(ledger, measured.usedBytes, placeOf(sweep.pool)));
  const log = parseLlamaLog(sweep.machine.log(preset.name));
  const residency = residencyOf(log, sweep.model.facts);
  const boot = report.steps.find((step) => step.step === "start" && step.preset === preset.name);
  const record: StartRecord = {
    ...begun,
    ...measured,
    outcome: outcomeOf(sweep.pool, measured.freeBytes, floorOf(preset, sweep.floorBytes), residency),
    ...(boot === undefined ? {} : { bootMs: boot.tookMs }),
    residency: residency.kind,
    compared: setBeside(ledger, log).map(({ item, place, predictedBytes, parsedBytes }) => ({
      item,
      place,
      predictedBytes,
      parsedBytes,
    })),
  };
  return { record, ...(seen?.url === undefined ? {} : { url: seen.url }) };
}

function memoryAtRest(
  { memory }: FleetStatus,
  processBytes: number | undefined,
  freeBeforeBytes: number,
): { readonly usedBytes: number; readonly usedFrom: "processes" | "pool"; readonly freeBytes: number } {
  const { freeBytes } = memory;
  return processBytes === undefined
    ? { usedBytes: freeBeforeBytes - freeBytes, usedFrom: "pool", freeBytes }
    : { usedBytes: processBytes, usedFrom: "processes", freeBytes };
}

function outcomeOf(
  pool: Sweep["pool"],
  freeBytes: number,
  floorBytes: number,
  residency: ReturnType<typeof residencyOf>,
): StartOutcome {
  if (residency.kind === "not-resident") return { kind: "not-resident", reason: residency.reason };
  if (pool === "gpu" && residency.kind === "host-only")
    return { kind: "not-resident", reason: "the server uses no GPU" };
  if (freeBytes < floorBytes)
    return {
      kind: "too-tight",
      reason: `${formatBytes(freeBytes)} are free with it at rest, ${formatBytes(floorBytes)} are to stay so`,
    };
  return { kind: "fits" };
}
