/**
 * What must be true before a trial's barrier: models loaded with their options, settings read
 * back, prompts calibrated, connections open, and the engine warm, by requests that are recorded as
 * warm-up, share no prompt with the measured ones and never enter a figure.
 */
import { specHash } from "../core/ids.ts";
import { randomStream } from "../core/random.ts";
import { MS_PER_S, NS_PER_MS } from "../core/units.ts";
import type { EndpointFacts } from "../record/run-manifest.ts";
import { makePrompt, UNCALIBRATED } from "../workload/prompt.ts";
import type { AgentSpec } from "../workload/scenario.ts";
import { roleOf } from "../workload/scenario.ts";
import type { TrialContext } from "./trial-context.ts";
import { samplingOptions } from "./sampling.ts";
import type { ConnectedEndpoint } from "./endpoint.ts";
import { calibratePrompts } from "./prompt-calibration.ts";
import { toRequestRecord } from "./to-record.ts";

/** An agent with what it needs resolved. */
export interface SeatedAgent {
  readonly spec: AgentSpec;
  readonly model: string;
  readonly endpoint: ConnectedEndpoint;
}

const WARM_UP_PROMPT_TOKENS = 48;
const WARM_UP_OUTPUT_TOKENS = 8;

/** Unloads every model of these agents where the engine can, and waits until it says so. */
export async function unloadAll(agents: readonly SeatedAgent[], trial: TrialContext): Promise<void> {
  for (const { endpoint, model } of distinctModels(agents)) {
    if (endpoint.engine.unload === undefined) continue;
    await endpoint.engine.unload(model);
    event(trial, "unload", `unloaded ${model} on ${endpoint.name}`, { endpoint: endpoint.name, model });
  }
}

/** Loads models with their options; the time is an event of its own and never part of a TTFT. */
export async function loadModels(agents: readonly SeatedAgent[], trial: TrialContext): Promise<void> {
  for (const { spec, endpoint, model } of distinctLoads(agents)) {
    if (endpoint.engine.load === undefined) continue;
    const loadMs = await endpoint.engine.load(
      model,
      samplingOptions(spec, endpoint, { maxTokens: 1, cache: trial.promptCold ? "unwanted" : "wanted" }),
    );
    event(trial, "load", `${model} on ${endpoint.name} was ready after ${(loadMs / MS_PER_S).toFixed(1)} s`, {
      endpoint: endpoint.name,
      model,
      loadMs,
    });
  }
}

/** Calibrates the prompt words of each model once per run, and the pieces of code once an agent has a role. */
export async function calibrateAll(agents: readonly SeatedAgent[], trial: TrialContext): Promise<void> {
  for (const { endpoint, model } of distinctModels(agents)) {
    const own = agents.filter((agent) => agent.endpoint.url === endpoint.url && agent.model === model);
    const needsCode = own.some(({ spec }) => spec.role !== undefined);
    const known = endpoint.vocabularies.get(model);
    if (own.every(({ spec }) => spec.command !== undefined)) continue;
    if (known !== undefined && (known.code !== undefined || !needsCode)) continue;
    const vocabulary = await calibratePrompts(endpoint.engine, model, trial, needsCode ? "turns" : "prompts");
    endpoint.vocabularies.set(model, vocabulary);
    const exact = vocabulary.exact && vocabulary.code?.exact !== false;
    event(
      trial,
      "prompt-calibration",
      exact
        ? `prompts for ${model} are exact: ${vocabulary.words.length} words counted, template ${vocabulary.overheadTokens} tokens`
        : `prompt lengths for ${model} are approximate: the server's count of a test prompt differed`,
      { model, exact, overheadTokens: vocabulary.overheadTokens },
    );
  }
}

/** The effective settings of each agent's endpoint and model, as the server states them; one entry an agent. */
export async function readFacts(agents: readonly SeatedAgent[]): Promise<readonly EndpointFacts[]> {
  const asked = new Map<string, Promise<EndpointFacts>>();
  return Promise.all(
    agents.map(({ spec, endpoint, model }) => {
      const options = samplingOptions(spec, endpoint, { maxTokens: longestAnswer(spec), cache: "unwanted" });
      const key = specHash([endpoint.url, model, options]);
      const answer = asked.get(key) ?? endpoint.engine.facts(model, options);
      asked.set(key, answer);
      return answer.then((facts) => ({ ...facts, name: endpoint.name, url: endpoint.url }));
    }),
  );
}

