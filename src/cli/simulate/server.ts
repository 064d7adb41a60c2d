/** Which server is simulated: its settings from a preset, its model from a file's header or a published configuration. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { OperatorError } from "../../core/errors.ts";
import { modelFacts } from "../../predict/gguf/model-facts.ts";
import type { ModelFacts } from "../../predict/gguf/model-facts.ts";
import { projectorBytes } from "../../predict/gguf/model-keys.ts";
import { readGguf } from "../../predict/gguf/read-gguf.ts";
import { DESCRIBED_MODELS, describedModel } from "../../predict/simulate/described-model.ts";
import type { LlamaServerSettings } from "../../predict/vram/launch-memory.ts";
import { presetNamed } from "../../preset/catalogue.ts";
import type { Preset } from "../../preset/preset.ts";
import { kvTypes } from "../capacity/flags.ts";
import { loadPresets } from "../fleet/preset-folders.ts";
import type { CliIo } from "../io.ts";
import type { RawSimulateFlags, ServedBy } from "./flags.ts";
import { SERVED_BY, flagError, oneOf } from "./flags.ts";

export interface SimulatedServer {
  /** The preset's name or the model's. */
  readonly name: string;
  readonly servedBy: ServedBy;
  /** What does not vary from cell to cell, and the defaults of what does. */
  readonly settings: LlamaServerSettings;
  readonly facts: ModelFacts;
  readonly projectorBytes?: number;
}

/** Throws FLAG_INVALID, PRESET_UNKNOWN, ENGINE_UNSUPPORTED, and what reading a header throws. */
export function serverOf(flags: RawSimulateFlags, io: CliIo): SimulatedServer {
  const served = flags.engine === undefined ? undefined : oneOf("--engine", flags.engine, SERVED_BY);
  if (flags.preset === undefined) {
    if (flags.model === undefined)
      throw flagError("--preset", "nothing", "or --model says which server is simulated");
    const facts = factsOf(flags.model, io.cwd);
    return {
      name: facts.name ?? flags.model,
      servedBy: served ?? "llama-server",
      settings: settingsOf(flags),
      facts,
    };
  }
  const { preset } = presetNamed(loadPresets(io, flags.presetsDir), flags.preset);
  if (preset.engine !== "llama-server" && preset.engine !== "ollama") throw unsupported(preset);
  const facts = factsOf(flags.model ?? preset.model, io.cwd);
  const common = { name: preset.name, servedBy: served ?? preset.engine, facts };
  if (preset.engine === "ollama") {
    const { slots, contextTokensPerSlot, gpuLayers, kvType } = preset;
    return {
      ...common,
      settings: {
        slots: slots ?? 1,
        contextTokensPerSlot,
        gpuLayers,
        kvTypeK: kvType,
        kvTypeV: kvType,
        ...settingsOf(flags),
      },
    };
  }
  const projector =
    preset.mmproj === undefined || !existsSync(preset.mmproj)
      ? undefined
      : projectorBytes(readGguf(preset.mmproj));
  return {
    ...common,
    settings: { ...preset, ...settingsOf(flags) },
    facts:
      preset.mmproj !== undefined && projector === undefined ? withoutProjector(facts, preset.mmproj) : facts,
    ...(projector === undefined ? {} : { projectorBytes: projector }),
  };
}

/** Several cache types are an axis of the grid; one is a setting of the server. */
function settingsOf({ unifiedKv, kv }: RawSimulateFlags): LlamaServerSettings {
  const [kvType, ...others] = kvTypes(kv);
  return {
    ...(unifiedKv === undefined ? {} : { unifiedKv }),
    ...(kvType === undefined || others.length > 0 ? {} : { kvTypeK: kvType, kvTypeV: kvType }),
  };
}

function withoutProjector(facts: ModelFacts, path: string): ModelFacts {
  return {
    ...facts,
    caveats: [...facts.caveats, `the projector ${path} is not here, so that its memory is not counted`],
  };
}

/** A described model by its name; else a file; else, where the file is not here, the description of what it would hold. */
function factsOf(model: string, cwd: string): ModelFacts {
  const path = resolve(cwd, model);
  if (!DESCRIBED_MODELS.includes(model.toLowerCase()) && existsSync(path)) return modelFacts(readGguf(path));
  const described = describedModel(model);
  if (described !== undefined) return described;
  throw new OperatorError("FILE_NOT_FOUND", {
    message: "the model is no file that is here, and no model that is known by name",
    received: model,
    nextStep: `give a GGUF file, or one of ${DESCRIBED_MODELS.join(", ")} with --model`,
  });
}

function unsupported({ name, engine }: Preset): OperatorError {
  return new OperatorError("ENGINE_UNSUPPORTED", {
    message: "only llama-server and Ollama are simulated from a preset",
    received: `${name}, on ${engine}`,
    nextStep: "give a preset of llama-server or Ollama, or a model with --model",
  });
}
