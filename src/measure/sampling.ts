import type { SamplingOptions } from "../engines/engine.ts";
import type { AgentSpec } from "../workload/scenario.ts";
import type { ConnectedEndpoint } from "./endpoint.ts";

/** What this agent asks of this engine; a setting that the engine cannot honour is not sent. */
export function samplingOptions(
  agent: AgentSpec,
  endpoint: ConnectedEndpoint,
  maxTokens: number,
  promptCold: boolean,
): SamplingOptions {
  const { capabilities } = endpoint.engine;
  return {
    ...definedOnly(agent.options),
    maxTokens,
    ...(agent.fixedOutput && capabilities.ignoreEos ? { ignoreEos: true } : {}),
    ...(promptCold && capabilities.cacheControl ? { cachePrompt: false } : {}),
  };
}

/** zod leaves `undefined` in optional fields; exactOptionalPropertyTypes wants them absent. */
function definedOnly(options: AgentSpec["options"]): SamplingOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
