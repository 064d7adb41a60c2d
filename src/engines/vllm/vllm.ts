/**
 * vLLM. Beyond OpenAI: a forced output length, a tokenizer, usage in every chunk (so that chunks of
 * several tokens, from speculative decoding, are known for what they are), and the server's own
 * split of the time where it was started with --enable-per-request-metrics.
 */
import type { EndpointFacts } from "../../record/run-manifest.ts";
import { type EngineLink, assembleEngine } from "../assemble.ts";
import type { Engine, GenerateRequest } from "../engine.ts";
import { type JsonRecord, amountAt, asRecord, listAt, recordAt, textAt } from "../json-shape.ts";
import { openAiDataPlane } from "../openai/data-plane.ts";
import type { ExtraFigures } from "../openai/events.ts";
import { OPENAI_CAPABILITIES, baseFacts, listModels } from "../openai/openai.ts";
import { readPrometheus } from "../prometheus.ts";

export function createVllmEngine(link: EngineLink): Engine {
  return assembleEngine(link, {
    kind: "vllm",
    capabilities: { ...OPENAI_CAPABILITIES, ignoreEos: true, tokenize: true },
    ...openAiDataPlane({ extraBody, extras: { read: readMetrics } }),
    health: async () => {
      await link.control.getText("/health");
      const version = textAt(await link.control.getJson("/version"), "version");
      return version === undefined ? {} : { version };
    },
    models: () => listModels(link),
    counters: async () => readPrometheus(await link.control.getText("/metrics")),
    facts: (model) => readFacts(link, model),
    tokenize: async (model, text) => {
      const body = { model, prompt: text, add_special_tokens: false };
      const answer = await link.control.postJson("/tokenize", body, { model });
      return amountAt(answer, "count") ?? listAt(answer, "tokens").length;
    },
  });
}

function extraBody({ options, stream }: GenerateRequest): JsonRecord {
  const forced = options.ignoreEos === true && options.maxTokens !== undefined;
  return {
    ...(stream && { stream_options: { include_usage: true, continuous_usage_stats: true } }),
    ...(options.ignoreEos !== undefined && { ignore_eos: options.ignoreEos }),
    ...(forced && { min_tokens: options.maxTokens }),
    ...(options.thinking !== undefined && { chat_template_kwargs: { enable_thinking: options.thinking } }),
  };
}

/** The first token comes after queue and prefill; generation is what follows it. */
function readMetrics(event: JsonRecord): ExtraFigures | undefined {
  const metrics = recordAt(event, "metrics");
  if (metrics === undefined) return undefined;
  const queueMs = amountAt(metrics, "queue_time_ms");
  const firstTokenMs = amountAt(metrics, "time_to_first_token_ms");
  const decodeMs = amountAt(metrics, "generation_time_ms");
  return {
    figures: {
      split: {
        ...(queueMs !== undefined && { queueMs }),
        ...(queueMs !== undefined && firstTokenMs !== undefined && firstTokenMs >= queueMs
          ? { prefillMs: firstTokenMs - queueMs }
          : {}),
        ...(decodeMs !== undefined && { decodeMs }),
      },
    },
  };
}

async function readFacts(link: EngineLink, model: string): Promise<EndpointFacts> {
  const version = textAt(await link.control.getJson("/version"), "version");
  const models = listAt(await link.control.getJson("/v1/models"), "data").map(asRecord);
  const contextTokens = amountAt(
    models.find((entry) => textAt(entry, "id") === model),
    "max_model_len",
  );
  return {
    ...baseFacts(link, "vllm"),
    model,
    ...(version !== undefined && { version }),
    ...(contextTokens !== undefined && { contextTokens }),
  };
}
