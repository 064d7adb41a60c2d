/** One benchmark from flags to report. What was measured is kept whatever happens on the way. */
import { join, resolve } from "node:path";
import { OperatorError } from "../../core/errors.ts";
import { runId, specHash } from "../../core/ids.ts";
import { entropySeed, randomStream } from "../../core/random.ts";
import { detectHost } from "../../hardware/detect.ts";
import { startClientHealth } from "../../measure/client-health.ts";
import { runPlan } from "../../measure/runner.ts";
import { startTelemetry } from "../../measure/telemetry.ts";
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
import { hostSummary } from "../host-summary.ts";
import type { CliIo, ExitCode } from "../io.ts";
import { slipwayVersion } from "../version.ts";
import type { Connections } from "./endpoints.ts";
import { connectEndpoints, defaultModels, resolveEndpoints } from "./endpoints.ts";
import type { RawBenchFlags } from "./flags.ts";
import { loadMachineCertificate } from "./machine-certificate.ts";
import { finishRun, runsDirFlag } from "./outcome.ts";
import { ProgressLine } from "./progress.ts";
import { withOneCell } from "./one-cell.ts";
import type { RunSpec } from "./run-spec.ts";
import { corpusFolderOf, newRunSpec, parseRunSpec } from "./run-spec.ts";
import { loadScenario } from "./scenario-source.ts";

/** A run that is about to go: its plan, its servers and its directory. */
interface Session {
  readonly spec: RunSpec;
  readonly trials: readonly PlannedTrial[];
  readonly connections: Connections;
  readonly writer: RunWriter;
}

export async function runBench(
  scenario: string | undefined,
  flags: RawBenchFlags,
  io: CliIo,
): Promise<ExitCode> {
  const notify = (notice: string): void => io.err(`${notice}\n`);
  const session =
    flags.resume === undefined
      ? await beginRun(scenario ?? "quick", flags, io, notify)
      : await resumeRun(scenario, flags.resume, flags, io, notify);
  notify(`run directory: ${session.writer.path}`);
  let status: RunStatus = "failed";
  try {
    status = await measure(session, flags, io);
  } catch (thrown) {
    if (!io.interrupted.aborted) throw keptError(thrown, session.writer, flags);
    status = "interrupted";
  } finally {
    await session.connections.close();
    if (status === "failed") session.writer.close(status);
  }
  return finishRun(session.writer, status, flags, io);
}

async function beginRun(
  scenarioName: string,
  flags: RawBenchFlags,
  io: CliIo,
  notify: (notice: string) => void,
): Promise<Session> {
  const source = loadScenario(scenarioName, flags, io.cwd);
  // Cells are worked out before anything is asked of a server, so that a bad file costs no wait.
  cellsOf(source.scenario);
  const { scenario: whole, notices } = await resolveEndpoints(source, flags, io.clock);
  const scenario = withOneCell(whole, flags.cell);
  for (const notice of notices) notify(notice);
  const open = newRunSpec(scenario, flags, io.cwd);
  const connections = await connect(open, io);
  try {
    const models = await defaultModels(scenario, connections.endpoints, notify);
    const spec: RunSpec = { ...open, defaultModels: Object.fromEntries(models) };
    const trials = planTrials(scenario, cellsOf(scenario), spec.seed);
    const host = await detectHost({ clock: io.clock });
    const writer = createRunDirectory({
      runsDir: resolve(io.cwd, flags.runsDir),
      manifest: newManifest(spec, trials, hostSummary(host), connections, io),
      durable: flags.durable === true,
      clock: io.clock,
    });
    for (const notice of notices) writer.event({ atNs: io.clock.nowNs(), kind: "notice", message: notice });
    return { spec, trials, connections, writer };
  } catch (thrown) {
    await connections.close();
    throw thrown;
  }
}

