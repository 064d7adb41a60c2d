/** One sweep from flags to the knee. What was measured is kept whatever happens on the way. */
import { resolve } from "node:path";
import { OperatorError } from "../../core/errors.ts";
import { runId, specHash } from "../../core/ids.ts";
import { entropySeed, randomStream } from "../../core/random.ts";
import { memoryPhase } from "../../experiment/memory-phase.ts";
import { clear } from "../../experiment/server-round.ts";
import type { ServerModel } from "../../predict/vram/preset-ledger.ts";
import { readServerModel } from "../../predict/vram/preset-ledger.ts";
import { speedPhase } from "../../experiment/speed-phase.ts";
import type { Sweep } from "../../experiment/sweep.ts";
import type { SweepCell } from "../../experiment/sweep-cells.ts";
import { roleTooLarge } from "../../experiment/sweep-cells.ts";
import { readMemoryBook, writeMemoryBook } from "../../fleet/memory-book.ts";
import { detectHost } from "../../hardware/detect.ts";
import { startClientHealth } from "../../measure/client-health.ts";
import { startTelemetry } from "../../measure/telemetry.ts";
import type { LlamaServerPreset } from "../../preset/preset.ts";
import type { EndpointFacts, HostSummary, RunManifest, RunStatus } from "../../record/run-manifest.ts";
import { RUN_FORMAT_VERSION } from "../../record/run-manifest.ts";
import { findRun } from "../../store/list-runs.ts";
import { readRun } from "../../store/read-run.ts";
import { planResume } from "../../store/resume.ts";
import type { RunWriter } from "../../store/run-directory.ts";
import { createRunDirectory, openRunDirectory } from "../../store/run-directory.ts";
import { cellsOf } from "../../workload/matrix.ts";
import type { PlannedTrial } from "../../workload/trial-plan.ts";
import { planTrials } from "../../workload/trial-plan.ts";
import { loadMachineCertificate } from "../bench/machine-certificate.ts";
import type { BuildSupervisor } from "../fleet/up-session.ts";
import { hostSummary } from "../host-summary.ts";
import type { CliIo, ExitCode } from "../io.ts";
import { slipwayVersion } from "../version.ts";
import { finishSweep } from "./finish.ts";
import type { RawCapacityFlags } from "./flags.ts";
import { refused, wholeNumber } from "./flags.ts";
import type { BorrowedMachine } from "./machine.ts";
import { borrowForSweep } from "./machine.ts";
import { eventsOf } from "./outcome.ts";
import { SweepTeller } from "./progress.ts";
import type { CapacitySpec } from "./spec.ts";
import { cellsOfSpec, newCapacitySpec, parseCapacitySpec } from "./spec.ts";

/** Study 003 waited this long between configurations, 5 s while it only looked at memory. Without a GPU there is no driver to wait for. */
const QUIESCE_MS = { gpu: 8_000, host: 500 } as const;

interface Session {
  readonly spec: CapacitySpec;
  readonly model: ServerModel;
  readonly writer: RunWriter;
  readonly planned: readonly PlannedTrial[];
  /** Of those, what no attempt before has completed. */
  readonly trials: readonly PlannedTrial[];
  readonly known: ReturnType<typeof eventsOf>["starts"];
}

/** Throws what flags, files and the supervisor throw; whatever servers do is in the records. */
export async function runCapacity(
  study: string | undefined,
  flags: RawCapacityFlags,
  io: CliIo,
  build: BuildSupervisor,
): Promise<ExitCode> {
  const session = flags.resume === undefined ? await begin(study, flags, io) : resume(study, flags, io);
  io.err(`run directory: ${session.writer.path}\n`);
  let status: RunStatus = "failed";
  try {
    status = await sweepOnLoan(session, flags, io, build);
  } catch (thrown) {
    if (!io.interrupted.aborted) throw kept(thrown, session.writer, flags);
    status = "interrupted";
  } finally {
    if (status === "failed") session.writer.close(status);
  }
  return finishSweep({ ...session, status }, flags, io);
}

