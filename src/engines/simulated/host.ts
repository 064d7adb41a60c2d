/**
 * The simulated engine behind its APIs: one model, its slots, and generations that turn emissions
 * of the simulator into text. The API files translate requests into `start` and text into frames.
 */
import type { Clock } from "../../core/clock.ts";
import { msToNs } from "../../core/units.ts";
import { kvBytesPerToken } from "../../predict/model-shape.ts";
import { PacedEngine } from "../../predict/simulate/paced-engine.ts";
import type { LoadSettings, RequestTimings, SlotView } from "../../predict/simulate/simulated-request.ts";
import { SlotEngine } from "../../predict/simulate/slot-engine.ts";
import type { SlotEngineOptions } from "../../predict/simulate/slot-engine-options.ts";
import { gpuShare } from "../../predict/step-time.ts";
import { naturalLengthTokens, textSource } from "./generated-text.ts";
import type { SimulatedSettings } from "./options.ts";
import { tokenize } from "./token-rule.ts";

export interface GenerationSpec {
  readonly prompt: string;
  /** Longest output; absent: as long as the model likes. */
  readonly maxTokens?: number;
  /** Never stop before `maxTokens`, or before the context is full. */
  readonly ignoreEos: boolean;
  readonly seed: number;
  readonly cachePrompt: boolean;
  readonly slotId?: number;
  readonly load?: LoadSettings;
}

export type FinishReason = "stop" | "length";

export interface GenerationSink {
  /** One token's text; the reason to finish comes with the last one. */
  onToken(text: string, timings: RequestTimings, finish: FinishReason | undefined): void;
}

export type Started =
  | { readonly kind: "started"; cancel(): void }
  | { readonly kind: "refused"; readonly promptTokens: number; readonly contextTokens: number };

/** Totals since the start, for /metrics. */
export interface HostTotals {
  promptTokens: number;
  promptNs: number;
  outputTokens: number;
  outputNs: number;
}

/** The simulator's view of the settings. */
export function engineOptions(settings: SimulatedSettings): SlotEngineOptions {
  const { shape, gpu, kernels, contextTokens, loadMs, mode, slots, batchTokens, jitter, speed, seed } =
    settings;
  return {
    time: { model: shape, device: gpu, efficiency: kernels },
    defaults: { contextTokens, gpuLayers: shape.layers + 1 },
    loadNs: msToNs(loadMs),
    ...{ mode, slots, batchTokens, jitter, speed, seed },
  };
}

export class SimulatedHost {
  readonly settings: SimulatedSettings;
  readonly clock: Clock;
  readonly totals: HostTotals = { promptTokens: 0, promptNs: 0, outputTokens: 0, outputNs: 0 };
  readonly #engineOptions: SlotEngineOptions;
  readonly #paced: PacedEngine;
  #requests = 0;
  #unloadWhenIdle = false;
  #loadingAtStart = false;

  constructor(settings: SimulatedSettings, clock: Clock) {
    this.settings = settings;
    this.clock = clock;
    this.#engineOptions = engineOptions(settings);
    this.#paced = new PacedEngine(new SlotEngine(this.#engineOptions), clock);
  }

  get defaultLoad(): LoadSettings {
    return this.#engineOptions.defaults;
  }

  get loaded(): LoadSettings | undefined {
    return this.#paced.engine.loaded;
  }

  get slots(): readonly SlotView[] {
    return this.#paced.engine.slots;
  }

  get waiting(): number {
    return this.#paced.engine.waiting;
  }

  /** Weights and the cache of every slot, split by where they lie. */
  memory(load: LoadSettings): { readonly totalBytes: number; readonly vramBytes: number } {
    const cacheBytes = kvBytesPerToken(this.settings.shape) * load.contextTokens * this.settings.slots;
    const totalBytes = this.settings.shape.weightBytes + cacheBytes;
    const share = gpuShare({ ...this.#engineOptions.time, gpuLayers: load.gpuLayers });
    return { totalBytes: Math.round(totalBytes), vramBytes: Math.round(totalBytes * share) };
  }

  start(spec: GenerationSpec, sink: GenerationSink): Started {
    const promptIds = tokenize(spec.prompt);
    const promptTokens = Math.max(promptIds.length, 1);
    const { seed, meanOutputTokens } = this.settings;
    const most = spec.maxTokens ?? Number.MAX_SAFE_INTEGER;
    const natural = spec.ignoreEos
      ? Number.MAX_SAFE_INTEGER
      : naturalLengthTokens(seed, spec.seed, spec.prompt, meanOutputTokens);
    const words = textSource(seed, spec.seed, spec.prompt);
    const id = `request-${++this.#requests}`;
    let finish: FinishReason = natural <= most ? "stop" : "length";
    const admission = this.#paced.submit(
      {
        id,
        promptTokens,
        outputTokens: Math.min(natural, most),
        ...(spec.cachePrompt ? { promptIds } : {}),
        ...(spec.slotId === undefined ? {} : { slotId: spec.slotId }),
        ...(spec.load === undefined ? {} : { load: spec.load }),
      },
      {
        onToken: (timings, isLast) => {
          if (isLast) this.#account(timings);
          sink.onToken(words.next(), timings, isLast ? finish : undefined);
        },
      },
    );
    if (admission.kind === "refused")
      return { kind: "refused", promptTokens, contextTokens: admission.contextTokens };
    if (admission.cutByContext) finish = "length";
    return { kind: "started", cancel: () => this.#cancel(id) };
  }

  /** Loads the model and calls back with the time it took, nanoseconds; 0 when it is loaded like this already. */
  load(load: LoadSettings, onLoaded: (loadNs: number) => void): void {
    const now = this.loaded;
    if (now?.contextTokens === load.contextTokens && now.gpuLayers === load.gpuLayers) {
      onLoaded(0);
      return;
    }
    // One token in and out: the simulator loads for a request, as Ollama's scheduler does.
    this.#paced.submit(
      { id: `load-${++this.#requests}`, promptTokens: 1, outputTokens: 1, load },
      { onToken: (timings) => onLoaded(timings.loadNs) },
    );
  }

  /** Such a server answers 503 until its model is there; Ollama loads on the first request instead. */
  get isLoadingAtStart(): boolean {
    return this.#loadingAtStart;
  }

  /** Servers other than Ollama load their model when they start. */
  loadAtStart(): void {
    const { like } = this.settings;
    if (like !== "llama-server" && like !== "openai") return;
    this.#loadingAtStart = true;
    this.load(this.defaultLoad, () => {
      this.#loadingAtStart = false;
    });
  }

  /** At once, or as soon as the last request has ended. */
  unload(): void {
    this.#unloadWhenIdle = this.waiting > 0 || !this.#paced.engine.unload();
  }

  stop(): void {
    this.#paced.stop();
  }

  #cancel(id: string): void {
    this.#paced.cancel(id);
    this.#unloadIfDue();
  }

  /** Counts what has finished, and a due unload finds the engine idle. */
  #account(timings: RequestTimings): void {
    this.totals.promptTokens += timings.promptTokens - timings.cachedTokens;
    this.totals.promptNs += timings.firstTokenNs - timings.startedNs;
    this.totals.outputTokens += timings.outputTokens;
    this.totals.outputNs += timings.latestTokenNs - timings.firstTokenNs;
    this.#unloadIfDue();
  }

  #unloadIfDue(): void {
    if (this.#unloadWhenIdle) this.unload();
  }
}
