/** The OpenAI API: models, chat completions and completions, streaming or whole. */
import type { FastifyInstance, FastifyReply } from "fastify";
import { NS_PER_MS } from "../../core/units.ts";
import type { RequestTimings } from "../../predict/simulate/simulated-request.ts";
import { amountAt, asRecord, booleanAt, recordAt, textAt } from "../json-shape.ts";
import type { JsonRecord } from "../json-shape.ts";
import { renderChat } from "./chat-text.ts";
import type { GenerationEnd, GenerationSpec, SimulatedHost } from "./host.ts";
import { resolveModel } from "./model-name.ts";
import { ReplyStream } from "./reply-stream.ts";

type Form = "chat" | "completion";

interface Call {
  readonly form: Form;
  readonly id: string;
  readonly model: string;
  readonly createdS: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly withTimings: boolean;
}

export function registerOpenAiApi(app: FastifyInstance, host: SimulatedHost): void {
  let calls = 0;
  app.get("/v1/models", () => ({
    object: "list",
    data: host.settings.models.map((id) => ({
      id,
      object: "model",
      created: wallSeconds(host),
      owned_by: host.settings.like === "ollama" ? "library" : "slipway-simulated",
    })),
  }));

  const answer = (form: Form, body: unknown, reply: FastifyReply): unknown => {
    const record = asRecord(body);
    if (record === undefined) return refuse(reply, 400, "the body must be a JSON object", null);
    if (isLoading(host)) return refuse(reply, 503, "Loading model", "unavailable");
    const model = resolveModel(host.settings.models, textAt(record, "model"));
    if (model === undefined)
      return refuse(
        reply,
        404,
        `The model '${textAt(record, "model") ?? ""}' does not exist`,
        "model_not_found",
      );
    const spec = specOf(form, record);
    if (typeof spec === "string") return refuse(reply, 400, spec, null);
    const call: Call = {
      form,
      id: `${form === "chat" ? "chatcmpl" : "cmpl"}-${++calls}`,
      model,
      createdS: wallSeconds(host),
      stream: booleanAt(record, "stream") ?? false,
      includeUsage: booleanAt(recordAt(record, "stream_options"), "include_usage") ?? false,
      withTimings: host.settings.like === "llama-server" || host.settings.like === "any",
    };
    return run(host, call, spec, reply);
  };
  app.post("/v1/chat/completions", (request, reply) => answer("chat", request.body, reply));
  app.post("/v1/completions", (request, reply) => answer("completion", request.body, reply));
}

/** A server that loads at its start answers 503 until then; Ollama loads on the first request instead. */
export function isLoading(host: SimulatedHost): boolean {
  const loadsAtStart = host.settings.like === "llama-server" || host.settings.like === "openai";
  return loadsAtStart && host.loaded === undefined;
}

/** Returns what is wrong as a sentence. */
function specOf(form: Form, body: JsonRecord): GenerationSpec | string {
  const prompt = form === "chat" ? renderChat(body["messages"]) : textAt(body, "prompt");
  if (prompt === undefined)
    return form === "chat" ? "'messages' must be a list of messages" : "'prompt' must be a string";
  const asked = body["max_completion_tokens"] ?? body["max_tokens"] ?? body["n_predict"];
  if (asked !== undefined && asked !== null && (!Number.isInteger(asked) || asked === 0))
    return "'max_tokens' must be a whole number and not 0";
  const maxTokens = typeof asked === "number" && asked > 0 ? asked : undefined;
  const slotId = amountAt(body, "id_slot");
  return {
    prompt,
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ignoreEos: booleanAt(body, "ignore_eos") ?? false,
    seed: amountAt(body, "seed") ?? 0,
    cachePrompt: booleanAt(body, "cache_prompt") ?? true,
    ...(slotId === undefined ? {} : { slotId }),
  };
}

function run(host: SimulatedHost, call: Call, spec: GenerationSpec, reply: FastifyReply): unknown {
  const frames = framesOf(call);
  let stream: ReplyStream | undefined;
  let text = "";
  let tokens = 0;
  const started = host.start(spec, {
    onToken: (piece, end) => {
      if (stream === undefined) return;
      tokens++;
      if (call.stream) {
        const frame = `${tokens === 1 ? frames.opening : ""}${frames.text(piece)}`;
        if (end === undefined) stream.write(frame);
        else stream.end(frame + frames.closing(end));
        return;
      }
      text += piece;
      if (end !== undefined) stream.end(JSON.stringify(wholeAnswer(call, text, end)));
    },
  });
  if (started.kind === "refused") {
    const { promptTokens, contextTokens } = started;
    return refuseContext(reply, promptTokens, contextTokens);
  }
  stream = new ReplyStream(reply, call.stream ? "text/event-stream" : "application/json");
  stream.onGone(() => started.cancel());
  return reply;
}

