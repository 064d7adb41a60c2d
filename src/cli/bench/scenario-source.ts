/** From a scenario's name or file and the flags to one complete scenario. Flags win over the file. */
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { OperatorError } from "../../core/errors.ts";
import { readTextFile } from "../../core/file.ts";
import { parseWith, parseYaml } from "../../core/yaml.ts";
import { readRole } from "../../workload/read-roles.ts";
import { resolveRoles } from "../../workload/resolve-roles.ts";
import type { Scenario, ScenarioInput } from "../../workload/scenario.ts";
import { scenarioSchema } from "../../workload/scenario.ts";
import type { RawBenchFlags } from "./flags.ts";
import { agentChanges, agentCounts, oneOf, wholeNumber } from "./flags.ts";

const EXAMPLES = fileURLToPath(new URL("../../../examples/", import.meta.url));

export interface ScenarioSource {
  readonly scenario: Scenario;
  /** Shipped scenarios take whatever engine is found; a file of the operator's own means what it says. */
  readonly shipped: boolean;
}

export function shippedScenarios(): readonly string[] {
  return readdirSync(`${EXAMPLES}scenarios`)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => basename(file, ".yaml"))
    .sort();
}

export function sampleCorpusFolder(): string {
  return `${EXAMPLES}corpus`;
}

export function loadScenario(nameOrFile: string, flags: RawBenchFlags, cwd: string): ScenarioSource {
  const { path, shipped } = locate(nameOrFile, cwd);
  const raw = parseYaml(readTextFile(path), path);
  const folder = dirname(path);
  const parsed = resolveRoles(parseWith(scenarioSchema, raw, path), (role) => readRole(role, folder));
  const changed = applyFlags(parsed, flags);
  return { scenario: parseWith(scenarioSchema, changed, "the flags"), shipped };
}

function locate(nameOrFile: string, cwd: string): { readonly path: string; readonly shipped: boolean } {
  const names = shippedScenarios();
  if (names.includes(nameOrFile)) return { path: `${EXAMPLES}scenarios/${nameOrFile}.yaml`, shipped: true };
  const path = resolve(cwd, nameOrFile);
  if (existsSync(path)) return { path, shipped: path.startsWith(EXAMPLES) };
  throw new OperatorError("SCENARIO_UNKNOWN", {
    message: "no shipped scenario and no file has this name",
    received: nameOrFile,
    nextStep: `choose one of ${names.join(", ")}, or give the path of a YAML file`,
  });
}

function applyFlags(scenario: Scenario, flags: RawBenchFlags): ScenarioInput {
  const changed: Record<string, unknown> = structuredClone(scenario);
  const put = (field: string, value: unknown): void => {
    if (value !== undefined) changed[field] = value;
  };
  put("runs", wholeNumber("--runs", flags.runs, 1));
  put("seed", wholeNumber("--seed", flags.seed, 0));
  put("unload", oneOf("--unload", flags.unload, ["natural", "forced"]));
  put("promptCache", oneOf("--prompt-cache", flags.promptCache, ["cold", "warm"]));
  put("coolDownMs", wholeNumber("--cool-down-ms", flags.coolDownMs, 0));
  put("retries", wholeNumber("--retries", flags.retries, 0));
  put("corpus", flags.corpus);
  if (!flags.solo) put("solo", false);
  changed["limits"] = {
    ...scenario.limits,
    ...numberField("gapMs", wholeNumber("--gap-limit-ms", flags.gapLimitMs, 1)),
    ...numberField("totalMs", wholeNumber("--total-limit-ms", flags.totalLimitMs, 1)),
  };
  changed["agents"] = changedAgents(scenario, flags);
  return withLadder(changed as unknown as ScenarioInput, scenario, flags);
}

function numberField(name: string, value: number | undefined): Record<string, number> {
  return value === undefined ? {} : { [name]: value };
}

function changedAgents(scenario: Scenario, flags: RawBenchFlags): readonly Record<string, unknown>[] {
  const forAll = {
    ...numberField("requests", wholeNumber("--requests", flags.requests, 1)),
    ...numberField("promptTokens", wholeNumber("--prompt-tokens", flags.promptTokens, 1)),
    ...numberField("outputTokens", wholeNumber("--output-tokens", flags.outputTokens, 1)),
    ...(flags.model === undefined ? {} : { model: flags.model }),
  };
  const agents = scenario.agents.map(
    (agent): Record<string, unknown> => ({ ...structuredClone(agent), ...forAll }),
  );
  for (const change of agentChanges(flags)) {
    const agent =
      typeof change.who === "number"
        ? agents[change.who]
        : agents.find((known) => known["name"] === change.who);
    if (agent === undefined)
      throw new OperatorError("FLAG_INVALID", {
        message: `scenario ${scenario.name} has no such agent`,
        received: typeof change.who === "number" ? `agent${change.who + 1}` : change.who,
        nextStep: `its agents are ${scenario.agents.map((known) => known.name).join(", ")}`,
      });
    for (const [path, value] of Object.entries(change.fields)) assignPath(agent, path, value);
  }
  return agents;
}

function assignPath(agent: Record<string, unknown>, path: string, value: unknown): void {
  const [field, inner] = path.split(".") as [string, string?];
  if (inner === undefined) agent[field] = value;
  // A cadence is one thing or the other; options add up.
  else if (field === "cadence") agent[field] = { [inner]: value };
  else agent[field] = { ...(agent[field] as Record<string, unknown>), [inner]: value };
}

/**
 * `--agents 4` makes the scenario's agents four by repeating them in turn; `--agents 1,2,4,8` makes
 * a cell of each count. Cells share the agents' settings, so their solo trials are the same.
 */
function withLadder(changed: ScenarioInput, scenario: Scenario, flags: RawBenchFlags): ScenarioInput {
  const counts = agentCounts(flags.agents);
  if (counts === undefined) return changed;
  const most = Math.max(...counts);
  const agents = Array.from({ length: most }, (_, index) => {
    const template = changed.agents[index % changed.agents.length] as ScenarioInput["agents"][number];
    return most <= scenario.agents.length ? template : { ...template, name: `agent-${index + 1}` };
  });
  if (counts.length === 1) return { ...changed, agents };
  if (scenario.cells.length > 0)
    throw new OperatorError("FLAG_INVALID", {
      message: "--agents with several counts needs a scenario without cells of its own",
      received: flags.agents,
      nextStep: "give one count, or use a scenario such as quick",
    });
  return { ...changed, agents, agentCounts: [...counts] };
}
