/** One recording from flags to run directory. It ends with Ctrl-C, which is its ordinary end. */
import { resolve } from "node:path";
import { defined } from "../../core/assert.ts";
import { OperatorError } from "../../core/errors.ts";
import { runId, specHash } from "../../core/ids.ts";
import { entropySeed, randomStream } from "../../core/random.ts";
import { credentialHeaders, endpointUrl } from "../../engines/credential.ts";
import type { CredentialReference, Engine, EngineKind } from "../../engines/engine.ts";
import { createEngine } from "../../engines/registry.ts";
import { detectHost } from "../../hardware/detect.ts";
import { startClientHealth } from "../../measure/client-health.ts";
import type { ClientRequest, RecordingEndpoint } from "../../measure/recording/endpoint.ts";
import { startRecordingEndpoint } from "../../measure/recording/endpoint.ts";
import type { RequestRecord } from "../../record/request-record.ts";
import type { HostSummary, RunManifest } from "../../record/run-manifest.ts";
import { RUN_FORMAT_VERSION } from "../../record/run-manifest.ts";
import type { ClientHealth, TrialRecord } from "../../record/trial-record.ts";
import { TRIAL_RECORD_VERSION } from "../../record/trial-record.ts";
import type { RunWriter } from "../../store/run-directory.ts";
import { createRunDirectory } from "../../store/run-directory.ts";
import { hostSummary } from "../host-summary.ts";
import type { CliIo, ExitCode } from "../io.ts";
import { slipwayVersion } from "../version.ts";
import { LiveLine } from "./live-line.ts";
import { TRAFFIC_COLUMNS, Traffic, trafficRow } from "./traffic.ts";

export interface RecordFlags {
  readonly upstream: string;
  readonly listen: string;
  readonly engine?: EngineKind;
  readonly agent?: string;
  readonly credentialEnv?: string;
  readonly credentialFile?: string;
  readonly runsDir: string;
  readonly durable?: true;
  readonly json?: true;
}

/** What was asked for; it stands in the manifest, so it holds references to secrets and no secret. */
interface RecordSpec {
  readonly upstream: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly engine: EngineKind;
  readonly agent?: string;
  readonly credential?: CredentialReference;
}

const SCENARIO = "record";
/** A recording is one trial of one cell. */
const TRIAL_ID = "t0";

export async function runRecord(flags: RecordFlags, io: CliIo): Promise<ExitCode> {
  const listen = parseListen(flags.listen);
  const upstream = endpointUrl(flags.upstream);
  const credential = credentialOf(flags);
  const engine = await createEngine(
    {
      name: "upstream",
      url: upstream,
      ...(flags.engine !== undefined && { engine: flags.engine }),
      ...(credential !== undefined && { credential }),
    },
    { clock: io.clock, env: io.env },
  );
  try {
    const spec: RecordSpec = {
      upstream,
      listen,
      engine: engine.kind,
      ...(flags.agent !== undefined && { agent: flags.agent }),
      ...(credential !== undefined && { credential }),
    };
    const host = hostSummary(await detectHost({ clock: io.clock }));
    return await new RecordSession(spec, flags, io).run(engine, host);
  } finally {
    await engine.close();
  }
}

class RecordSession {
  readonly #spec: RecordSpec;
  readonly #flags: RecordFlags;
  readonly #io: CliIo;
  readonly #originNs: number;
  readonly #originIso: string;
  readonly #traffic = new Traffic();
  #writer: RunWriter | undefined;
  #live: LiveLine | undefined;

  constructor(spec: RecordSpec, flags: RecordFlags, io: CliIo) {
    this.#spec = spec;
    this.#flags = flags;
    this.#io = io;
    this.#originNs = io.clock.nowNs();
    this.#originIso = io.clock.wallIso();
  }

  /** The port is taken before the directory is made: a recording that cannot begin leaves nothing behind. */
  async run(engine: Engine, host: HostSummary): Promise<ExitCode> {
    const { clock, interrupted } = this.#io;
    const over = new Promise<void>((end) => {
      this.#end = end;
    });
    if (interrupted.aborted) this.#end();
    interrupted.addEventListener("abort", this.#end, { once: true });
    const endpoint = await this.#listen(engine);
    const health = startClientHealth(clock);
    try {
      this.#writer = createRunDirectory({
        runsDir: resolve(this.#io.cwd, this.#flags.runsDir),
        manifest: this.#manifest(engine, host),
        durable: this.#flags.durable === true,
        clock,
      });
      this.#announce(endpoint, this.#writer);
      this.#live = new LiveLine(this.#io, () => endpoint.inFlight());
      await over;
    } finally {
      this.#live?.end();
      interrupted.removeEventListener("abort", this.#end);
      await this.#close(endpoint, health.stop());
    }
    await this.#report(this.#writer);
    return 0;
  }

  #end: () => void = () => undefined;

  #listen(engine: Engine): Promise<RecordingEndpoint> {
    const { upstream, listen, agent, credential } = this.#spec;
    return startRecordingEndpoint({
      listen,
      upstream: { engine, url: upstream, headers: credentialHeaders(credential, this.#io.env) },
      agent: agent ?? agentOfHeader,
      trialId: TRIAL_ID,
      originNs: this.#originNs,
      phase: "measured",
      endpointName: "upstream",
      sink: {
        request: (record, chunks) => {
          this.#running.request(record, chunks);
          this.#seen(record);
        },
        trial: (record) => this.#running.trial(record),
        telemetry: (sample) => this.#running.telemetry(sample),
        event: (event) => this.#running.event(event),
      },
      clock: this.#io.clock,
      // A full disk ends the recording; the error itself is thrown by the endpoint's stop.
      onFailure: () => this.#end(),
    });
  }

  get #running(): RunWriter {
    return defined(
      this.#writer,
      "the run directory, made in the same turn of the loop as the port was opened",
    );
  }

  #seen(record: RequestRecord): void {
    this.#traffic.add(record);
    this.#live?.add(record);
    if (record.simulated && !this.#running.manifest.simulated)
      this.#running.updateManifest({ simulated: true });
  }

  #announce(endpoint: RecordingEndpoint, writer: RunWriter): void {
    const { upstream, engine, listen } = this.#spec;
    const warning = exposureWarning(listen.host);
    if (warning !== undefined) this.#io.err(`warning: ${warning}\n`);
    this.#io.err(`recording ${endpoint.url} → ${upstream} (${engine}) into ${writer.path}\n`);
    this.#io.err("end the recording with Ctrl-C\n");
  }