async function resumeRun(
  scenarioName: string | undefined,
  run: string,
  flags: RawBenchFlags,
  io: CliIo,
  notify: (notice: string) => void,
): Promise<Session> {
  if (flags.cell !== undefined)
    throw new OperatorError("FLAG_INVALID", {
      message: "--resume completes every cell that the run was planned with",
      received: `--cell ${flags.cell}`,
      nextStep: "leave --cell away, or begin a new run with it",
    });
  const path = findRun(resolve(io.cwd, flags.runsDir), run, io.cwd);
  const source = readRun(path);
  const spec = parseRunSpec(source.manifest.spec, join(path, "manifest.json"));
  if (scenarioName !== undefined && scenarioName !== spec.scenario.name)
    throw new OperatorError("RESUME_MISMATCH", {
      message: `the run is of scenario ${spec.scenario.name}`,
      received: scenarioName,
      nextStep: `leave the scenario away: slipway bench --resume ${source.manifest.runId}`,
    });
  const planned = planTrials(spec.scenario, cellsOf(spec.scenario), spec.seed);
  const { complete, missing } = planResume(source, specHash(spec), planned);
  notify(`resuming ${source.manifest.runId}: ${complete.length} of ${planned.length} trials are done`);
  const connections = await connect(spec, io);
  try {
    const writer = openRunDirectory({ path, durable: flags.durable === true, clock: io.clock });
    return { spec, trials: missing, connections, writer };
  } catch (thrown) {
    await connections.close();
    throw thrown;
  }
}

function connect(spec: Omit<RunSpec, "defaultModels">, io: CliIo): Promise<Connections> {
  const { gpu, ...simulated } = spec.simulated;
  return connectEndpoints(
    spec.scenario,
    { ...simulated, ...(gpu === undefined ? {} : { gpu }) },
    { clock: io.clock, env: io.env, connections: Math.max(spec.scenario.agents.length, 1) },
  );
}

async function measure(session: Session, flags: RawBenchFlags, io: CliIo): Promise<RunStatus> {
  const { spec, trials, connections, writer } = session;
  const progress = new ProgressLine(io);
  const telemetry = flags.telemetry ? startTelemetry({ clock: io.clock, sink: writer }) : undefined;
  const facts = new Map<string, EndpointFacts>();
  try {
    await runPlan(
      {
        scenario: spec.scenario,
        trials,
        endpoints: connections.endpoints,
        defaultModels: new Map(Object.entries(spec.defaultModels)),
        corpusFolder: corpusFolderOf(spec),
        seed: spec.seed,
      },
      {
        clock: io.clock,
        sink: writer,
        health: { start: () => startClientHealth(io.clock) },
        signal: io.interrupted,
        onProgress: (shown) => progress.show(shown),
        onFacts: (read) => keepFacts(read, facts, Object.keys(spec.scenario.endpoints), writer),
      },
    );
  } finally {
    progress.end();
    await telemetry?.stop();
  }
  return io.interrupted.aborted ? "interrupted" : "complete";
}

/** The manifest lists every endpoint with each model's settings once, as last read back. */
function keepFacts(
  read: readonly EndpointFacts[],
  known: Map<string, EndpointFacts>,
  order: readonly string[],
  writer: RunWriter,
): void {
  const before = specHash([...known]);
  for (const fact of read) known.set(specHash([fact.name, fact.model]), fact);
  if (specHash([...known]) === before) return;
  const endpoints = [...known.values()].sort(
    (one, other) => order.indexOf(one.name) - order.indexOf(other.name),
  );
  writer.updateManifest({
    endpoints,
    simulated: writer.manifest.simulated || endpoints.some((endpoint) => endpoint.simulated),
  });
}

function newManifest(
  spec: RunSpec,
  trials: readonly PlannedTrial[],
  host: HostSummary,
  connections: Connections,
  io: CliIo,
): RunManifest {
  const startedIso = io.clock.wallIso();
  const certificate = loadMachineCertificate(io);
  return {
    formatVersion: RUN_FORMAT_VERSION,
    // The suffix comes from the system, not from the seed: two runs of one seed are two runs.
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
    simulated: [...connections.endpoints.values()].some(({ engine }) => engine.kind === "simulated"),
    // Of the scenario, since trials are shuffled and a reader wants the order of the file.
    cells: cellsOf(spec.scenario).map(({ hash, label }) => ({ hash, label })),
    plannedTrials: trials.length,
  };
}

/** Says what is kept and how to go on, whatever broke off the run. */
function keptError(thrown: unknown, writer: RunWriter, flags: RawBenchFlags): unknown {
  if (!(thrown instanceof OperatorError)) return thrown;
  return new OperatorError(thrown.code, {
    message: thrown.message,
    received: thrown.received,
    nextStep: `${thrown.nextStep}; what was measured is in ${writer.path}, and slipway bench --resume ${writer.manifest.runId}${runsDirFlag(flags)} goes on from there`,
    cause: thrown,
  });
}
