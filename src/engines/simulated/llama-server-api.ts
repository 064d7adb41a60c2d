/** What llama-server answers beside the OpenAI API: its own state and its tokenizer. */
import type { FastifyInstance, FastifyReply } from "fastify";
import { NS_PER_S } from "../../core/units.ts";
import { asRecord, listAt, textAt } from "../json-shape.ts";
import { renderChat } from "./chat-text.ts";
import type { SimulatedHost } from "./host.ts";
import { refuse } from "./openai-api.ts";
import { detokenize, tokenize } from "./token-rule.ts";

export function registerLlamaServerApi(app: FastifyInstance, host: SimulatedHost): void {
  const whenLoaded = (reply: FastifyReply, value: () => unknown): unknown =>
    host.isLoadingAtStart ? refuse(reply, 503, "Loading model") : value();
  app.get("/health", (_request, reply) => whenLoaded(reply, () => ({ status: "ok" })));
  app.get("/slots", (_request, reply) => whenLoaded(reply, () => slotsOf(host)));
  app.get("/props", (_request, reply) => whenLoaded(reply, () => propsOf(host)));
  app.get("/metrics", (_request, reply) => reply.type("text/plain; version=0.0.4").send(metricsOf(host)));
  app.post("/tokenize", (request, reply) => {
    const content = textAt(asRecord(request.body), "content");
    if (content === undefined) return refuse(reply, 400, "'content' must be a string");
    return { tokens: tokenize(content) };
  });
  app.post("/detokenize", (request) => {
    const ids = listAt(asRecord(request.body), "tokens").filter((id) => typeof id === "number");
    return { content: detokenize(ids) };
  });
  app.post("/apply-template", (request, reply) => {
    const prompt = renderChat(asRecord(request.body)?.["messages"]);
    if (prompt === undefined) return refuse(reply, 400, "'messages' must be a list of messages");
    return { prompt };
  });
}

function slotsOf(host: SimulatedHost): object[] {
  return host.slots.map((slot) => ({
    id: slot.id,
    n_ctx: slot.contextTokens,
    speculative: false,
    is_processing: slot.requestId !== undefined,
    n_prompt_tokens: slot.promptTokens,
    n_prompt_tokens_processed: slot.prefilledTokens,
    next_token: [{ has_next_token: slot.requestId !== undefined, n_decoded: slot.emittedTokens }],
  }));
}

function propsOf(host: SimulatedHost): object {
  const { settings } = host;
  return {
    default_generation_settings: {
      n_ctx: settings.contextTokens,
      params: { n_predict: -1, temperature: 0.8 },
    },
    total_slots: settings.slots,
    model_alias: settings.models[0],
    model_path: `${settings.shape.name}.simulated.gguf`,
    modalities: { vision: false, audio: false },
    chat_template: "{role}: {content}",
    build_info: "slipway-simulated",
  };
}

function metricsOf(host: SimulatedHost): string {
  const { promptTokens, promptNs, outputTokens, outputNs } = host.totals;
  const busy = host.slots.filter((slot) => slot.requestId !== undefined).length;
  const rate = (tokens: number, ns: number): number => (ns === 0 ? 0 : (tokens * NS_PER_S) / ns);
  const metrics: [name: string, type: "counter" | "gauge", value: number][] = [
    ["prompt_tokens_total", "counter", promptTokens],
    ["prompt_seconds_total", "counter", promptNs / NS_PER_S],
    ["tokens_predicted_total", "counter", outputTokens],
    ["tokens_predicted_seconds_total", "counter", outputNs / NS_PER_S],
    ["prompt_tokens_seconds", "gauge", rate(promptTokens, promptNs)],
    ["predicted_tokens_seconds", "gauge", rate(outputTokens, outputNs)],
    ["requests_processing", "gauge", busy],
    ["requests_deferred", "gauge", host.waiting],
  ];
  return metrics
    .map(([name, type, value]) => `# TYPE llamacpp:${name} ${type}\nllamacpp:${name} ${value}\n`)
    .join("");
}
