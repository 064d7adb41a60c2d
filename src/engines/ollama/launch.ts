/** How a model comes into an Ollama: one that somebody keeps, or one started for it. */
import { hostInUrl, urlOf } from "../../preset/address.ts";
import type { ProcessLaunch, ResidentLaunch } from "../../preset/launch.ts";
import type { OllamaPreset } from "../../preset/preset.ts";

export function launchOllama(preset: OllamaPreset, port: number): ResidentLaunch {
  return {
    kind: "resident",
    url: urlOf(preset.host, port),
    model: preset.model,
    ...(preset.serve === "own" && { server: ownServer(preset, port) }),
  };
}

/** `ollama serve` takes no arguments; everything is set by the variables that its `--help` lists. */
function ownServer(preset: OllamaPreset, port: number): ProcessLaunch {
  return {
    kind: "process",
    command: preset.program,
    args: ["serve"],
    env: {
      // The preset's model stays until it is unloaded, and no request for another can push it out.
      OLLAMA_KEEP_ALIVE: "-1",
      OLLAMA_MAX_LOADED_MODELS: "1",
      ...variable("OLLAMA_NUM_PARALLEL", preset.slots),
      ...variable("OLLAMA_CONTEXT_LENGTH", preset.contextTokensPerSlot),
      ...variable("OLLAMA_KV_CACHE_TYPE", preset.kvType),
      // A quantised cache is ignored without it.
      ...(preset.kvType !== undefined && preset.kvType !== "f16" && { OLLAMA_FLASH_ATTENTION: "1" }),
      ...preset.env,
      OLLAMA_HOST: `${hostInUrl(preset.host)}:${port}`,
    },
    url: urlOf(preset.host, port),
    healthPath: preset.healthPath ?? "/api/version",
  };
}

function variable(name: string, value: string | number | undefined): Readonly<Record<string, string>> {
  return value === undefined ? {} : { [name]: `${value}` };
}
