/** Text Generation Inference: OpenAI's chat on a server that tells of itself at /info. */
import type { EndpointFacts } from "../../record/run-manifest.ts";
import { type EngineLink, assembleEngine } from "../assemble.ts";
import type { Engine } from "../engine.ts";
import { type JsonRecord, amountAt, textAt } from "../json-shape.ts";
import { openAiDataPlane } from "../openai/data-plane.ts";
import { OPENAI_CAPABILITIES, baseFacts } from "../openai/openai.ts";

/** Limits that TGI was started with; each is a number where the version has it. */
const SETTINGS = [
  "max_concurrent_requests",
  "max_input_tokens",
  "max_batch_total_tokens",
  "max_waiting_tokens",
] as const;

export function createTgiEngine(link: EngineLink): Engine {
  const info = (): Promise<JsonRecord> => link.control.getJson("/info");
  return assembleEngine(link, {
    kind: "tgi",
    capabilities: { ...OPENAI_CAPABILITIES, completion: false },
    ...openAiDataPlane(),
    health: async () => {
      await link.control.getText("/health");
      const version = textAt(await info(), "version");
      return version === undefined ? {} : { version };
    },
    models: async () => {
      const model = textAt(await info(), "model_id");
      return model === undefined ? [] : [model];
    },
    facts: async (model) => readFacts(link, model, await info()),
  });
}

function readFacts(link: EngineLink, model: string, info: JsonRecord): EndpointFacts {
  const version = textAt(info, "version");
  const contextTokens = amountAt(info, "max_total_tokens");
  const settings: Record<string, number> = {};
  for (const name of SETTINGS) {
    const value = amountAt(info, name);
    if (value !== undefined) settings[name] = value;
  }
  return {
    ...baseFacts(link, "tgi"),
    model,
    ...(version !== undefined && { version }),
    ...(contextTokens !== undefined && { contextTokens }),
    settings,
  };
}
