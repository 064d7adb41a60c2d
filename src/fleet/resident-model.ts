/** A model inside a running Ollama: loaded and unloaded by requests, verified by /api/ps. */
import { messageOf } from "../core/errors.ts";
import type { SamplingOptions } from "../engines/engine.ts";
import { sameModel } from "../engines/ollama/model-name.ts";
import type { OllamaPreset } from "../preset/preset.ts";
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

/** Undefined once /api/ps no longer lists the model, else the reason. */
export async function unloadResident({ preset, engine }: ServerLink): Promise<string | undefined> {
  if (preset.engine !== "ollama") return `${preset.engine} is no server for several models`;
  try {
    await engine?.unload?.(preset.model);
    return undefined;
  } catch (thrown) {
    return messageOf(thrown);
  }
}
