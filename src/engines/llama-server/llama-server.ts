/**
 * llama.cpp's server. Beyond OpenAI: `timings` with prompt, cache and decode apart, slots that can
 * be watched and chosen, a tokenizer, a forced output length and control over the prompt cache.
 */
import type { EndpointFacts } from "../../record/run-manifest.ts";
import { type EngineLink, assembleEngine } from "../assemble.ts";
import type { Engine, EngineCapabilities, GenerateRequest, SlotState } from "../engine.ts";
import {
  type JsonRecord,
  amountAt,
  asRecord,
  booleanAt,
  listAt,
  parseJson,
  recordAt,
  textAt,
} from "../json-shape.ts";
import { openAiDataPlane } from "../openai/data-plane.ts";
import type { ExtraFigures } from "../openai/events.ts";
import { OPENAI_CAPABILITIES, baseFacts, listModels } from "../openai/openai.ts";
import { readPrometheus } from "../prometheus.ts";

const CAPABILITIES: EngineCapabilities = {
  ...OPENAI_CAPABILITIES,
  ignoreEos: true,
  tokenize: true,
  slots: true,
  cacheControl: true,
};

export function createLlamaServerEngine(link: EngineLink): Engine {
  return assembleEngine(link, {
    kind: "llama-server",
    capabilities: CAPABILITIES,
    ...openAiDataPlane({ extraBody: llamaServerBody, extras: { read: readLlamaServerTimings } }),
    health: async () => {
      await link.control.getText("/health");
      const version = textAt(await link.control.getJson("/props"), "build_info");
      return version === undefined ? {} : { version };
    },
    models: () => listModels(link),
    counters: async () => readPrometheus(await link.control.getText("/metrics")),
    facts: (model) => readFacts(link, model),
    slots: () => readSlots(link),
    tokenize: async (model, text) => {
      const body = { content: text, add_special: false };
      return listAt(await link.control.postJson("/tokenize", body, { model }), "tokens").length;
    },
  });
}

/** The fields that llama-server takes beyond OpenAI's. */
export function llamaServerBody({ options, stream }: GenerateRequest): JsonRecord {
  return {
    // Counts in every chunk: a chunk holds several tokens under speculative decoding, and where
    // the server waits for the rest of a UTF-8 character.
    ...(stream && { timings_per_token: true }),
    ...(options.ignoreEos !== undefined && { ignore_eos: options.ignoreEos }),
    ...(options.slotId !== undefined && { id_slot: options.slotId }),
    ...(options.cachePrompt !== undefined && { cache_prompt: options.cachePrompt }),
    ...(options.thinking !== undefined && { chat_template_kwargs: { enable_thinking: options.thinking } }),
  };
}

/** `prompt_n` counts what was really computed; `cache_n` is what the cache gave. */
export function readLlamaServerTimings(event: JsonRecord): ExtraFigures | undefined {
  const timings = recordAt(event, "timings");
  if (timings === undefined) return undefined;
  const cachedTokens = amountAt(timings, "cache_n");
  const prefillTokens = amountAt(timings, "prompt_n");
  const prefillMs = amountAt(timings, "prompt_ms");
  const decodeTokens = amountAt(timings, "predicted_n");
  const decodeMs = amountAt(timings, "predicted_ms");
  return {
    figures: {
      ...(cachedTokens !== undefined && { cachedTokens }),
      ...(cachedTokens !== undefined &&
        prefillTokens !== undefined && { inputTokens: cachedTokens + prefillTokens }),
      ...(decodeTokens !== undefined && { outputTokens: decodeTokens }),
      split: {
        ...(prefillMs !== undefined && { prefillMs }),
        ...(prefillTokens !== undefined && { prefillTokens }),
        ...(decodeMs !== undefined && { decodeMs }),
        ...(decodeTokens !== undefined && { decodeTokens }),
      },
    },
    ...(decodeTokens !== undefined && { tokensSoFar: decodeTokens, countKey: "predicted_n" }),
  };
}

/** The slot list is a bare JSON array, and a server started with --no-slots answers 501. */
async function readSlots(link: EngineLink): Promise<readonly SlotState[]> {
  const slots = parseJson(await link.control.getText("/slots"));
  return (Array.isArray(slots) ? slots : []).map((entry: unknown, index): SlotState => {
    const slot = asRecord(entry);
    const contextTokens = amountAt(slot, "n_ctx");
    return {
      id: amountAt(slot, "id") ?? index,
      busy: booleanAt(slot, "is_processing") ?? false,
      ...(contextTokens !== undefined && { contextTokens }),
    };
  });
}

async function readFacts(link: EngineLink, model: string): Promise<EndpointFacts> {
  const props = await link.control.getJson("/props");
  const version = textAt(props, "build_info");
  const slots = amountAt(props, "total_slots");
  const contextTokens = amountAt(recordAt(props, "default_generation_settings"), "n_ctx");
  const modelEntry = listAt(await link.control.getJson("/v1/models"), "data").map(asRecord)[0];
  const meta = recordAt(modelEntry, "meta");
  const settings: Record<string, string | number> = {};
  for (const [name, value] of [
    ["modelParameters", amountAt(meta, "n_params")],
    ["modelBytes", amountAt(meta, "size")],
    ["trainedContextTokens", amountAt(meta, "n_ctx_train")],
    ["modelFile", textAt(props, "model_path")?.split(/[\\/]/).at(-1)],
  ] as const)
    if (value !== undefined) settings[name] = value;
  return {
    ...baseFacts(link, "llama-server"),
    model,
    ...(version !== undefined && { version }),
    ...(slots !== undefined && { slots }),
    ...(contextTokens !== undefined && { contextTokens }),
    settings,
  };
}
