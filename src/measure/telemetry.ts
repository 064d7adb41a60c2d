/**
 * What the machine did while requests ran. The host is sampled by a timer on the injected clock,
 * the GPUs by one nvidia-smi that streams; both write into the sink as they come, joined to the
 * requests by the monotonic stamp alone. Hardware that is absent leaves its fields absent, and a
 * GPU stream that dies is one event: the rest goes on.
 */
import type { Clock, Timer } from "../core/clock.ts";
import { msToNs, nsToMs } from "../core/units.ts";
import type { GpuTrouble } from "../hardware/facts.ts";
import type { SmiOptions } from "../hardware/gpu-query.ts";
import { queryComputeApps } from "../hardware/gpu-query.ts";
import type { GpuRound } from "../hardware/gpu-rounds.ts";
import type { GpuStream } from "../hardware/gpu-stream.ts";
import { startGpuStream } from "../hardware/gpu-stream.ts";
import type { CpuTicks } from "../hardware/host-cpu.ts";
import { cpuPctBetween, parseCpuTicks } from "../hardware/host-cpu.ts";
import { readHostMemory } from "../hardware/host-memory.ts";
import type { ComputeApp } from "../hardware/nvidia-smi.ts";
import { listPids, readProcessUsage } from "../hardware/process-usage.ts";
import type { TextReader } from "../hardware/text-reader.ts";
import { readKernelFile } from "../hardware/text-reader.ts";
import type { ProcessSample, TelemetrySample } from "../record/event-record.ts";
import type { RecordSink } from "../record/record-sink.ts";
import { ProcessWatch, SERVER_PROCESS_NAMES } from "./process-watch.ts";

/** Two samples a second show a thermal or power limit setting in, at a cost of well under 1 % of a core. */
const DEFAULT_INTERVAL_MS = 500;

/** New server processes and memory per process on the GPU change when models load: rarely, and asking costs a program start. */
const SLOW_INTERVAL_MS = 10_000;

/** `stop` waits for a question that is under way, so it may not take long. */
const COMPUTE_APPS_LIMIT_MS = 2_000;

export interface TelemetryOptions {
  readonly clock: Clock;
  readonly sink: Pick<RecordSink, "telemetry" | "event">;
  readonly intervalMs?: number;
  readonly smi?: Omit<SmiOptions, "clock">;
  /** Where /proc and /sys are read; tests hand in their own. */
  readonly read?: TextReader;
  readonly listPids?: () => readonly number[];
}

/** What measuring the machine cost the machine. */
export interface TelemetryOverhead {
  readonly wallMs: number;
  readonly hostSamples: number;
  readonly gpuSamples: number;
  /** How long sampling held the event loop, over all samples and at worst. */
  readonly loopHeldMs: number;
  readonly loopHeldMsMax: number;
  readonly loopHeldMsPerSample?: number;
  /** CPU time of the streaming nvidia-smi, to the last host sample. */
  readonly smiCpuMs?: number;
}

export interface Telemetry {
  /** Samples this process too, from the next sample on: an external agent, a server started for the run. */
  watch(pid: number, name: string): void;
  /** Ends sampling and its children. Rejects with what the sink threw, if it did: sampling ended there. */
  stop(): Promise<TelemetryOverhead>;
}

/** Takes its first host sample before it returns. */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  return new Sampler(options);
}

class Sampler implements Telemetry {
  readonly #clock: Clock;
  readonly #sink: TelemetryOptions["sink"];
  readonly #read: TextReader;
  readonly #smi: SmiOptions;
  readonly #intervalNs: number;
  readonly #processes: ProcessWatch;
  readonly #gpuStream: GpuStream;
  readonly #startNs: number;
  #timer: Timer | undefined;
  #lastTicks: CpuTicks | undefined;
  #nextSlowNs: number;
  #gpuAlive = false;
  #computeApps: readonly ComputeApp[] = [];
  #asking: Promise<void> = Promise.resolve();
  #failure: { readonly thrown: unknown } | undefined;
  #hostSamples = 0;
  #gpuSamples = 0;
  #heldNs = 0;
  #heldNsMax = 0;
  #smiCpuMs: number | undefined;