async function begin(study: string | undefined, flags: RawCapacityFlags, io: CliIo): Promise<Session> {
  const spec = newCapacitySpec(study, flags, io);
  const model = readServerModel(spec.capacity.preset as LlamaServerPreset);
  const trials = planTrials(spec.scenario, cellsOf(spec.scenario), spec.seed);
  const host = hostSummary(await detectHost({ clock: io.clock }));
  const writer = createRunDirectory({
    runsDir: resolve(io.cwd, flags.runsDir),
    manifest: newManifest(spec, trials, host, io),
    durable: false,
    clock: io.clock,
  });
  return { spec, model, writer, planned: trials, trials, known: new Map() };
}

function resume(study: string | undefined, flags: RawCapacityFlags, io: CliIo): Session {
  if (study !== undefined || flags.preset !== undefined || flags.model !== undefined)
    throw refused("--resume", flags.resume ?? "", "goes on with the run's own server and study; name none");
  const path = findRun(resolve(io.cwd, flags.runsDir), flags.resume ?? "", io.cwd);
  const run = readRun(path);
  const spec = parseCapacitySpec(run.manifest.spec, run.manifest.runId);
  const planned = planTrials(spec.scenario, cellsOf(spec.scenario), spec.seed);
  const { complete, missing } = planResume(run, run.manifest.specHash, planned);
  io.err(`resuming ${run.manifest.runId}: ${complete.length} of ${planned.length} trials are done\n`);
  const model = readServerModel(spec.capacity.preset as LlamaServerPreset);
  const { starts } = eventsOf(run);
  const writer = openRunDirectory({ path, durable: false, clock: io.clock });
  return { spec, model, writer, planned, trials: missing, known: starts };
}

/** The machine is given back whatever happens; that it was not is an error of its own. */
async function sweepOnLoan(
  session: Session,
  flags: RawCapacityFlags,
  io: CliIo,
  build: BuildSupervisor,
): Promise<RunStatus> {
  const { runId: id } = session.writer.manifest;
  const borrowed = await borrowForSweep(`slipway capacity, run ${id}`, flags, io, build);
  try {
    await sweep(session, borrowed, flags, io);
    return "complete";
  } catch (thrown) {
    if (borrowed.machine.over.aborted) throw borrowed.machine.over.reason;
    throw thrown;
  } finally {
    await giveBack(borrowed, io);
  }
}

async function giveBack(borrowed: BorrowedMachine, io: CliIo): Promise<void> {
  try {
    const { notPutBack = [] } = await borrowed.giveBack();
    for (const { preset, message } of notPutBack)
      io.err(`${preset ?? "a preset"} could not be put back: ${message}\n`);
  } catch (thrown) {
    // It ended from the other side, and what ran before is that side's.
    if (!(thrown instanceof OperatorError) || !borrowed.machine.over.aborted) throw thrown;
  }
}

async function sweep(
  session: Session,
  borrowed: BorrowedMachine,
  flags: RawCapacityFlags,
  io: CliIo,
): Promise<void> {
  const { spec, writer, trials } = session;
  const { machine, stateDirectory } = borrowed;
  const signal = AbortSignal.any([io.interrupted, machine.over]);
  const teller = new SweepTeller(io, spec.scenario.durationMs ?? 0);
  const parts = await prepared(session, borrowed, flags, io, signal, teller);
  const cells = cellsOfSpec(spec).filter((cell) => roleTooLarge(cell) === undefined);
  io.err(`phase 1: which of ${cells.length} configurations fit\n`);
  try {
    const { fitting, contradictions } = await memoryPhase(parts, cells, session.known);
    for (const sentence of contradictions) {
      io.err(`${sentence}\n`);
      writer.event({ atNs: io.clock.nowNs(), kind: "notice", message: sentence });
    }
    planOnly(writer, session.planned, fitting);
    const count = trials.filter(({ cell }) => fitting.some(({ name }) => name === cell.label)).length;
    io.err(`phase 2: ${count} trials on ${fitting.length} configurations that fit\n`);
    const telemetry = startTelemetry({ clock: io.clock, sink: writer });
    try {
      const facts = new FactsKeeper(writer);
      await speedPhase(parts, {
        scenario: spec.scenario,
        trials,
        cells: new Map(fitting.map((cell) => [cell.name, cell])),
        seed: spec.seed,
        health: { start: () => startClientHealth(io.clock) },
        onFacts: (read) => facts.keep(read),
      });
    } finally {
      await telemetry.stop();
    }
  } finally {
    writeMemoryBook(stateDirectory, parts.pool, parts.residuals);
  }
}

