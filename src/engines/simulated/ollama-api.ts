/**
 * Ollama's own API. Two things of the real server are simplified: a model stays loaded until it is
 * unloaded (`keep_alive` other than 0 is not timed), and a generation that reaches the end of the
 * context stops there instead of shifting it.
 */
import type { FastifyInstance, FastifyReply } from "fastify";
import type { LoadSettings, RequestTimings } from "../../predict/simulate/simulated-request.ts";
import { amountAt, asRecord, booleanAt, recordAt, textAt } from "../json-shape.ts";
import type { JsonRecord } from "../json-shape.ts";
import { renderChat } from "./chat-text.ts";
import type { FinishReason, GenerationSpec, SimulatedHost } from "./host.ts";
import { readLoadSettings } from "./load-settings.ts";
import { resolveModel } from "./model-name.ts";
import { ReplyStream } from "./reply-stream.ts";
import { detokenize, tokenize } from "./token-rule.ts";

/** Distinguishes it from every real release. */
const VERSION = "0.0.0-slipway-simulated";

type Form = "chat" | "generate";

export function registerOllamaApi(app: FastifyInstance, host: SimulatedHost): void {
  app.get("/", (_request, reply) => reply.type("text/plain").send("Ollama is running"));
  app.get("/api/version", () => ({ version: VERSION }));
  app.get("/api/tags", () => ({ models: host.settings.models.map((name) => modelEntry(host, name)) }));
  app.get("/api/ps", () => {
    const load = host.loaded;
    if (load === undefined) return { models: [] };
    const { totalBytes, vramBytes } = host.memory(load);
    const memory = { size: totalBytes, size_vram: vramBytes, context_length: load.contextTokens };
    return {
      models: host.settings.models.slice(0, 1).map((name) => ({ ...modelEntry(host, name), ...memory })),
    };
  });
  app.post("/api/show", (request, reply) => {
    const body = asRecord(request.body);
    const asked = textAt(body, "model") ?? textAt(body, "name");
    const model = resolveModel(host.settings.models, asked);
    return asked === undefined || model === undefined ? unknownModel(reply, asked) : showModel(host);
  });
  app.post("/api/chat", (request, reply) => answer(host, "chat", request.body, reply));
  app.post("/api/generate", (request, reply) => answer(host, "generate", request.body, reply));
}

function answer(host: SimulatedHost, form: Form, body: unknown, reply: FastifyReply): unknown {
  const record = asRecord(body);
  if (record === undefined) return reply.code(400).send({ error: "the body must be a JSON object" });
  const asked = textAt(record, "model");
  if (asked === undefined) return reply.code(400).send({ error: "model is required" });
  const model = resolveModel(host.settings.models, asked);
  if (model === undefined) return unknownModel(reply, asked);
  const load = readLoadSettings(host, recordAt(record, "options"));
  const empty = form === "chat" ? isEmptyList(record["messages"]) : (textAt(record, "prompt") ?? "") === "";
  if (empty) return loadOnly(host, form, model, record, load, reply);
  const prompt = form === "chat" ? renderChat(record["messages"]) : textAt(record, "prompt");
  if (prompt === undefined) return reply.code(400).send({ error: "messages must be a list of messages" });
  const spec = specOf(record, prompt, load);
  return run(host, form, model, spec, record, reply);
}

/** An empty prompt only loads the model; with `keep_alive: 0` it only unloads it. */
function loadOnly(
  host: SimulatedHost,
  form: Form,
  model: string,
  body: JsonRecord,
  load: LoadSettings,
  reply: FastifyReply,
): unknown {
  const done = (reason: string, loadNs: number): object => ({
    ...lineHead(host, model),
    ...textField(form, ""),
    done_reason: reason,
    done: true,
    ...(loadNs > 0 ? { total_duration: loadNs, load_duration: loadNs } : {}),
  });
  if (wantsUnload(body)) {
    host.unload();
    return done("unload", 0);
  }
  return new Promise((resolve) => {
    host.load(load, (loadNs) => resolve(reply.send(done("load", loadNs))));
  });
}

