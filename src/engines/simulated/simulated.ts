/**
 * The adapter for the simulated engine: llama-server's dialect of OpenAI, and over routes of the
 * server's own everything else an engine can be asked for, so that any scenario runs on it.
 */
import { DEFAULT_LOADING_LIMIT_MS } from "../../core/limits.ts";
import { nsToMs } from "../../core/units.ts";
import type { EndpointFacts } from "../../record/run-manifest.ts";
import { type EngineLink, assembleEngine } from "../assemble.ts";
import type {
  Engine,
  EngineCapabilities,
  GenerateRequest,
  LoadedModel,
  SamplingOptions,
  SlotState,
} from "../engine.ts";
import { type JsonRecord, amountAt, asRecord, booleanAt, listAt, recordAt } from "../json-shape.ts";
import { llamaServerBody, readLlamaServerTimings } from "../llama-server/llama-server.ts";
import { openAiDataPlane } from "../openai/data-plane.ts";
import { baseFacts, listModels } from "../openai/openai.ts";

const CAPABILITIES: EngineCapabilities = {
  chat: true,
  completion: true,
  stream: true,
  ignoreEos: true,
  tokenize: true,
  slots: true,
  load: true,
  unload: true,
  loadOptions: true,
  cacheControl: true,
};

export function createSimulatedEngine(link: EngineLink): Engine {
  return assembleEngine(link, {
    kind: "simulated",
    capabilities: CAPABILITIES,
    ...openAiDataPlane({
      extraBody: (request) => ({ ...llamaServerBody(request), ...loadOptions(request.options) }),
      extras: { read: readLlamaServerTimings },
    }),
    health: async () => {
      await link.control.getJson("/slipway/health");
      return {};
    },
    models: () => listModels(link),
    facts: (model, options) => readFacts(link, model, options),
    slots: async () =>
      listAt(await link.control.getJson("/slipway/slots"), "slots").map((entry, index): SlotState => {
        const slot = asRecord(entry);
        const contextTokens = amountAt(slot, "contextTokens");
        return {
          id: amountAt(slot, "id") ?? index,
          busy: booleanAt(slot, "busy") ?? false,
          ...(contextTokens !== undefined && { contextTokens }),
        };
      }),
    tokenize: async (model, text) => {
      const answer = await link.control.postJson("/slipway/tokenize", { content: text }, { model });
      return amountAt(answer, "tokens") ?? 0;
    },
    load: async (model, options) => {
      const timeoutMs = DEFAULT_LOADING_LIMIT_MS;
      const answer = await link.control.postJson("/slipway/load", loadOptions(options), { model, timeoutMs });
      return nsToMs(amountAt(answer, "loadNs") ?? 0);
    },
    unload: async (model) => {
      await link.control.postJson("/slipway/unload", {}, { model });
    },
    loaded: () => readLoaded(link),
  });
}

function loadOptions({ numCtx, numGpu }: GenerateRequest["options"]): JsonRecord {
  return {
    ...(numCtx !== undefined && { num_ctx: numCtx }),
    ...(numGpu !== undefined && { num_gpu: numGpu }),
  };
}

async function readLoaded(link: EngineLink): Promise<readonly LoadedModel[]> {
  const engine = await link.control.getJson("/slipway/engine");
  const model = listAt(engine, "models")[0];
  if (booleanAt(engine, "loaded") !== true || typeof model !== "string") return [];
  const sizeBytes = amountAt(engine, "totalBytes");
  const vramBytes = amountAt(engine, "vramBytes");
  const contextTokens = amountAt(engine, "contextTokens");
  return [
    {
      model,
      ...(sizeBytes !== undefined && { sizeBytes }),
      ...(vramBytes !== undefined && { vramBytes }),
      ...(contextTokens !== undefined && { contextTokens }),
    },
  ];
}

/** What is asked for is clamped to the model, as the server will do it. */
async function readFacts(
  link: EngineLink,
  model: string,
  options: SamplingOptions | undefined,
): Promise<EndpointFacts> {
  const engine = await link.control.getJson("/slipway/engine");
  const slots = amountAt(engine, "slots");
  const modelLayers = amountAt(engine, "modelLayers");
  const contextTokens = least(
    options?.numCtx,
    amountAt(engine, "trainedContextTokens"),
    amountAt(engine, "contextTokens"),
  );
  const gpuLayers = least(
    options?.numGpu,
    modelLayers === undefined ? undefined : modelLayers + 1,
    amountAt(engine, "gpuLayers"),
  );
  const settings: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(recordAt(engine, "settings") ?? {}))
    if (typeof value === "string" || typeof value === "number") settings[name] = value;
  return {
    ...baseFacts(link, "simulated"),
    model,
    ...(slots !== undefined && { slots }),
    ...(modelLayers !== undefined && { modelLayers }),
    ...(contextTokens !== undefined && { contextTokens }),
    ...(gpuLayers !== undefined && { gpuLayers }),
    settings,
  };
}

/** The asked value under its ceiling; without one, what the server has now. */
function least(
  asked: number | undefined,
  ceiling: number | undefined,
  now: number | undefined,
): number | undefined {
  if (asked === undefined) return now;
  return ceiling === undefined ? asked : Math.min(asked, ceiling);
}
