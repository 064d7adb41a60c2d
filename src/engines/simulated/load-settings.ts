/** `num_ctx` and `num_gpu` of a request, clamped to the model as Ollama does. */
import type { LoadSettings } from "../../predict/simulate/simulated-request.ts";
import { amountAt } from "../json-shape.ts";
import type { JsonRecord } from "../json-shape.ts";
import type { SimulatedHost } from "./host.ts";

/** The simulator needs room for one token in and one out. */
const LEAST_CONTEXT_TOKENS = 2;

/** A context that is not named is the server's default; layers that are not named stay as they are loaded. */
export function readLoadSettings(host: SimulatedHost, options: JsonRecord | undefined): LoadSettings {
  const { shape } = host.settings;
  const context = amountAt(options, "num_ctx") ?? host.defaultLoad.contextTokens;
  const layers = amountAt(options, "num_gpu") ?? (host.loaded ?? host.defaultLoad).gpuLayers;
  return {
    contextTokens: Math.max(Math.min(Math.floor(context), shape.trainedContextTokens), LEAST_CONTEXT_TOKENS),
    gpuLayers: Math.min(Math.floor(layers), shape.layers + 1),
  };
}
