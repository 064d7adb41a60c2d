/** What a simulated engine can be told, and what it settles on. Plain data: it is handed to a worker thread as it is. */
import { OperatorError } from "../../core/errors.ts";
import { GPU_CATALOGUE, findGpu } from "../../hardware/gpu-catalogue.ts";
import type { GpuSpec } from "../../hardware/gpu-catalogue.ts";
import { DEFAULT_MODEL_SHAPE, MODEL_SHAPES, findModelShape } from "../../predict/model-shape.ts";
import type { ModelShape } from "../../predict/model-shape.ts";
import { LLAMA_CPP_KERNELS, VLLM_KERNELS } from "../../predict/step-time.ts";
import type { KernelEfficiency } from "../../predict/step-time.ts";
import type { ServingMode } from "../../predict/simulate/slot-engine-options.ts";

/** Which server's API it answers. Every one includes the OpenAI API; "any" answers all of them. */
export const FLAVOURS = ["any", "ollama", "llama-server", "openai"] as const;
export type Flavour = (typeof FLAVOURS)[number];

export const SERVING_MODES: readonly ServingMode[] = ["continuous", "sequential", "time-shared"];

export interface SimulatedOptions {
  /** 0: a free one. */
  readonly port?: number;
  readonly host?: string;
  readonly like?: Flavour;
  /** A name of the GPU catalogue. */
  readonly gpu?: string;
  /** A name of the model shapes; default: the first model's, or an 8B in 4 bits. */
  readonly shape?: string;
  /** Whose kernels: "llama.cpp" or "vllm". */
  readonly kernels?: string;
  /** Names the server serves the model under. */
  readonly models?: readonly string[];
  readonly mode?: ServingMode;
  readonly slots?: number;
  /** Context of one slot. */
  readonly contextTokens?: number;
  readonly batchTokens?: number;
  readonly loadMs?: number;
  /** Relative standard deviation of a step. */
  readonly jitter?: number;
  /** Everything goes this many times faster. */
  readonly speed?: number;
  readonly seed?: number;
  /** Mean output length where the request does not fix it. */
  readonly meanOutputTokens?: number;
}

export interface SimulatedSettings extends Required<Omit<SimulatedOptions, "gpu" | "shape" | "kernels">> {
  readonly gpu: GpuSpec;
  readonly kernels: KernelEfficiency;
  readonly shape: ModelShape;
}

const DEFAULTS = {
  port: 0,
  host: "127.0.0.1",
  like: "any",
  mode: "continuous",
  slots: 4,
  contextTokens: 8192,
  // llama-server's --batch-size. A step that carries a long prompt holds up the slots that decode.
  batchTokens: 2048,
  loadMs: 800,
  jitter: 0.01,
  speed: 1,
  seed: 1,
  meanOutputTokens: 128,
} as const satisfies SimulatedOptions;

const DEFAULT_GPU_ID = "rtx-4090";
export const DEFAULT_SIMULATED_MODEL = "slipway-sim:8b";

const HIGHEST_PORT = 65_535;

/** Far above any real server's; each step looks at every slot. */
const MOST_SLOTS = 1024;

/** Throws FLAG_INVALID for a card, shape or number that cannot be. */
export function settleOptions(options: SimulatedOptions): SimulatedSettings {
  const models =
    options.models === undefined || options.models.length === 0 ? [DEFAULT_SIMULATED_MODEL] : options.models;
  const gpuName = options.gpu ?? DEFAULT_GPU_ID;
  const gpu = findGpu(gpuName) ?? invalid("gpu", gpuName, `one of ${idsOf(GPU_CATALOGUE)}`);
  const shape = settleShape(options.shape, models[0] ?? DEFAULT_SIMULATED_MODEL);
  const kernels = settleKernels(options.kernels ?? LLAMA_CPP_KERNELS.name);
  const settings: SimulatedSettings = { ...DEFAULTS, ...options, models, gpu, shape, kernels };
  within("port", settings.port, 0, HIGHEST_PORT);
  within("slots", settings.slots, 1, MOST_SLOTS);
  within("seed", settings.seed, 0, Number.MAX_SAFE_INTEGER);
  atLeast("batch tokens", settings.batchTokens, settings.slots + 1, true);
  atLeast("context tokens", settings.contextTokens, 2, true);
  atLeast("mean output tokens", settings.meanOutputTokens, 1, true);
  atLeast("load time in ms", settings.loadMs, 0, false);
  atLeast("jitter", settings.jitter, 0, false);
  if (!(settings.speed > 0)) invalid("speed", settings.speed, "a number above 0");
  return settings;
}

function settleShape(asked: string | undefined, model: string): ModelShape {
  if (asked === undefined) return findModelShape(model) ?? DEFAULT_MODEL_SHAPE;
  const known = MODEL_SHAPES.map((shape) => shape.name).join(", ");
  return findModelShape(asked) ?? invalid("shape", asked, `one of ${known}`);
}

function settleKernels(asked: string): KernelEfficiency {
  const known = [LLAMA_CPP_KERNELS, VLLM_KERNELS];
  const names = known.map((kernels) => kernels.name).join(" or ");
  return known.find((kernels) => kernels.name === asked) ?? invalid("kernels", asked, names);
}

function idsOf(gpus: readonly GpuSpec[]): string {
  return gpus.map((gpu) => gpu.id).join(", ");
}

function atLeast(what: string, value: number, least: number, whole: boolean): void {
  if (value >= least && Number.isFinite(value) && (!whole || Number.isInteger(value))) return;
  invalid(what, value, `${whole ? "a whole number" : "a number"} of at least ${least}`);
}

function within(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    invalid(what, value, `a whole number from ${least} to ${most}`);
}

function invalid(what: string, received: unknown, rule: string): never {
  throw new OperatorError("FLAG_INVALID", {
    message: `the simulated engine's ${what} must be ${rule}`,
    received,
    nextStep: "give such a value, or leave it out for the default",
  });
}
