/** Every adapter on a scripted server that answers as the real one does. */
import { type EngineUnderTest, describeEngine } from "../../test/fakes/engine-conformance.ts";
import {
  type Answer,
  type Script,
  type ScriptedRequest,
  type Step,
  answer,
  json,
  ndjson,
  startScriptedServer,
} from "../../test/fakes/scripted-server.ts";
import { realClock } from "../core/clock.ts";
import type { EngineKind } from "./engine.ts";
import { asRecord, amountAt, booleanAt, parseJson, recordAt, textAt } from "./json-shape.ts";
import { createEngine } from "./registry.ts";

const MODEL = "scripted:latest";
const PROMPT_TOKENS = 7;
/** What the fake model says when nobody stops it: 10 words; it goes on from the first if it must. */
const WORDS = "one two three four five six seven eight nine ten".split(" ");

/** A fake model: the words it says to a request, at most as many as are asked for. */
function wordsFor(request: ScriptedRequest): string[] {
  const body = asRecord(parseJson(request.body));
  const limit = amountAt(body, "max_tokens") ?? amountAt(recordAt(body, "options"), "num_predict") ?? 10;
  const forced = booleanAt(body, "ignore_eos") === true;
  const count = forced ? limit : Math.min(limit, WORDS.length);
  return Array.from({ length: count }, (_, index) => ` ${WORDS[index % WORDS.length]}`);
}

function asked(request: ScriptedRequest): { model: string | undefined; stream: boolean; chat: boolean } {
  const body = asRecord(parseJson(request.body));
  return {
    model: textAt(body, "model"),
    stream: booleanAt(body, "stream") ?? false,
    chat: body !== undefined && "messages" in body,
  };
}

const finish = (request: ScriptedRequest): string =>
  wordsFor(request).length < WORDS.length ? "length" : "stop";

/** What a dialect adds to an event after `count` tokens. */
type Extra = (count: number, last: boolean) => object;

function openAiAnswer(request: ScriptedRequest, extra: Extra): Answer {
  const { model, stream, chat } = asked(request);
  if (model !== MODEL)
    return json({ error: { message: `The model \`${model}\` does not exist.`, type: "NotFoundError" } }, 404);
  const words = wordsFor(request);
  const finish_reason = words.length === WORDS.length ? "stop" : "length";
  const usage = { prompt_tokens: PROMPT_TOKENS, completion_tokens: words.length };
  const content = words.join("");
  if (!stream) {
    const choice = chat ? { message: { role: "assistant", content } } : { text: content };
    const choices = [{ index: 0, ...choice, finish_reason }];
    return json({ model, choices, usage, ...extra(words.length, true) });
  }
  const part = (text: string): object => (chat ? { delta: { content: text } } : { text });
  const events = [
    ...(chat ? [{ choices: [{ index: 0, delta: { role: "assistant", content: "" } }] }] : []),
    ...words.map((word, index) => ({
      choices: [{ index: 0, ...part(word), finish_reason: null }],
      ...extra(index + 1, false),
    })),
    { choices: [{ index: 0, ...part(""), finish_reason }] },
    { choices: [], usage, ...extra(words.length, true) },
  ];
  return { headers: { "content-type": "text/event-stream" }, steps: [...events.map(sseWrite), DONE] };
}

const sseWrite = (event: object): Step => ({
  do: "write",
  bytes: `data: ${JSON.stringify({ model: MODEL, ...event })}\n\n`,
});
const DONE: Step = { do: "write", bytes: "data: [DONE]\n\n" };

function ollamaAnswer(request: ScriptedRequest): Answer {
  const { model, stream, chat } = asked(request);
  if (model !== MODEL) return json({ error: `model '${model}' not found` }, 404);
  const words = wordsFor(request);
  const part = (content: string): object =>
    chat ? { message: { role: "assistant", content } } : { response: content };
  const done = {
    done: true,
    done_reason: finish(request),
    total_duration: 9e6,
    prompt_eval_count: PROMPT_TOKENS,
    prompt_eval_duration: 2e6,
    eval_count: words.length,
    eval_duration: 5e6,
  };
  if (!stream) return json({ model, ...part(words.join("")), ...done });
  const lines = [
    ...words.map((word) => ({ model, ...part(word), done: false })),
    { model, ...part(""), ...done },
  ];
  return ndjson(lines);
}

