/** A model inside a running Ollama: loaded and unloaded by requests, verified by /api/ps. */
import { OperatorError, messageOf } from "../core/errors.ts";
import type { SamplingOptions } from "../engines/engine.ts";
import { sameModel } from "../engines/ollama/model-name.ts";
import type { OllamaPreset, Preset } from "../preset/preset.ts";
import type { ServerLink } from "./server-link.ts";

/** Stays until it is unloaded. Without it Ollama drops a model after five idle minutes. */
const KEEP_FOR_EVER = -1;

/** What decides how a model is loaded; a request that names other values has it loaded anew. */
export function residentOptions(preset: OllamaPreset): SamplingOptions {
  return {
    ...(preset.gpuLayers !== undefined && { numGpu: preset.gpuLayers }),
    ...(preset.contextTokensPerSlot !== undefined && { numCtx: preset.contextTokensPerSlot }),
  };
}

/** Undefined once /api/ps lists the model, else the reason. */
export async function loadResident({ preset, control, engine }: ServerLink): Promise<string | undefined> {
  if (preset.engine !== "ollama") return `${preset.engine} is no server for several models`;
  const { numGpu, numCtx } = residentOptions(preset);
  const options = {
    ...(numGpu !== undefined && { num_gpu: numGpu }),
    ...(numCtx !== undefined && { num_ctx: numCtx }),
  };
  const body = { model: preset.model, keep_alive: KEEP_FOR_EVER, stream: false, options };
  // A model that only embeds refuses /api/generate; an empty prompt or input loads and does no more.
  const { failure } = preset.embedding
    ? await control.ask("POST", "/api/embed", { ...body, input: "" }, preset.startLimitMs)
    : await control.ask("POST", "/api/generate", body, preset.startLimitMs);
  if (failure !== undefined) return failure.message;
  const loaded = (await engine?.loaded?.()) ?? [];
  if (loaded.some(({ model }) => sameModel(model, preset.model))) return undefined;
  const others = loaded.map(({ model }) => model).join(", ");
  return `${preset.model} was loaded, and /api/ps lists ${others === "" ? "no model" : `only ${others}`}`;
}

/** After its last request: Ollama gives GPU memory back within some seconds. */
const FREEING_LIMIT_MS = 10_000;

/** Nothing can be cut off in a server of somebody else's: what runs on the model has this long to end. */
export function unloadLimitMs({ drainLimitMs }: Preset): number {
  return drainLimitMs + FREEING_LIMIT_MS;
}

/**
 * Undefined once /api/ps no longer lists the model, or nobody listens any more; else the reason.
 * Ollama lets a model that is asked to go serve the requests it has.
 */
export async function unloadResident({ preset, engine }: ServerLink): Promise<string | undefined> {
  if (preset.engine !== "ollama") return `${preset.engine} is no server for several models`;
  const limitMs = unloadLimitMs(preset);
  try {
    await engine?.unload?.(preset.model, limitMs);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof OperatorError && thrown.code === "ENDPOINT_REFUSED") return undefined;
    const loaded = (await engine?.loaded?.().catch(() => undefined)) ?? [];
    return loaded.some(({ model }) => sameModel(model, preset.model))
      ? `a request on it still runs after ${limitMs} ms, and it goes when the last one has ended`
      : messageOf(thrown);
  }
}