function run(
  host: SimulatedHost,
  form: Form,
  model: string,
  spec: GenerationSpec,
  body: JsonRecord,
  reply: FastifyReply,
): FastifyReply {
  const streams = booleanAt(body, "stream") ?? true;
  const stream = new ReplyStream(reply, streams ? "application/x-ndjson" : "application/json; charset=utf-8");
  const line = (text: string, more: object): string =>
    JSON.stringify({ ...lineHead(host, model), ...textField(form, text), ...more });
  let text = "";
  const started = host.start(spec, {
    onToken: (piece, timings, finish) => {
      text += piece;
      const written = streams ? `${line(piece, { done: false })}\n` : "";
      if (finish === undefined) {
        if (streams) stream.write(written);
        return;
      }
      const last = line(streams ? "" : text, lastFields(timings, finish));
      stream.end(`${written}${last}${streams ? "\n" : ""}`);
      if (wantsUnload(body)) host.unload();
    },
  });
  if (started.kind === "refused")
    return reply
      .code(400)
      .send({ error: `the prompt exceeds the context of ${started.contextTokens} tokens` });
  stream.open(() => started.cancel());
  return reply;
}

function specOf(body: JsonRecord, prompt: string, load: LoadSettings): GenerationSpec {
  const options = recordAt(body, "options");
  // Negative or 0 means no limit, as in Ollama.
  const asked = amountAt(options, "num_predict");
  const maxTokens = asked === undefined || asked === 0 ? undefined : asked;
  return {
    prompt: cutToContext(prompt, load.contextTokens, maxTokens ?? 1),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ignoreEos: false,
    seed: amountAt(options, "seed") ?? 0,
    cachePrompt: true,
    load,
  };
}

/** Ollama cuts the beginning of a prompt that does not fit. At least half of the context is left to it. */
function cutToContext(prompt: string, contextTokens: number, outputTokens: number): string {
  const ids = tokenize(prompt);
  const room = contextTokens - Math.min(outputTokens, Math.floor(contextTokens / 2));
  return ids.length <= room ? prompt : detokenize(ids.slice(-room));
}

/** Ollama's durations in nanoseconds. Waiting for a slot is in `total_duration` alone. */
function lastFields(timings: RequestTimings, finish: FinishReason): object {
  return {
    done_reason: finish,
    done: true,
    total_duration: timings.latestTokenNs - timings.submittedNs,
    load_duration: timings.loadNs,
    prompt_eval_count: timings.promptTokens,
    prompt_eval_duration: timings.firstTokenNs - timings.startedNs,
    eval_count: timings.outputTokens,
    eval_duration: timings.latestTokenNs - timings.firstTokenNs,
  };
}

function textField(form: Form, text: string): object {
  return form === "chat" ? { message: { role: "assistant", content: text } } : { response: text };
}

function lineHead(host: SimulatedHost, model: string): object {
  return { model, created_at: host.clock.wallIso() };
}

function modelEntry(host: SimulatedHost, name: string): object {
  const { shape } = host.settings;
  return {
    name,
    model: name,
    modified_at: "1970-01-01T00:00:00Z",
    size: shape.weightBytes,
    digest: Buffer.from(name.padEnd(32).slice(0, 32)).toString("hex"),
    details: detailsOf(host),
  };
}

function detailsOf(host: SimulatedHost): object {
  const { family, parameterLabel, quantization } = host.settings.shape;
  return {
    format: "gguf",
    family,
    families: [family],
    parameter_size: parameterLabel,
    quantization_level: quantization,
  };
}

function showModel(host: SimulatedHost): object {
  const { shape } = host.settings;
  return {
    modelfile: "# simulated by slipway",
    parameters: "",
    template: "{{ .Prompt }}",
    details: detailsOf(host),
    model_info: {
      "general.architecture": shape.family,
      [`${shape.family}.block_count`]: shape.layers,
      [`${shape.family}.context_length`]: shape.trainedContextTokens,
      [`${shape.family}.attention.head_count`]: shape.queryHeads,
      [`${shape.family}.attention.head_count_kv`]: shape.kvHeads,
    },
    capabilities: ["completion"],
  };
}

function unknownModel(reply: FastifyReply, asked: string | undefined): FastifyReply {
  return reply.code(404).send({ error: `model '${asked ?? ""}' not found` });
}

function isEmptyList(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0);
}

/** `keep_alive` is a number of seconds or a duration such as "0s"; 0 unloads when the request has ended. */
function wantsUnload(body: JsonRecord): boolean {
  const keepAlive = body["keep_alive"];
  return typeof keepAlive === "number"
    ? keepAlive === 0
    : /^0+[a-z]*$/.test(textAt(body, "keep_alive") ?? "");
}