/** The machine is cleared, and what is free then is what the sweep has. */
async function prepared(
  { spec, model, writer }: Session,
  { machine, stateDirectory }: BorrowedMachine,
  flags: RawCapacityFlags,
  io: CliIo,
  signal: AbortSignal,
  teller: SweepTeller,
): Promise<Sweep> {
  const { kind: pool } = (await machine.status()).memory;
  const quiesceMs =
    flags.quiesceMs === undefined
      ? QUIESCE_MS[pool]
      : wholeNumber("--quiesce-ms", flags.quiesceMs, Number.MAX_SAFE_INTEGER, 0);
  const parts: Sweep = {
    machine,
    clock: io.clock,
    base: spec.capacity.preset as LlamaServerPreset,
    beside: spec.capacity.beside,
    model,
    pool,
    freeAtRestBytes: 0,
    ...(spec.capacity.floorBytes === undefined ? {} : { floorBytes: spec.capacity.floorBytes }),
    quiesceMs,
    residuals: [...readMemoryBook(stateDirectory, pool)],
    sink: writer,
    signal,
    onProgress: teller.tell,
  };
  // Nothing is expected to be free yet: this is what later rounds are held to.
  await clear(parts);
  return { ...parts, freeAtRestBytes: (await machine.status()).memory.freeBytes };
}

/** What does not fit has no trials, and a report shall not miss them. */
function planOnly(writer: RunWriter, planned: readonly PlannedTrial[], fitting: readonly SweepCell[]): void {
  const names = new Set(fitting.map(({ name }) => name));
  const left = planned.filter(({ cell }) => names.has(cell.label));
  const cells = new Map(left.map(({ cell: { hash, label } }) => [hash, { hash, label }]));
  writer.updateManifest({ cells: [...cells.values()], plannedTrials: left.length });
}

/** Each cell's server as it was read back last. */
class FactsKeeper {
  readonly #writer: RunWriter;
  readonly #known = new Map<string, EndpointFacts>();

  constructor(writer: RunWriter) {
    this.#writer = writer;
    for (const facts of writer.manifest.endpoints) this.#known.set(facts.name, facts);
  }

  keep(read: readonly EndpointFacts[]): void {
    for (const facts of read) this.#known.set(facts.name, facts);
    this.#writer.updateManifest({ endpoints: [...this.#known.values()] });
  }
}

function newManifest(
  spec: CapacitySpec,
  trials: readonly PlannedTrial[],
  host: HostSummary,
  io: CliIo,
): RunManifest {
  const startedIso = io.clock.wallIso();
  const certificate = loadMachineCertificate(io);
  return {
    formatVersion: RUN_FORMAT_VERSION,
    runId: runId(startedIso, spec.scenario.name, randomStream(entropySeed(), "run-id")),
    slipwayVersion: slipwayVersion(),
    nodeVersion: process.version,
    command: ["slipway", ...process.argv.slice(2)],
    scenario: spec.scenario.name,
    spec,
    specHash: specHash(spec),
    seed: spec.seed,
    startedIso,
    status: "running",
    host,
    endpoints: [],
    ...(certificate === undefined ? {} : { certificate }),
    simulated: false,
    cells: cellsOf(spec.scenario).map(({ hash, label }) => ({ hash, label })),
    plannedTrials: trials.length,
  };
}

function kept(thrown: unknown, writer: RunWriter, flags: RawCapacityFlags): unknown {
  if (!(thrown instanceof OperatorError)) return thrown;
  const runsDir = flags.runsDir === "runs" ? "" : ` --runs-dir ${flags.runsDir}`;
  return new OperatorError(thrown.code, {
    message: thrown.message,
    received: thrown.received,
    nextStep: `${thrown.nextStep}; what was measured is in ${writer.path}, and slipway capacity --resume ${writer.manifest.runId}${runsDir} goes on from there`,
    cause: thrown,
  });
}