function longestAnswer(spec: AgentSpec): number {
  return roleOf(spec)?.maxOutputTokens ?? spec.outputTokens;
}

/**
 * Hash of what really runs: requested layers and context give way to what the server states, so
 * that two cells which ask for more layers than the model has come out as the same.
 */
export function effectiveHash(agents: readonly SeatedAgent[], facts: readonly EndpointFacts[]): string {
  return specHash(
    agents.map(({ spec, model }, index) => {
      const known = facts[index];
      const { numGpu, numCtx, ...otherOptions } = spec.options;
      return {
        ...spec,
        name: "",
        model,
        options: otherOptions,
        gpuLayers: known?.gpuLayers ?? numGpu,
        contextTokens: known?.contextTokens ?? numCtx,
        slots: known?.slots,
        version: known?.version,
      };
    }),
  );
}

/** As many connections as agents, so that no handshake falls into a time to first token. */
export async function openConnections(agents: readonly SeatedAgent[]): Promise<void> {
  const perEndpoint = new Map<ConnectedEndpoint, number>();
  for (const { endpoint } of agents) perEndpoint.set(endpoint, (perEndpoint.get(endpoint) ?? 0) + 1);
  for (const [endpoint, count] of perEndpoint) await endpoint.engine.preconnect?.(count);
}

/** `count` short requests per endpoint and model, one after the other. */
export async function warmUp(
  agents: readonly SeatedAgent[],
  trial: TrialContext,
  count: number,
): Promise<void> {
  for (const { spec, endpoint, model } of distinctLoads(agents)) {
    for (let index = 0; index < count && !trial.signal.aborted; index++) {
      const random = randomStream(trial.seed, "warm-up", spec.name, index, trial.trialId);
      const vocabulary = endpoint.vocabularies.get(model) ?? UNCALIBRATED;
      const scheduledNs = trial.clock.nowNs();
      const completion = await endpoint.engine.generate(
        {
          model,
          messages: [{ role: "user", content: makePrompt(vocabulary, WARM_UP_PROMPT_TOKENS, random) }],
          options: samplingOptions(spec, endpoint, { maxTokens: WARM_UP_OUTPUT_TOKENS, cache: "unwanted" }),
          stream: true,
        },
        { clock: trial.clock, limits: trial.limits, signal: trial.signal },
      );
      const lines = toRequestRecord({
        completion,
        requestId: `${trial.trialId}/${spec.name}/warm-up-${index}`,
        trialId: trial.trialId,
        agent: spec.name,
        phase: "warm-up",
        position: index,
        step: "warm-up",
        endpoint: endpoint.name,
        engine: endpoint.engine.kind,
        model,
        originNs: trial.originNs,
        scheduledNs,
        promptCold: true,
        promptHash: "",
      });
      trial.sink.request(lines.record);
    }
  }
}

/** Waits between trials, so that clocks and temperatures settle. */
export async function coolDown(trial: TrialContext, coolDownMs: number): Promise<void> {
  if (coolDownMs <= 0) return;
  await trial.clock
    .sleepUntil(trial.clock.nowNs() + coolDownMs * NS_PER_MS, trial.signal)
    .catch(() => undefined);
}

function event(trial: TrialContext, kind: string, message: string, data: Record<string, unknown>): void {
  trial.sink.event({ atNs: trial.clock.nowNs(), kind, message, data: { trialId: trial.trialId, ...data } });
}

function distinctModels(agents: readonly SeatedAgent[]): readonly SeatedAgent[] {
  return distinctBy(agents, ({ endpoint, model }) => [endpoint.url, model]);
}

/** As many loads as there are different load options: two agents of one model share one. */
function distinctLoads(agents: readonly SeatedAgent[]): readonly SeatedAgent[] {
  return distinctBy(agents, ({ endpoint, model, spec }) => [
    endpoint.url,
    model,
    spec.options.numGpu,
    spec.options.numCtx,
  ]);
}

function distinctBy(
  agents: readonly SeatedAgent[],
  key: (agent: SeatedAgent) => unknown,
): readonly SeatedAgent[] {
  const seen = new Map<string, SeatedAgent>();
  for (const agent of agents) {
    const hash = specHash(key(agent));
    if (!seen.has(hash)) seen.set(hash, agent);
  }
  return [...seen.values()];
}
