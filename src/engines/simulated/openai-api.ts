/** The OpenAI API: models, chat completions and completions, streaming or whole. */
import type { FastifyInstance, FastifyReply } from "fastify";
import { amountAt, asRecord, booleanAt, recordAt, textAt } from "../json-shape.ts";
import type { JsonRecord } from "../json-shape.ts";
import { renderChat } from "./chat-text.ts";
import type { GenerationSpec, SimulatedHost } from "./host.ts";
import { readLoadSettings } from "./load-settings.ts";
import { resolveModel } from "./model-name.ts";
import { framesOf, wholeAnswer } from "./openai-frames.ts";
import type { Call, Form, TimingsWanted } from "./openai-frames.ts";
import { ReplyStream } from "./reply-stream.ts";

export function registerOpenAiApi(app: FastifyInstance, host: SimulatedHost): void {
  let calls = 0;
  const answer = (form: Form, body: unknown, reply: FastifyReply): FastifyReply => {
    const record = asRecord(body);
    if (record === undefined) return refuse(reply, 400, "the body must be a JSON object");
    if (host.isLoadingAtStart) return refuse(reply, 503, "Loading model");
    const asked = textAt(record, "model");
    const model = resolveModel(host.settings.models, asked);
    if (model === undefined) return refuse(reply, 404, `The model '${asked ?? ""}' does not exist`);
    const spec = specOf(form, record, host);
    if (typeof spec === "string") return refuse(reply, 400, spec);
    const call: Call = {
      form,
      id: `${form === "chat" ? "chatcmpl" : "cmpl"}-${++calls}`,
      model,
      createdS: wallSeconds(host),
      includeUsage: booleanAt(recordAt(record, "stream_options"), "include_usage") ?? false,
      timings: timingsWanted(host, record),
    };
    return run(host, call, spec, booleanAt(record, "stream") ?? false, reply);
  };
  app.get("/v1/models", () => ({
    object: "list",
    data: host.settings.models.map((id) => modelEntry(host, id)),
  }));
  app.post("/v1/chat/completions", (request, reply) => answer("chat", request.body, reply));
  app.post("/v1/completions", (request, reply) => answer("completion", request.body, reply));
}

/** `meta` is llama-server's. */
function modelEntry(host: SimulatedHost, id: string): object {
  const { shape, like } = host.settings;
  const meta = { n_ctx_train: shape.trainedContextTokens, size: shape.weightBytes };
  const own = { id, object: "model", created: wallSeconds(host), owned_by: "slipway-simulated" };
  return like === "llama-server" || like === "any" ? { ...own, meta } : own;
}

function timingsWanted(host: SimulatedHost, body: JsonRecord): TimingsWanted {
  const { like } = host.settings;
  if (like !== "llama-server" && like !== "any") return "never";
  return booleanAt(body, "timings_per_token") === true ? "each" : "last";
}

/** Returns what is wrong as a sentence. */
function specOf(form: Form, body: JsonRecord, host: SimulatedHost): GenerationSpec | string {
  const prompt = form === "chat" ? renderChat(body["messages"]) : textAt(body, "prompt");
  if (prompt === undefined)
    return form === "chat" ? "'messages' must be a list of messages" : "'prompt' must be a string";
  const asked = body["max_completion_tokens"] ?? body["max_tokens"] ?? body["n_predict"] ?? undefined;
  // llama-server takes any negative number as "no limit".
  if (asked !== undefined && (!Number.isInteger(asked) || asked === 0))
    return "'max_tokens' must be a whole number other than 0";
  const slotId = amountAt(body, "id_slot");
  if (slotId !== undefined && slotId >= host.settings.slots)
    return `'id_slot' must be below ${host.settings.slots}`;
  const namesLoad = body["num_ctx"] !== undefined || body["num_gpu"] !== undefined;
  return {
    prompt,
    ...(typeof asked === "number" && asked > 0 ? { maxTokens: asked } : {}),
    ignoreEos: booleanAt(body, "ignore_eos") ?? false,
    seed: amountAt(body, "seed") ?? 0,
    cachePrompt: booleanAt(body, "cache_prompt") ?? true,
    ...(slotId === undefined ? {} : { slotId }),
    ...(namesLoad ? { load: readLoadSettings(host, body) } : {}),
  };
}

function run(
  host: SimulatedHost,
  call: Call,
  spec: GenerationSpec,
  streams: boolean,
  reply: FastifyReply,
): FastifyReply {
  const frames = framesOf(call);
  const stream = new ReplyStream(reply, streams ? "text/event-stream" : "application/json");
  let text = "";
  const started = host.start(spec, {
    onToken: (piece, timings, finish) => {
      if (!streams) {
        text += piece;
        if (finish !== undefined) stream.end(JSON.stringify(wholeAnswer(call, text, timings, finish)));
        return;
      }
      const opening = timings.outputTokens === 1 ? frames.opening : "";
      const frame = opening + frames.text(piece, timings);
      if (finish === undefined) stream.write(frame);
      else stream.end(frame + frames.closing(timings, finish));
    },
  });
  if (started.kind === "refused") return refuseContext(reply, started.promptTokens, started.contextTokens);
  stream.open(() => started.cancel());
  return reply;
}

/** llama-server's words for it, under the names that OpenAI clients look for as well. */
function refuseContext(reply: FastifyReply, promptTokens: number, contextTokens: number): FastifyReply {
  return reply.code(400).send({
    error: {
      message: `the request of ${promptTokens} tokens exceeds the available context size of ${contextTokens} tokens`,
      type: "exceed_context_size_error",
      param: null,
      code: "context_length_exceeded",
      n_prompt_tokens: promptTokens,
      n_ctx: contextTokens,
    },
  });
}

const ERROR_KINDS: Readonly<Record<number, { readonly type: string; readonly code: string | null }>> = {
  400: { type: "invalid_request_error", code: null },
  404: { type: "not_found_error", code: "model_not_found" },
  503: { type: "unavailable_error", code: null },
};

export function refuse(reply: FastifyReply, status: 400 | 404 | 503, message: string): FastifyReply {
  return reply.code(status).send({ error: { message, param: null, ...ERROR_KINDS[status] } });
}

function wallSeconds(host: SimulatedHost): number {
  return Math.floor(Date.parse(host.clock.wallIso()) / 1000);
}
