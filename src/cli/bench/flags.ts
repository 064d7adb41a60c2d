/** The flags of `slipway bench`, parsed once into typed values; every error names the flag. */
import { OperatorError } from "../../core/errors.ts";
import { MAX_AGENTS } from "../../core/limits.ts";
import type { EngineKind } from "../../engines/engine.ts";
import type { ScenarioEndpoint } from "../../workload/scenario.ts";

/** As commander hands them over. */
export interface RawBenchFlags {
  readonly runs?: string;
  readonly endpoint?: readonly string[];
  readonly engine?: string;
  readonly model?: string;
  readonly agents?: string;
  readonly agent?: readonly string[];
  readonly agent1?: string;
  readonly agent2?: string;
  readonly corpus?: string;
  readonly solo: boolean;
  readonly seed?: string;
  readonly requests?: string;
  readonly promptTokens?: string;
  readonly outputTokens?: string;
  readonly maxInFlight?: string;
  readonly unload?: string;
  readonly coolDownMs?: string;
  readonly promptCache?: string;
  readonly retries?: string;
  readonly gapLimitMs?: string;
  readonly totalLimitMs?: string;
  readonly credentialEnv?: readonly string[];
  readonly credentialFile?: readonly string[];
  readonly simulated?: boolean;
  readonly gpu?: string;
  readonly slots?: string;
  readonly runsDir: string;
  readonly cell?: string;
  readonly resume?: string;
  readonly durable?: boolean;
  readonly telemetry: boolean;
  readonly selftest?: string | boolean;
  readonly json?: boolean;
  /** From slipway.yaml, not from a flag: used where no --endpoint is given. */
  readonly configuredEndpoints?: Readonly<Record<string, ScenarioEndpoint>>;
}

/** Changes to one agent, by place (`--agent1`) or by name (`--agent name:…`). */
export interface AgentChange {
  readonly who: number | string;
  readonly fields: Readonly<Record<string, number | boolean | string>>;
}

function flagError(flag: string, received: string, rule: string): OperatorError {
  return new OperatorError("FLAG_INVALID", {
    message: `${flag} ${rule}`,
    received,
    nextStep: "slipway bench --help shows every flag with an example",
  });
}

export function wholeNumber(
  flag: string,
  text: string | undefined,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least || text.trim() === "")
    throw flagError(flag, text, `needs a whole number of at least ${least}`);
  if (value > most) throw flagError(flag, text, `is at most ${most}`);
  return value;
}

/** `1,2,4,8` → a ladder of agent counts. */
export function agentCounts(text: string | undefined): readonly number[] | undefined {
  return text?.split(",").map((part) => wholeNumber("--agents", part, 1, MAX_AGENTS) as number);
}

const ENGINES: readonly EngineKind[] = ["openai", "vllm", "tgi", "llama-server", "ollama", "simulated"];

export function engineKind(text: string | undefined): EngineKind | undefined {
  if (text === undefined) return undefined;
  const kind = ENGINES.find((known) => known === text);
  if (kind === undefined) throw flagError("--engine", text, `is one of ${ENGINES.join(", ")}`);
  return kind;
}

export function oneOf<T extends string>(
  flag: string,
  text: string | undefined,
  allowed: readonly T[],
): T | undefined {
  if (text === undefined) return undefined;
  const value = allowed.find((known) => known === text);
  if (value === undefined) throw flagError(flag, text, `is one of ${allowed.join(", ")}`);
  return value;
}

/** `a=http://…` pairs; without a name the first is `a`, the second `b`, and so on. */
export function namedValues(
  flag: string,
  values: readonly string[] | undefined,
): ReadonlyMap<string, string> {
  const named = new Map<string, string>();
  for (const [index, text] of (values ?? []).entries()) {
    const match = /^([A-Za-z0-9][\w.-]*)=(.+)$/.exec(text);
    const name = match?.[1] ?? String.fromCharCode(97 + index);
    if (named.has(name)) throw flagError(flag, text, `gives ${name} twice; write name=value for each`);
    named.set(name, match?.[2] ?? text);
  }
  return named;
}

/** The names that people know from engines, and where they go in an agent's specification. */
const AGENT_SETTINGS: Readonly<Record<string, string>> = {
  num_gpu: "options.numGpu",
  num_ctx: "options.numCtx",
  temperature: "options.temperature",
  seed: "options.seed",
  slot_id: "options.slotId",
  thinking: "options.thinking",
  num_predict: "outputTokens",
  output_tokens: "outputTokens",
  prompt_tokens: "promptTokens",
  requests: "requests",
  think_ms: "cadence.thinkMs",
  every_ms: "cadence.everyMs",
  model: "model",
  endpoint: "endpoint",
};

export function agentChanges(flags: RawBenchFlags): readonly AgentChange[] {
  const changes: AgentChange[] = [];
  if (flags.agent1 !== undefined) changes.push({ who: 0, fields: settingsOf("--agent1", flags.agent1) });
  if (flags.agent2 !== undefined) changes.push({ who: 1, fields: settingsOf("--agent2", flags.agent2) });
  for (const text of flags.agent ?? []) {
    const separator = text.indexOf(":");
    if (separator < 1) throw flagError("--agent", text, "is written name:setting=value,setting=value");
    changes.push({ who: text.slice(0, separator), fields: settingsOf("--agent", text.slice(separator + 1)) });
  }
  return changes;
}

function settingsOf(flag: string, text: string): Readonly<Record<string, number | boolean | string>> {
  const fields: Record<string, number | boolean | string> = {};
  for (const part of text.split(",")) {
    const separator = part.indexOf("=");
    const path = AGENT_SETTINGS[part.slice(0, separator).trim().replaceAll("-", "_")];
    const value = part.slice(separator + 1).trim();
    if (separator < 1 || path === undefined || value === "")
      throw flagError(
        flag,
        part,
        `takes setting=value pairs; the settings are ${Object.keys(AGENT_SETTINGS).join(", ")}`,
      );
    fields[path] = valueOf(value);
  }
  return fields;
}

function valueOf(text: string): number | boolean | string {
  if (text === "true") return true;
  if (text === "false") return false;
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}
