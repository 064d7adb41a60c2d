/** The command that runs one cell again, from what the run recorded: to be pasted, not adapted. */
import type { RunManifest } from "../../record/run-manifest.ts";
import { scenarioSchema } from "../../workload/scenario.ts";
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
  const words = [...command];
  const flag = words.indexOf("--runs");
  if (flag >= 0) words.splice(flag, 2);
  return { text: ["slipway", ...words, "--runs", String(runs)].map(quoted).join(" "), left: [] };
}

/** One cell again. */
export function readyCommand(cell: CellAnalysis, manifest: RunManifest): ReadyCommand {
  if (cell.scenario === manifest.scenario && holdsSeveralCells(manifest))
    return {
      text: `slipway bench ${scenarioOf(cell, manifest)}`,
      left: [`of its cells only ${cell.label}`],
    };
  const settings = new Map<string, string[]>();
  const flags: string[] = [];
  const left: string[] = [];
  for (const [path, value] of Object.entries(cell.parameters)) {
    const match = /^agents\.([^.]+)\.(.+)$/.exec(path);
    const setting = match?.[2] === undefined ? undefined : SETTINGS[match[2]];
    if (path === "agents") flags.push(`--agents ${String(value)}`);
    else if (match?.[1] === undefined || setting === undefined) left.push(`${path}=${String(value)}`);
    else
      for (const agent of match[1] === "*" ? cell.agentNames : [match[1]])
        settings.set(agent, [...(settings.get(agent) ?? []), `${setting}=${String(value)}`]);
  }
  const used = new Set(cell.agents.flatMap((agent) => agent.endpoints));
  const endpoints = manifest.endpoints.filter((endpoint) => used.has(endpoint.name) && !endpoint.simulated);
  const parts = [
    "slipway bench",
    scenarioOf(cell, manifest),
    ...flags,
    ...endpoints.map(({ name, url }) => `--endpoint ${quoted(`${name}=${url}`)}`),
    ...[...settings].map(([agent, own]) => `--agent ${quoted(`${agent}:${own.join(",")}`)}`),
  ];
  return { text: parts.filter((part) => part !== "").join(" "), left };
}

/** A file's own cells go by the file; a cell of a shipped scenario goes by that scenario's name. */
function scenarioOf(cell: CellAnalysis, { command, scenario }: RunManifest): string {
  const named = command[1];
  const given = named === undefined || named.startsWith("-") ? undefined : named;
  return quoted(cell.scenario === scenario ? (given ?? scenario) : cell.scenario);
}

/** Flags change the agents of a file, not which of its cells run. */
function holdsSeveralCells({ spec }: RunManifest): boolean {
  const parsed = scenarioSchema.safeParse(spec);
  return parsed.success && (parsed.data.cells.length > 0 || Object.keys(parsed.data.matrix).length > 0);
}

function quoted(word: string): string {
  return /^[\w./:=,@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