interface Frames {
  readonly opening: string;
  text(piece: string): string;
  closing(end: GenerationEnd): string;
}

function framesOf(call: Call): Frames {
  const chat = call.form === "chat";
  const head = {
    id: call.id,
    object: chat ? "chat.completion.chunk" : "text_completion",
    created: call.createdS,
    model: call.model,
  };
  const event = (choices: readonly unknown[], more: object = {}): string =>
    `data: ${JSON.stringify({ ...head, choices, ...more })}\n\n`;
  // Only the text differs between two text events, so the rest is put together once.
  const mark = "\u0001";
  const choice = chat ? { index: 0, delta: { content: mark } } : { index: 0, text: mark };
  const [before = "", after = ""] = event([{ ...choice, logprobs: null, finish_reason: null }]).split(
    JSON.stringify(mark),
  );
  return {
    opening: chat
      ? event([{ index: 0, delta: { role: "assistant", content: "" }, logprobs: null, finish_reason: null }])
      : "",
    text: (piece) => `${before}${JSON.stringify(piece)}${after}`,
    closing: ({ timings, finishReason }) => {
      const last = chat ? { index: 0, delta: {} } : { index: 0, text: "" };
      const extra = call.withTimings ? { timings: llamaTimings(timings) } : {};
      const finish = event(
        [{ ...last, logprobs: null, finish_reason: finishReason }],
        call.includeUsage ? {} : extra,
      );
      const usage = call.includeUsage ? event([], { usage: usageOf(timings), ...extra }) : "";
      return `${finish}${usage}data: [DONE]\n\n`;
    },
  };
}

function wholeAnswer(call: Call, text: string, end: GenerationEnd): object {
  const choice =
    call.form === "chat" ? { index: 0, message: { role: "assistant", content: text } } : { index: 0, text };
  return {
    id: call.id,
    object: call.form === "chat" ? "chat.completion" : "text_completion",
    created: call.createdS,
    model: call.model,
    choices: [{ ...choice, logprobs: null, finish_reason: end.finishReason }],
    usage: usageOf(end.timings),
    ...(call.withTimings ? { timings: llamaTimings(end.timings) } : {}),
  };
}

function usageOf(timings: RequestTimings): object {
  return {
    prompt_tokens: timings.promptTokens,
    completion_tokens: timings.outputTokens,
    total_tokens: timings.promptTokens + timings.outputTokens,
    prompt_tokens_details: { cached_tokens: timings.cachedTokens },
  };
}

/** llama-server's `timings`: prefill without the cached tokens; decode from the first token to the last. */
export function llamaTimings(timings: RequestTimings): object {
  const promptTokens = timings.promptTokens - timings.cachedTokens;
  const promptMs = (timings.firstTokenNs - timings.startedNs) / NS_PER_MS;
  const predictedMs = (timings.endNs - timings.firstTokenNs) / NS_PER_MS;
  return {
    cache_n: timings.cachedTokens,
    prompt_n: promptTokens,
    prompt_ms: promptMs,
    prompt_per_token_ms: promptMs / promptTokens,
    prompt_per_second: (promptTokens * 1000) / promptMs,
    predicted_n: timings.outputTokens,
    predicted_ms: predictedMs,
    predicted_per_token_ms: predictedMs / timings.outputTokens,
    predicted_per_second: predictedMs > 0 ? (timings.outputTokens * 1000) / predictedMs : null,
  };
}

export function refuseContext(
  reply: FastifyReply,
  promptTokens: number,
  contextTokens: number,
): FastifyReply {
  return reply.code(400).send({
    error: {
      code: 400,
      message: `the request of ${promptTokens} tokens exceeds the available context size of ${contextTokens} tokens`,
      type: "exceed_context_size_error",
      n_prompt_tokens: promptTokens,
      n_ctx: contextTokens,
    },
  });
}

export function refuse(
  reply: FastifyReply,
  status: number,
  message: string,
  code: string | null,
): FastifyReply {
  const type =
    status === 503 ? "unavailable_error" : status === 404 ? "not_found_error" : "invalid_request_error";
  return reply.code(status).send({ error: { message, type, param: null, code } });
}

function wallSeconds(host: SimulatedHost): number {
  return Math.floor(Date.parse(host.clock.wallIso()) / 1000);
}
