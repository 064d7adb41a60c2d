/** From a preset to how it is started. Pure: nothing is looked up, nothing is touched. */
import type { LaunchDescription } from "../preset/launch.ts";
import type { Preset } from "../preset/preset.ts";
import { launchCommand } from "./command/launch.ts";
import { launchLlamaServer } from "./llama-server/launch.ts";
import { launchOllama } from "./ollama/launch.ts";
import { launchVllm } from "./vllm/launch.ts";

/** `port` is the preset's own, or the free one that was chosen for this start. */
export function describeLaunch(preset: Preset, port: number): LaunchDescription {
  switch (preset.engine) {
    case "llama-server":
      return launchLlamaServer(preset, port);
    case "vllm":
      return launchVllm(preset, port);
    case "ollama":
      return launchOllama(preset, port);
    case "command":
      return launchCommand(preset, port);
  }
}
