/** What can be known of a preset before anything is started: programs, files and ports. */
import { constants, accessSync, openSync, closeSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { systemCodeOf } from "../../core/errors.ts";
import { formatBytes } from "../../core/units.ts";
import type { Check } from "../../fleet/check.ts";
import type { Environment } from "../../preset/expand.ts";
import type { Preset } from "../../preset/preset.ts";
import { fixedPort, listensItself } from "../../preset/preset.ts";

/** In the order of the presets; memory is not looked at, which is a matter of what else runs. */
export async function checkPresets(
  presets: readonly Preset[],
  environment: Environment,
): Promise<readonly Check[]> {
  const checks = await Promise.all(
    presets.map(async (preset) => [
      ...programCheck(preset, environment),
      ...fileChecks(preset),
      ...(await portCheck(preset)),
      declaredCheck(preset),
    ]),
  );
  return checks.flat();
}

function programCheck(preset: Preset, environment: Environment): readonly Check[] {
  if (!listensItself(preset)) return [];
  const program = preset.engine === "command" ? (preset.command[0] as string) : preset.program;
  const found = program.includes("/")
    ? [program].find(isProgram)
    : (environment["PATH"] ?? "")
        .split(delimiter)
        .map((folder) => join(folder, program))
        .find(isProgram);
  const common = { id: "program", preset: preset.name, severity: "error" } as const;
  if (found !== undefined) return [{ ...common, passed: true, message: `${found} can be run` }];
  const where = program.includes("/") ? "is not a program that can be run" : "is not on the PATH";
  const field = preset.engine === "command" ? "command" : "program";
  return [
    {
      ...common,
      passed: false,
      message: `${program} ${where}`,
      remedy: `install it, or give its path in the field ${field}`,
    },
  ];
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function fileChecks(preset: Preset): readonly Check[] {
  if (preset.engine === "llama-server")
    return [
      fileCheck(preset, "model-file", "model", preset.model),
      ...(preset.mmproj === undefined ? [] : [fileCheck(preset, "mmproj-file", "mmproj", preset.mmproj)]),
      ...(preset.draftModel === undefined
        ? []
        : [fileCheck(preset, "draft-file", "draftModel", preset.draftModel)]),
    ];
  // A folder of vLLM's; a name is looked up on its hub by vLLM itself.
  if (preset.engine === "vllm" && preset.model.startsWith("/"))
    return [fileCheck(preset, "model-file", "model", preset.model)];
  return [];
}

function fileCheck(preset: Preset, id: string, field: string, path: string): Check {
  const common = { id, preset: preset.name, severity: "error" } as const;
  try {
    closeSync(openSync(path, "r"));
    const file = statSync(path);
    const size = file.isFile() ? `, ${formatBytes(file.size)}` : "";
    return { ...common, passed: true, message: `${path} can be read${size}` };
  } catch (thrown) {
    const missing = systemCodeOf(thrown) === "ENOENT";
    return {
      ...common,
      passed: false,
      message: missing ? `${path} does not exist` : `${path} cannot be read (${systemCodeOf(thrown)})`,
      remedy: missing ? `put the file there, or correct the field ${field}` : "mend its permissions",
    };
  }
}

async function portCheck(preset: Preset): Promise<readonly Check[]> {
  const port = fixedPort(preset);
  if (port === undefined || !listensItself(preset)) return [];
  const common = { id: "port", preset: preset.name, severity: "error" } as const;
  const refused = await refusalOf(preset.host, port);
  if (refused === undefined) return [{ ...common, passed: true, message: `port ${port} is free` }];
  return [
    {
      ...common,
      passed: false,
      message:
        refused === "EADDRINUSE"
          ? `port ${port} is taken`
          : `cannot listen at ${preset.host}:${port} (${refused})`,
      remedy:
        refused === "EADDRINUSE"
          ? `end what listens there (a server of this preset that runs already, maybe), or write port: free`
          : "correct the fields host and port",
    },
  ];
}

/** Listens for an instant, which is the only way to know. */
function refusalOf(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(systemCodeOf(error) ?? error.message));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

function declaredCheck(preset: Preset): Check {
  const { vramMib, hostMib } = preset.memory;
  const common = { id: "memory-declared", preset: preset.name, severity: "warning" } as const;
  if (vramMib === undefined && hostMib === undefined)
    return {
      ...common,
      passed: false,
      message: "declares no memory, so that a switch cannot promise that it fits",
      remedy: "run it alone, read what it takes, and write it into the field memory",
    };
  const figures = [
    ...(vramMib === undefined ? [] : [`${vramMib} MiB of GPU memory`]),
    ...(hostMib === undefined ? [] : [`${hostMib} MiB of host memory`]),
  ];
  return { ...common, passed: true, message: `declares ${figures.join(" and ")}` };
}
