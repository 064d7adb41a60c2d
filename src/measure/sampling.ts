import type { SamplingOptions } from "../engines/engine.ts";
import type { AgentSpec } from "../workload/scenario.ts";
import { roleOf } from "../workload/scenario.ts";
import type { ConnectedEndpoint } from "./endpoint.ts";

/** Of one request, beside what its agent asks of all. */
interface RequestNeeds {
  readonly maxTokens: number;
  /** A length that the answer is to have, where it can be forced; absent: `maxTokens`. */
  readonly forcedTokens?: number;
  /** `wanted`: served from it where the prompt begins as an earlier one. `unwanted`: computed whole. */
  readonly cache: "wanted" | "unwanted";
}

/** What this agent asks of this engine; a setting that the engine cannot honour is not sent. */
export function samplingOptions(
  agent: AgentSpec,
  endpoint: ConnectedEndpoint,
  { maxTokens, forcedTokens, cache }: RequestNeeds,
): SamplingOptions {
  const { capabilities } = endpoint.engine;
  const isForced = agent.fixedOutput && capabilities.ignoreEos;
  const role = roleOf(agent);
  return {
    ...(role === undefined ? {} : { thinking: role.thinking }),
    ...definedOnly(agent.options),
    maxTokens: isForced ? (forcedTokens ?? maxTokens) : maxTokens,
    ...(isForced ? { ignoreEos: true } : {}),
    ...(cache === "unwanted" && capabilities.cacheControl ? { cachePrompt: false } : {}),
  };
}

/** zod leaves `undefined` in optional fields; exactOptionalPropertyTypes wants them absent. */
function definedOnly(options: AgentSpec["options"]): SamplingOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
