/** The command that runs one cell again, from what the run recorded: to be pasted, not adapted. */
import type { RunManifest } from "../../record/run-manifest.ts";
import type { CellAnalysis } from "../cell.ts";

/** What `bench --agent name:setting=value` calls the fields of an agent. */
const SETTINGS: Readonly<Record<string, string>> = {
  "options.numGpu": "num_gpu",
  "options.numCtx": "num_ctx",
  "options.temperature": "temperature",
  "options.seed": "seed",
  "options.slotId": "slot_id",
  "options.thinking": "thinking",
  outputTokens: "output_tokens",
  promptTokens: "prompt_tokens",
  requests: "requests",
  "cadence.thinkMs": "think_ms",
  "cadence.everyMs": "every_ms",
  model: "model",
  endpoint: "endpoint",
};

export interface ReadyCommand {
  readonly text: string;
  /** What no flag sets and the scenario file has to say. */
  readonly left: readonly string[];
}

/** The whole run again with so many repeats. */
export function repeatCommand({ command }: RunManifest, runs: number): ReadyCommand {
  return { text: words(withFlag(command, "--runs", String(runs))), left: [] };
}

/**
 * One cell again. A run of one cell is its own command; a rung of a ladder is that with one count;
 * a cell of a shipped scenario is that scenario with the cell's settings. Flags change the agents of a
 * file and not which of its cells run, so a cell of any other file is the file, with what to keep of it.
 */
export function readyCommand(cell: CellAnalysis, manifest: RunManifest): ReadyCommand {
  const { agents, ...settings } = cell.parameters;
  if (manifest.cells.length === 1) return { text: words(manifest.command), left: [] };
  if (agents !== undefined && Object.keys(settings).length === 0)
    return { text: words(withFlag(manifest.command, "--agents", String(agents))), left: [] };
  if (cell.scenario !== manifest.scenario) return scenarioCommand(cell, manifest);
  return { text: words(manifest.command), left: [`only the cell ${cell.label}`] };
}

function scenarioCommand(cell: CellAnalysis, manifest: RunManifest): ReadyCommand {
  const settings = new Map<string, string[]>();
  const left: string[] = [];
  for (const [path, value] of Object.entries(cell.parameters)) {
    const match = /^agents\.([^.]+)\.(.+)$/.exec(path);
    const setting = match?.[2] === undefined ? undefined : SETTINGS[match[2]];
    if (match?.[1] === undefined || setting === undefined) left.push(`${path}=${String(value)}`);
    else
      for (const agent of match[1] === "*" ? cell.agentNames : [match[1]])
        settings.set(agent, [...(settings.get(agent) ?? []), `${setting}=${String(value)}`]);
  }
  const used = new Set(cell.agents.flatMap((agent) => agent.endpoints));
  const endpoints = manifest.endpoints.filter((endpoint) => used.has(endpoint.name) && !endpoint.simulated);
  return {
    text: words([
      "slipway",
      "bench",
      cell.scenario,
      ...endpoints.flatMap(({ name, url }) => ["--endpoint", `${name}=${url}`]),
      ...[...settings].flatMap(([agent, own]) => ["--agent", `${agent}:${own.join(",")}`]),
    ]),
    left,
  };
}

function withFlag(command: readonly string[], flag: string, value: string): readonly string[] {
  const place = command.indexOf(flag);
  if (place >= 0) return command.map((word, index) => (index === place + 1 ? value : word));
  return [...command.filter((word) => !word.startsWith(`${flag}=`)), flag, value];
}

function words(command: readonly string[]): string {
  return command.map(quoted).join(" ");
}

function quoted(word: string): string {
  return /^[\w./:=,@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
