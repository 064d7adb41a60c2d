/** A borrowed machine on paper: servers take what they are told to, and what befalls them is scripted. */
import { VirtualClock } from "../../src/core/clock.ts";
import { OperatorError } from "../../src/core/errors.ts";
import { BYTES_PER_GIB, BYTES_PER_MIB, NS_PER_MS } from "../../src/core/units.ts";
import type { Sweep, SweepProgress } from "../../src/experiment/sweep.ts";
import type { SweepCell } from "../../src/experiment/sweep-cells.ts";
import type { SweepMachine } from "../../src/experiment/sweep-machine.ts";
import type { FleetStatus, SwitchReport } from "../../src/fleet/control/protocol.ts";
import type { OnLoanTrouble } from "../../src/fleet/loan.ts";
import { modelFacts } from "../../src/predict/gguf/model-facts.ts";
import { readGguf } from "../../src/predict/gguf/read-gguf.ts";
import type { LlamaServerPreset, Preset } from "../../src/preset/preset.ts";
import { presetSchema } from "../../src/preset/preset.ts";
import { MemorySink } from "../../src/record/record-sink.ts";
import { roleSchema } from "../../src/workload/role.ts";

export interface PaperStart {
  readonly holdsMib?: number;
  readonly log?: readonly string[];
  readonly failure?: { readonly code: string; readonly message: string };
  readonly refusal?: string;
  /** Memory comes back this long after its end. */
  readonly releasesAfterMs?: number;
}

const STARTED_MS = 2_000;

export class PaperSweepMachine implements SweepMachine {
  readonly clock = new VirtualClock(0);
  readonly over = new AbortController().signal;
  readonly kind: "gpu" | "host";
  readonly totalBytes = 24 * BYTES_PER_GIB;
  /** What each call asked for, by names. */
  readonly asked: string[][] = [];
  scriptOf: (preset: string) => PaperStart = () => ({});
  short = false;
  /** Whether the driver tells what a server holds. */
  tellsUse = true;
  #running: readonly Preset[] = [];
  readonly #releasing = new Set<object>();
  #releasingBytes = 0;
  readonly #listeners = new Set<OnLoanTrouble>();

  constructor(kind: "gpu" | "host" = "gpu") {
    this.kind = kind;
  }

  use(presets: readonly Preset[]): Promise<SwitchReport> {
    this.asked.push(presets.map(({ name }) => name));
    const incoming = presets.find((preset) => this.#running.every(({ name }) => name !== preset.name));
    const script = incoming === undefined ? {} : this.scriptOf(incoming.name);
    if (script.refusal !== undefined)
      throw new OperatorError("PREFLIGHT_FAILED", { message: script.refusal, nextStep: "give it less" });
    if (script.failure !== undefined)
      return Promise.resolve({
        ...this.#report("rolled-back", []),
        failure: { step: "start", nextStep: "read its log", logTail: [], ...script.failure },
      });
    for (const gone of this.#running.filter((one) => presets.every(({ name }) => name !== one.name)))
      this.#release(gone);
    this.#running = presets;
    const steps =
      incoming === undefined ? [] : [{ step: "start", preset: incoming.name, tookMs: STARTED_MS }];
    return Promise.resolve(this.#report("committed", steps));
  }

  status(): Promise<FleetStatus> {
    const freeBytes =
      this.totalBytes - this.#releasingBytes - this.#running.reduce((sum, one) => sum + this.#held(one), 0);
    return Promise.resolve({
      supervisorPid: 1,
      stateDirectory: "paper",
      memory: {
        kind: this.kind,
        totalBytes: this.totalBytes,
        freeBytes,
        ...(this.short ? { short: true } : {}),
      },
      presets: this.#running.map((preset) => ({
        preset: preset.name,
        engine: preset.engine,
        state: "ready",
        url: `http://127.0.0.1:1/${preset.name}`,
        ...(this.tellsUse ? { usedBytes: this.#held(preset) } : {}),
        restarts: 0,
      })),
      warnings: [],
    });
  }

  log(preset: string): readonly string[] {
    return this.scriptOf(preset).log ?? [];
  }

  onTrouble(listener: OnLoanTrouble): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #held({ name }: Preset): number {
    return (this.scriptOf(name).holdsMib ?? 1_000) * BYTES_PER_MIB;
  }

  #release(preset: Preset): void {
    const { releasesAfterMs = 0 } = this.scriptOf(preset.name);
    if (releasesAfterMs === 0) return;
    const bytes = this.#held(preset);
    this.#releasing.add(preset);
    this.#releasingBytes += bytes;
    this.clock.timerAt(this.clock.nowNs() + releasesAfterMs * NS_PER_MS, () => {
      this.#releasing.delete(preset);
      this.#releasingBytes -= bytes;
    });
  }

  #report(outcome: SwitchReport["outcome"], steps: SwitchReport["steps"]): SwitchReport {
    const tookMs = steps.reduce((sum, step) => sum + step.tookMs, 0);
    return { outcome, runs: this.#running.map(({ name }) => name), steps, tookMs, overheadMs: 0 };
  }
}

export interface PaperSweep {
  readonly sweep: Sweep;
  readonly machine: PaperSweepMachine;
  readonly sink: MemorySink;
  readonly progress: SweepProgress[];
  readonly run: <T>(done: Promise<T>) => Promise<T>;
}

/** `model`: a GGUF file. */
export function paperSweep(
  model: string,
  machine: PaperSweepMachine,
  changes: Partial<Sweep> = {},
): PaperSweep {
  const sink = new MemorySink();
  const progress: SweepProgress[] = [];
  const base = presetSchema.parse({ name: "tiny", engine: "llama-server", model, gpuLayers: "all" });
  const sweep: Sweep = {
    machine,
    clock: machine.clock,
    base: base as LlamaServerPreset,
    beside: [],
    model: { facts: modelFacts(readGguf(model)) },
    pool: machine.kind,
    freeAtRestBytes: machine.totalBytes,
    quiesceMs: 8_000,
    residuals: [],
    sink,
    signal: new AbortController().signal,
    onProgress: (one) => progress.push(one),
    ...changes,
  };
  return { sweep, machine, sink, progress, run: (done) => machine.clock.runUntil(done) };
}

const ROLE = roleSchema.parse({ name: "Dev", maxOutputTokens: 10 });

export function paperCell(slots: number, contextTokensPerSlot: number): SweepCell {
  return {
    name: `${slots}x${contextTokensPerSlot}`,
    configuration: { slots, contextTokensPerSlot },
    vision: "as-preset",
    agents: [{ name: "Dev-1", role: ROLE }],
  };
}
