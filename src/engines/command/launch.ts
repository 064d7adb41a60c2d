/** Any program that serves at a URL: what the preset says, with the port and host filled in. */
import { urlOf } from "../../preset/address.ts";
import type { ProcessLaunch } from "../../preset/launch.ts";
import type { CommandPreset } from "../../preset/preset.ts";

export function launchCommand(preset: CommandPreset, port: number): ProcessLaunch {
  const fill = (text: string): string =>
    text.replaceAll("{port}", `${port}`).replaceAll("{host}", preset.host);
  const [command = "", ...args] = [...preset.command, ...preset.extraArgs].map(fill);
  return {
    kind: "process",
    command,
    args,
    env: Object.fromEntries(Object.entries(preset.env).map(([name, value]) => [name, fill(value)])),
    url: urlOf(preset.host, port),
    healthPath: preset.healthPath,
  };
}