  constructor(options: TelemetryOptions) {
    const intervalMs = options.intervalMs ?? DEFAULT_INTERVAL_MS;
    this.#clock = options.clock;
    this.#sink = options.sink;
    this.#read = options.read ?? readKernelFile;
    this.#smi = { ...options.smi, clock: options.clock };
    this.#intervalNs = msToNs(intervalMs);
    this.#processes = new ProcessWatch(this.#read, options.listPids ?? listPids);
    this.#processes.watch(process.pid, "slipway");
    this.#startNs = this.#clock.nowNs();
    this.#nextSlowNs = this.#startNs;
    this.#gpuStream = startGpuStream({
      ...this.#smi,
      intervalMs,
      onRound: (round) => this.#measured(() => this.#gpuRound(round)),
      onLost: (trouble) => this.#measured(() => this.#gpuLost(trouble)),
    });
    this.#tick(this.#startNs);
  }

  watch(pid: number, name: string): void {
    this.#processes.watch(pid, name);
  }

  async stop(): Promise<TelemetryOverhead> {
    this.#timer?.cancel();
    await Promise.all([this.#gpuStream.stop(), this.#asking]);
    const overhead = this.#overhead();
    this.#measured(() =>
      this.#sink.event({
        atNs: this.#clock.nowNs(),
        kind: "telemetry-overhead",
        message: `telemetry took ${overhead.hostSamples} host and ${overhead.gpuSamples} GPU samples and held the event loop for ${overhead.loopHeldMs.toFixed(1)} ms`,
        data: { ...overhead },
      }),
    );
    if (this.#failure !== undefined) throw this.#failure.thrown;
    return overhead;
  }

  /** One host sample, then the next one on the grid; a late timer skips points rather than bunching them. */
  #tick(atNs: number): void {
    this.#measured(() => this.#hostSample(this.#clock.nowNs()));
    if (this.#failure !== undefined) return;
    const missed = Math.floor((this.#clock.nowNs() - atNs) / this.#intervalNs);
    const nextNs = atNs + (missed + 1) * this.#intervalNs;
    this.#timer = this.#clock.timerAt(nextNs, () => this.#tick(nextNs));
  }

  #hostSample(atNs: number): void {
    if (atNs >= this.#nextSlowNs) {
      this.#nextSlowNs = atNs + msToNs(SLOW_INTERVAL_MS);
      this.#processes.discover(SERVER_PROCESS_NAMES);
      if (this.#gpuAlive) this.#askComputeApps();
    }
    const memory = readHostMemory(this.#read);
    const cpuPct = this.#cpuPct();
    const load = Number.parseFloat(this.#read("/proc/loadavg") ?? "");
    const processes = this.#processSamples(atNs);
    const smiPid = this.#gpuStream.pid;
    if (smiPid !== undefined) this.#smiCpuMs = readProcessUsage(this.#read, smiPid)?.cpuMs ?? this.#smiCpuMs;
    const sample: TelemetrySample = {
      atNs,
      memoryAvailableBytes: memory.availableBytes,
      memoryTotalBytes: memory.totalBytes,
      ...(cpuPct === undefined ? {} : { cpuPct }),
      ...(Number.isNaN(load) ? {} : { loadAverage1: load }),
      ...(processes.length === 0 ? {} : { processes }),
    };
    this.#sink.telemetry(sample);
    this.#hostSamples += 1;
  }

  #cpuPct(): number | undefined {
    const ticks = parseCpuTicks(this.#read("/proc/stat") ?? "");
    const before = this.#lastTicks;
    this.#lastTicks = ticks;
    return ticks === undefined || before === undefined ? undefined : cpuPctBetween(before, ticks);
  }

  /** Watched processes, and those on a GPU once per answer: an old figure is not repeated as a new one. */
  #processSamples(atNs: number): ProcessSample[] {
    const apps = new Map(this.#computeApps.map((app) => [app.pid, app]));
    this.#computeApps = [];
    const samples = this.#processes.sample(atNs).map((sample) => {
      const vramBytes = apps.get(sample.pid)?.vramBytes;
      apps.delete(sample.pid);
      return vramBytes === undefined ? sample : { ...sample, vramBytes };
    });
    return [...samples, ...apps.values()];
  }

  #askComputeApps(): void {
    this.#asking = queryComputeApps({ ...this.#smi, answerLimitMs: COMPUTE_APPS_LIMIT_MS }).then((apps) => {
      this.#computeApps = apps ?? [];
    });
  }

  #gpuRound(round: GpuRound): void {
    this.#gpuSamples += 1;
    this.#sink.telemetry({ atNs: round.atNs, gpus: round.gpus });
    if (this.#gpuAlive) return;
    this.#gpuAlive = true;
    this.#askComputeApps();
  }

  #gpuLost(trouble: GpuTrouble): void {
    this.#gpuAlive = false;
    this.#sink.event({
      atNs: this.#clock.nowNs(),
      kind: trouble.kind === "absent" ? "telemetry-gpu-absent" : "telemetry-gpu-lost",
      message: `no GPU figures from here on: ${trouble.reason}`,
      data: { reason: trouble.reason, nextStep: trouble.nextStep, gpuSamples: this.#gpuSamples },
    });
  }

  /**
   * Runs one piece of sampling, adds up its time, and keeps what the sink throws: it comes out of
   * a timer or a child's output here, where nobody could catch it, and is thrown again by `stop`.
   */
  #measured(work: () => void): void {
    if (this.#failure !== undefined) return;
    const beganNs = this.#clock.nowNs();
    try {
      work();
    } catch (thrown) {
      this.#failure = { thrown };
    }
    const heldNs = this.#clock.nowNs() - beganNs;
    this.#heldNs += heldNs;
    this.#heldNsMax = Math.max(this.#heldNsMax, heldNs);
  }

  #overhead(): TelemetryOverhead {
    const samples = this.#hostSamples + this.#gpuSamples;
    return {
      wallMs: nsToMs(this.#clock.nowNs() - this.#startNs),
      hostSamples: this.#hostSamples,
      gpuSamples: this.#gpuSamples,
      loopHeldMs: nsToMs(this.#heldNs),
      loopHeldMsMax: nsToMs(this.#heldNsMax),
      ...(samples === 0 ? {} : { loopHeldMsPerSample: nsToMs(this.#heldNs) / samples }),
      ...(this.#smiCpuMs === undefined ? {} : { smiCpuMs: this.#smiCpuMs }),
    };
  }
}
