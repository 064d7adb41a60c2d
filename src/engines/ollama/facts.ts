/** What Ollama makes of the settings that it is asked for. */
import type { EndpointFacts } from "../../record/run-manifest.ts";
import type { EngineLink } from "../assemble.ts";
import type { LoadedModel, SamplingOptions } from "../engine.ts";
import { amountAt, recordAt, textAt } from "../json-shape.ts";
import { baseFacts } from "../openai/openai.ts";
import { sameModel } from "./model-name.ts";

/**
 * More layers than the model's blocks and its output layer cannot be on the GPU, and a context
 * cannot be longer than the model was trained for: what is asked above that is clamped, so cells
 * that differ only there are repeats. A loaded model's context, where the version reports it,
 * is the fact itself, and so is that none of it is in VRAM.
 */
export async function readFacts(
  link: EngineLink,
  model: string,
  options: SamplingOptions | undefined,
  loaded: readonly LoadedModel[],
): Promise<EndpointFacts> {
  const version = textAt(await link.control.getJson("/api/version"), "version");
  const show = await link.control.postJson("/api/show", { model }, { model });
  const info = recordAt(show, "model_info");
  const details = recordAt(show, "details");
  const architecture = textAt(info, "general.architecture");
  const modelLayers = amountAt(info, `${architecture}.block_count`);
  const trainedContextTokens = amountAt(info, `${architecture}.context_length`);
  const inMemory = loaded.find((entry) => sameModel(entry.model, model));
  const gpuLayers =
    inMemory?.vramBytes === 0
      ? 0
      : clamped(options?.numGpu, modelLayers === undefined ? undefined : modelLayers + 1);
  const contextTokens = inMemory?.contextTokens ?? clamped(options?.numCtx, trainedContextTokens);
  const settings: Record<string, string | number> = {};
  for (const [name, value] of [
    ["architecture", architecture],
    ["quantization", textAt(details, "quantization_level")],
    ["parameterSize", textAt(details, "parameter_size")],
    ["trainedContextTokens", trainedContextTokens],
    ["modelBytes", inMemory?.sizeBytes],
    ["modelVramBytes", inMemory?.vramBytes],
  ] as const)
    if (value !== undefined) settings[name] = value;
  return {
    ...baseFacts(link, "ollama"),
    model,
    ...(version !== undefined && { version }),
    ...(modelLayers !== undefined && { modelLayers }),
    ...(gpuLayers !== undefined && { gpuLayers }),
    ...(contextTokens !== undefined && { contextTokens }),
    settings,
  };
}

/** Unknown when nothing was asked for; what was asked, when the ceiling is unknown. */
function clamped(asked: number | undefined, ceiling: number | undefined): number | undefined {
  if (asked === undefined || asked < 0) return undefined;
  return ceiling === undefined ? asked : Math.min(asked, ceiling);
}