  async #close(endpoint: RecordingEndpoint, client: ClientHealth): Promise<void> {
    const writer = this.#writer;
    try {
      await endpoint.stop();
      writer?.trial(this.#trial(client));
      writer?.close("complete");
    } catch (thrown) {
      writer?.close("failed");
      throw thrown;
    }
  }

  #manifest(engine: Engine, host: HostSummary): RunManifest {
    const spec = { kind: SCENARIO, ...this.#spec };
    const hash = specHash(spec);
    const simulated = engine.kind === "simulated";
    return {
      formatVersion: RUN_FORMAT_VERSION,
      runId: runId(this.#originIso, SCENARIO, randomStream(entropySeed(), "run-id")),
      slipwayVersion: slipwayVersion(),
      nodeVersion: process.version,
      command: ["slipway", ...process.argv.slice(2)],
      scenario: SCENARIO,
      spec,
      specHash: hash,
      // Nothing of a recording is drawn by lot.
      seed: 0,
      startedIso: this.#originIso,
      status: "running",
      host,
      endpoints: [
        { name: "upstream", url: this.#spec.upstream, engine: engine.kind, simulated, settings: {} },
      ],
      simulated,
      cells: [{ hash, label: SCENARIO }],
      plannedTrials: 1,
    };
  }

  #trial(client: ClientHealth): TrialRecord {
    const agentTimes = this.#traffic.agentTimes();
    return {
      v: TRIAL_RECORD_VERSION,
      trialId: TRIAL_ID,
      cellHash: this.#running.manifest.specHash,
      cell: SCENARIO,
      scenario: SCENARIO,
      parameters: {},
      kind: "together",
      repeat: 0,
      order: 0,
      agents: agentTimes.map((time) => time.agent),
      originIso: this.#originIso,
      originMonotonicNs: this.#originNs,
      barrierNs: 0,
      endNs: this.#io.clock.nowNs() - this.#originNs,
      agentTimes,
      client,
      status: "complete",
      failures: agentTimes.reduce((sum, time) => sum + time.failures, 0),
      warnings: [],
      simulated: this.#running.manifest.simulated,
    };
  }

  async #report(writer: RunWriter): Promise<void> {
    const agents = this.#traffic.agents();
    const requests = agents.reduce((sum, one) => sum + one.requests, 0);
    const { simulated, runId: id } = writer.manifest;
    if (this.#flags.json === true) {
      const document = { runId: id, path: writer.path, simulated, requests, agents };
      this.#io.out(`${JSON.stringify(document, undefined, 2)}\n`);
      return;
    }
    if (simulated) this.#io.out("SIMULATED: the upstream is Slipway's simulated engine\n");
    if (agents.length > 0) {
      const { default: Table } = await import("cli-table3");
      const table = new Table({ head: [...TRAFFIC_COLUMNS], style: { head: [], border: [], compact: true } });
      table.push(...agents.map((one) => [...trafficRow(one)]));
      this.#io.out(`${table.toString()}\n`);
    }
    this.#io.out(`${requests} ${requests === 1 ? "request" : "requests"} recorded in ${writer.path}\n`);
  }
}

function agentOfHeader(request: ClientRequest): string {
  return request.header("x-slipway-agent") ?? "client";
}

function credentialOf(flags: RecordFlags): CredentialReference | undefined {
  if (flags.credentialEnv !== undefined) return { env: flags.credentialEnv };
  return flags.credentialFile === undefined ? undefined : { file: flags.credentialFile };
}

/** `127.0.0.1:11500` or `[::1]:11500`; a host must stand there, so that nobody opens a machine by accident. */
export function parseListen(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535)
    throw new OperatorError("FLAG_INVALID", {
      message: "--listen needs a host and a port",
      received: text,
      nextStep: "write it as 127.0.0.1:11500; 0 as the port takes a free one",
    });
  return { host, port };
}

/** What a person should know who lets others in; absent for an address that only this machine reaches. */
export function exposureWarning(host: string): string | undefined {
  if (host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host)) return undefined;
  return `listening on ${host}: whoever reaches this machine can use the upstream through it, with its credential if one was given`;
}