/** Routes other than generation; a function where the answer depends on the request. */
type Routes = Readonly<Record<string, (request: ScriptedRequest) => Answer>>;

const countWords = (text: string | undefined): number =>
  (text ?? "").split(/\s+/).filter((word) => word !== "").length;
const modelList = json({ object: "list", data: [{ id: MODEL, object: "model", max_model_len: 4096 }] });

const LLAMA_SERVER: Routes = {
  "/v1/models": () => modelList,
  "/health": () => json({ status: "ok" }),
  "/props": () =>
    json({ total_slots: 2, build_info: "b1-scripted", default_generation_settings: { n_ctx: 2048 } }),
  "/slots": () => json([0, 1].map((id) => ({ id, n_ctx: 2048, is_processing: false }))),
  "/tokenize": ({ body }) =>
    json({
      tokens: Array.from({ length: countWords(textAt(asRecord(parseJson(body)), "content")) }, (_, id) => id),
    }),
};

const VLLM: Routes = {
  "/v1/models": () => modelList,
  "/health": () => answer(""),
  "/version": () => json({ version: "0.11.0" }),
  "/tokenize": ({ body }) =>
    json({ count: countWords(textAt(asRecord(parseJson(body)), "prompt")), max_model_len: 4096 }),
};

const TGI: Routes = {
  "/health": () => answer(""),
  "/info": () =>
    json({ model_id: MODEL, version: "3.3.0", max_total_tokens: 4096, max_concurrent_requests: 128 }),
};

function ollamaRoutes(): Routes {
  let loaded = true;
  return {
    "/api/version": () => json({ version: "0.12.0" }),
    "/api/tags": () => json({ models: [{ name: MODEL, model: MODEL }] }),
    "/api/ps": () =>
      json({ models: loaded ? [{ name: MODEL, size: 4e9, size_vram: 3e9, context_length: 2048 }] : [] }),
    "/api/show": () =>
      json({
        details: { quantization_level: "Q4_K_M", parameter_size: "4.3B" },
        model_info: {
          "general.architecture": "gemma3",
          "gemma3.block_count": 34,
          "gemma3.context_length": 8192,
        },
      }),
    "/api/chat": ollamaAnswer,
    "/api/generate": (request) => {
      const body = asRecord(parseJson(request.body));
      if (body !== undefined && !("prompt" in body)) {
        loaded = body["keep_alive"] !== 0;
        return json({ model: MODEL, response: "", done: true, done_reason: loaded ? "load" : "unload" });
      }
      return ollamaAnswer(request);
    },
  };
}

function setup(kind: EngineKind, routes: Routes, extra: Extra = () => ({})): () => Promise<EngineUnderTest> {
  const script: Script = (request) => {
    const route = routes[request.path];
    if (route !== undefined) return route(request);
    if (request.path.startsWith("/v1/") && request.method === "POST") return openAiAnswer(request, extra);
    return answer("Not Found", { status: 404 });
  };
  return async () => {
    const server = await startScriptedServer(script);
    const engine = await createEngine(
      { name: "scripted", url: server.url, engine: kind },
      { clock: realClock, env: {} },
    );
    return { engine, model: MODEL, stop: () => server.stop() };
  };
}

describeEngine("openai", setup("openai", { "/v1/models": () => modelList }));
describeEngine(
  "vllm",
  setup("vllm", VLLM, (count) => ({ usage: { prompt_tokens: PROMPT_TOKENS, completion_tokens: count } })),
);
describeEngine("tgi", setup("tgi", TGI));
describeEngine(
  "llama-server",
  setup("llama-server", LLAMA_SERVER, (count) => ({
    timings: { cache_n: 3, prompt_n: 4, prompt_ms: 2, predicted_n: count, predicted_ms: 5 },
  })),
);
describeEngine("ollama", setup("ollama", ollamaRoutes()));
