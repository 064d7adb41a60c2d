/** The scripted server process, as a preset and as a launch. Its flags stand in `fake-llm-server.mjs`. */
import { fileURLToPath } from "node:url";
import type { ProcessLaunch } from "../../src/preset/launch.ts";
import { type Preset, presetSchema } from "../../src/preset/preset.ts";

const PROGRAM = fileURLToPath(new URL("fake-llm-server.mjs", import.meta.url));

/** A command preset with a free port; `fields` stand above the defaults. */
export function fakeLlmPreset(
  name: string,
  flags: readonly string[] = [],
  fields: Readonly<Record<string, unknown>> = {},
): Preset {
  return presetSchema.parse({
    name,
    engine: "command",
    command: [process.execPath, PROGRAM, "--host", "{host}", "--port", "{port}", ...flags],
    api: "llama-server",
    ...fields,
  });
}

export function fakeLlmLaunch(port: number, flags: readonly string[] = []): ProcessLaunch {
  return {
    kind: "process",
    command: process.execPath,
    args: [PROGRAM, "--port", `${port}`, ...flags],
    env: {},
    url: `http://127.0.0.1:${port}`,
    healthPath: "/health",
  };
}
