/** Any server that speaks OpenAI's protocol and of which nothing more is known. */
import type { EndpointFacts } from "../../record/run-manifest.ts";
import { type EngineLink, assembleEngine } from "../assemble.ts";
import type { Engine, EngineCapabilities } from "../engine.ts";
import { asRecord, listAt, textAt } from "../json-shape.ts";
import { openAiDataPlane } from "./data-plane.ts";

/** What the protocol alone promises. */
export const OPENAI_CAPABILITIES: EngineCapabilities = {
  chat: true,
  completion: true,
  stream: true,
  ignoreEos: false,
  tokenize: false,
  slots: false,
  load: false,
  unload: false,
  loadOptions: false,
  cacheControl: false,
};

export function createOpenAiEngine(link: EngineLink): Engine {
  return assembleEngine(link, {
    kind: "openai",
    capabilities: OPENAI_CAPABILITIES,
    ...openAiDataPlane(),
    health: async () => {
      await listModels(link);
      return {};
    },
    models: () => listModels(link),
    facts: async (model) => {
      await listModels(link);
      return { ...baseFacts(link, "openai"), model };
    },
  });
}

/** Facts that every engine has; call it after a control call, which tells whether it is simulated. */
export function baseFacts(link: EngineLink, engine: string): EndpointFacts {
  return { name: link.name, url: link.url, engine, simulated: link.control.simulated, settings: {} };
}

export async function listModels(link: EngineLink): Promise<readonly string[]> {
  const answer = await link.control.getJson("/v1/models");
  return listAt(answer, "data")
    .map((entry) => textAt(asRecord(entry), "id"))
    .filter((id) => id !== undefined);
}
