import { afterEach, describe, expect, it } from "vitest";
import { realClock, VirtualClock } from "../../core/clock.ts";
import type { Clock } from "../../core/clock.ts";
import { amountAt, asRecord, listAt, recordAt, textAt } from "../json-shape.ts";
import type { JsonRecord } from "../json-shape.ts";
import type { SimulatedOptions } from "./options.ts";
import { startSimulatedEngine } from "./start.ts";
import type { StartedEngine } from "./start.ts";
import { tokenize } from "./token-rule.ts";

const MODEL = "slipway-sim:8b";
/** So fast that no test waits; times are read from the answers, which speak of the model's clock. */
const FAST: SimulatedOptions = { speed: 500, loadMs: 0, jitter: 0 };
const NS_PER_S = 1e9;
const NS_PER_MS = 1e6;

const running: StartedEngine[] = [];

afterEach(async () => {
  for (const engine of running.splice(0)) await engine.stop();
});

async function start(options: SimulatedOptions = FAST, clock: Clock = realClock): Promise<string> {
  const engine = await startSimulatedEngine(options, clock);
  running.push(engine);
  return engine.url;
}

function post(url: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}

async function json(response: Promise<Response>): Promise<JsonRecord> {
  return asRecord(await (await response).json()) ?? {};
}

async function sse(response: Promise<Response>): Promise<(JsonRecord | undefined)[]> {
  const events = (await (await response).text()).split("\n\n").filter((event) => event !== "");
  expect(events.at(-1)).toBe("data: [DONE]");
  return events.slice(0, -1).map((event) => asRecord(JSON.parse(event.replace(/^data: /, ""))));
}

async function lines(response: Promise<Response>): Promise<(JsonRecord | undefined)[]> {
  const text = await (await response).text();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => asRecord(JSON.parse(line)));
}

function choiceOf(event: JsonRecord | undefined): JsonRecord | undefined {
  return asRecord(listAt(event, "choices")[0]);
}

function contentOf(event: JsonRecord | undefined): string {
  return textAt(recordAt(choiceOf(event), "delta"), "content") ?? "";
}

const CHAT = { model: MODEL, messages: [{ role: "user", content: "count the boats in the port" }] };

describe("OpenAI API", () => {
  it("streams a role, one token per event, a finish, usage and the end", async () => {
    const url = await start();
    const body = {
      ...CHAT,
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 5,
      ignore_eos: true,
    };
    const events = await sse(post(`${url}/v1/chat/completions`, body));
    expect(recordAt(choiceOf(events[0]), "delta")).toEqual({ role: "assistant", content: "" });
    const text = events.map(contentOf).join("");
    expect(tokenize(text)).toHaveLength(5);
    expect(events.map((event) => contentOf(event) !== "")).toEqual([
      false,
      ...Array(5).fill(true),
      false,
      false,
    ]);
    expect(choiceOf(events[6])).toMatchObject({ delta: {}, finish_reason: "length" });
    // The rendered chat is "user: count the boats in the port", a new line, "assistant:"; its tokens by hand are
    // user|:| coun|t| the| boat|s| in| the| port|\\nassi|stan|t:
    expect(events[7]).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 13, completion_tokens: 5, total_tokens: 18 },
      timings: { prompt_n: 13, cache_n: 0, predicted_n: 5 },
    });
  });

  it("leaves usage out when it was not asked for", async () => {
    const url = await start({ ...FAST, like: "openai" });
    await loaded(url);
    const events = await sse(post(`${url}/v1/chat/completions`, { ...CHAT, stream: true, max_tokens: 2 }));
    expect(events.some((event) => event !== undefined && "usage" in event)).toBe(false);
    expect(events.some((event) => event !== undefined && "timings" in event)).toBe(false);
  });

  it("counts the tokens of every event when asked for timings per token", async () => {
    const url = await start();
    const body = { ...CHAT, stream: true, max_tokens: 4, ignore_eos: true, timings_per_token: true };
    const counts = (await sse(post(`${url}/v1/chat/completions`, body)))
      .filter((event) => contentOf(event) !== "")
      .map((event) => amountAt(recordAt(event, "timings"), "predicted_n"));
    expect(counts).toEqual([1, 2, 3, 4]);
  });

  it("answers as a whole what it would have streamed", async () => {
    const url = await start();
    const streamed = (await sse(post(`${url}/v1/chat/completions`, { ...CHAT, stream: true })))
      .map(contentOf)
      .join("");
    const whole = await json(post(`${url}/v1/chat/completions`, CHAT));
    expect(textAt(recordAt(choiceOf(whole), "message"), "content")).toBe(streamed);
    expect(recordAt(whole, "usage")).toMatchObject({ completion_tokens: tokenize(streamed).length });
  });

  it("says the same for the same prompt and seed, and something else for another", async () => {
    const answers: (string | undefined)[] = [];
    for (const seed of [1, 1, 2]) {
      // A server each, so that it does not depend on what was asked before.
      const url = await start();
      const answer = await json(post(`${url}/v1/completions`, { prompt: "sail", seed, max_tokens: 20 }));
      answers.push(textAt(choiceOf(answer), "text"));
    }
    expect(answers[1]).toBe(answers[0]);
    expect(answers[2]).not.toBe(answers[0]);
  });

  it("stops by itself, earlier than a high limit and later than a low one", async () => {
    const url = await start({ ...FAST, meanOutputTokens: 40 });
    const free = await json(post(`${url}/v1/completions`, { prompt: "sail" }));
    const natural = amountAt(recordAt(free, "usage"), "completion_tokens") ?? 0;
    expect(choiceOf(free)).toMatchObject({ finish_reason: "stop" });
    const capped = await json(post(`${url}/v1/completions`, { prompt: "sail", max_tokens: natural - 1 }));
    expect(choiceOf(capped)).toMatchObject({ finish_reason: "length" });
    expect(recordAt(capped, "usage")).toMatchObject({ completion_tokens: natural - 1 });
  });

  it("says length when the context ends before the model would", async () => {
    const url = await start({ ...FAST, contextTokens: 16 });
    const answer = await json(post(`${url}/v1/chat/completions`, CHAT));
    expect(choiceOf(answer)).toMatchObject({ finish_reason: "length" });
    expect(recordAt(answer, "usage")).toMatchObject({ prompt_tokens: 13, completion_tokens: 3 });
  });

  it("counts a prompt in usage as its tokenizer does", async () => {
    const url = await start();
    const prompt = "a longer prompt,  with\nwhite space and wörds";
    const { tokens } = await json(post(`${url}/tokenize`, { content: prompt }));
    const { usage } = await json(post(`${url}/v1/completions`, { prompt, max_tokens: 1 }));
    expect(usage).toMatchObject({ prompt_tokens: (tokens as unknown[]).length });
    expect(await json(post(`${url}/detokenize`, { tokens }))).toEqual({ content: prompt });
  });

  it("reuses a cached prompt, unless it is told not to", async () => {
    const url = await start();
    const cached: unknown[] = [];
    for (const cache_prompt of [true, true, false]) {
      const answer = await json(
        post(`${url}/v1/completions`, { prompt: "one two three", max_tokens: 1, cache_prompt }),
      );
      cached.push(recordAt(recordAt(answer, "usage"), "prompt_tokens_details")?.["cached_tokens"]);
    }
    // "one", " two", " thre", "e": all but the last, which gives the first output token.
    expect(cached).toEqual([0, 3, 0]);
  });

  it("refuses a prompt that does not fit the context, with both sizes", async () => {
    const url = await start({ ...FAST, contextTokens: 64 });
    const response = await post(`${url}/v1/completions`, { prompt: "word ".repeat(100) });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { type: "exceed_context_size_error", code: "context_length_exceeded", n_ctx: 64 },
    });
  });
});

describe("Ollama API", () => {
  it("streams lines and ends with durations in nanoseconds that add up", async () => {
    const url = await start({ ...FAST, loadMs: 1000 });
    const chat = await lines(post(`${url}/api/chat`, { ...CHAT, options: { num_predict: 4 } }));
    const last = chat.at(-1);
    expect(chat.map((line) => line?.["done"])).toEqual([false, false, false, false, true]);
    expect(chat.slice(0, 4).every((line) => textAt(recordAt(line, "message"), "content") !== "")).toBe(true);
    expect(last).toMatchObject({ done_reason: "length", prompt_eval_count: 13, eval_count: 4 });
    // One second of loading at a speed of 500.
    expect(last?.["load_duration"]).toBe(NS_PER_S / 500);
    const parts = ["load_duration", "prompt_eval_duration", "eval_duration"].map(
      (key) => amountAt(last, key) ?? 0,
    );
    expect(last?.["total_duration"]).toBe(parts.reduce((sum, part) => sum + part, 0));
  });

  it("generates plain completions, streamed or whole", async () => {
    const url = await start();
    const request = { model: MODEL, prompt: "sail", options: { num_predict: 3 } };
    const streamed = (await lines(post(`${url}/api/generate`, request)))
      .map((line) => textAt(line, "response"))
      .join("");
    const whole = await json(post(`${url}/api/generate`, { ...request, stream: false }));
    expect(whole).toMatchObject({ response: streamed, done: true, eval_count: 3 });
  });

  it("loads on an empty prompt, shows what is loaded, and unloads on keep_alive 0", async () => {
    const url = await start({ ...FAST, loadMs: 1000 });
    expect(await json(fetch(`${url}/api/ps`))).toEqual({ models: [] });
    const options = { num_ctx: 512, num_gpu: 10 };
    expect(await json(post(`${url}/api/generate`, { model: MODEL, options }))).toMatchObject({
      done_reason: "load",
    });
    const [entry] = listAt(await json(fetch(`${url}/api/ps`)), "models").map(asRecord);
    expect(entry).toMatchObject({ name: MODEL, context_length: 512 });
    // 10 of 33 layers on the card.
    expect((amountAt(entry, "size_vram") ?? 0) / (amountAt(entry, "size") ?? 0)).toBeCloseTo(10 / 33, 6);
    expect(await json(post(`${url}/api/generate`, { model: MODEL, keep_alive: 0 }))).toMatchObject({
      done_reason: "unload",
    });
    expect(await json(fetch(`${url}/api/ps`))).toEqual({ models: [] });
  });

  it("unloads after a request with keep_alive 0, when the last other request has ended", async () => {
    const clock = new VirtualClock();
    const url = await start({ loadMs: 0 }, clock);
    const ask = (num_predict: number, more: object): Promise<Response> =>
      post(`${url}/api/generate`, {
        model: MODEL,
        prompt: "x",
        stream: false,
        options: { num_predict },
        ...more,
      });
    const short = ask(2, { keep_alive: 0 });
    const long = ask(20, {});
    await waitFor(async () => {
      await clock.advanceTo(clock.nowNs() + 1);
      return (await busySlots(url)).length === 2;
    });
    // Two steps of some 8 ms end the short answer, twenty the long one.
    await clock.advanceTo(clock.nowNs() + 50 * NS_PER_MS);
    await short;
    expect(listAt(await json(fetch(`${url}/api/ps`)), "models")).toHaveLength(1);
    await clock.advanceTo(clock.nowNs() + NS_PER_S);
    await long;
    expect(await json(fetch(`${url}/api/ps`))).toEqual({ models: [] });
  });

  it("clamps layers and context to the model, so that 60 and 80 layers are the same load", async () => {
    const url = await start({ ...FAST, loadMs: 1000 });
    const loads: unknown[] = [];
    for (const num_gpu of [60, 80, 10]) {
      const answer = await json(
        post(`${url}/api/generate`, {
          model: MODEL,
          prompt: "x",
          stream: false,
          options: { num_gpu, num_predict: 1 },
        }),
      );
      loads.push(amountAt(answer, "load_duration"));
    }
    expect(loads).toEqual([NS_PER_S / 500, 0, NS_PER_S / 500]);
  });

  it("cuts the beginning of a prompt that does not fit", async () => {
    const url = await start();
    const answer = await json(
      post(`${url}/api/generate`, {
        model: MODEL,
        prompt: "word ".repeat(1000),
        stream: false,
        options: { num_ctx: 100, num_predict: 10 },
      }),
    );
    expect(answer).toMatchObject({ prompt_eval_count: 90, eval_count: 10 });
  });

  it("describes its model", async () => {
    const url = await start({ ...FAST, models: ["gemma3:latest"] });
    expect(await json(post(`${url}/api/show`, { model: "gemma3" }))).toMatchObject({
      model_info: { "general.architecture": "gemma3", "gemma3.block_count": 34 },
    });
    expect(await json(fetch(`${url}/api/tags`))).toMatchObject({ models: [{ name: "gemma3:latest" }] });
  });
});

describe("llama-server API", () => {
  it("answers 503 while it loads and then serves", async () => {
    const clock = new VirtualClock();
    const url = await start({ like: "llama-server", loadMs: 1000 }, clock);
    for (const path of ["/health", "/props", "/slots"]) expect((await fetch(url + path)).status).toBe(503);
    expect((await post(`${url}/v1/completions`, { prompt: "x" })).status).toBe(503);
    await clock.advanceTo(2 * NS_PER_S);
    expect(await json(fetch(`${url}/health`))).toEqual({ status: "ok" });
    expect(await json(fetch(`${url}/props`))).toMatchObject({
      total_slots: 4,
      default_generation_settings: { n_ctx: 8192 },
    });
  });

  it("shows which slots are busy, and decodes in the slot that was asked for", async () => {
    const clock = new VirtualClock();
    const url = await start({ slots: 2, loadMs: 0 }, clock);
    const answer = post(`${url}/v1/completions`, {
      prompt: "x",
      max_tokens: 2,
      ignore_eos: true,
      id_slot: 1,
    });
    await waitFor(async () => {
      await clock.advanceTo(clock.nowNs() + 1);
      return (await busySlots(url)).length > 0;
    });
    expect(await busySlots(url)).toEqual([1]);
    await clock.advanceTo(NS_PER_S);
    await answer;
    expect(await busySlots(url)).toEqual([]);
  });

  it("counts tokens in its metrics", async () => {
    const url = await start();
    await json(post(`${url}/v1/completions`, { prompt: "one two three", max_tokens: 6, ignore_eos: true }));
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain("llamacpp:prompt_tokens_total 4\n");
    expect(metrics).toContain("llamacpp:tokens_predicted_total 6\n");
    expect(metrics).toContain("llamacpp:requests_processing 0\n");
  });
});

describe("a client that leaves", () => {
  it.each(["before its first token", "in the middle of its stream"])("frees its slot %s", async (when) => {
    const clock = new VirtualClock();
    const url = await start({ slots: 1, loadMs: 0 }, clock);
    const abort = new AbortController();
    const answer = post(
      `${url}/v1/completions`,
      { prompt: "x", max_tokens: 5000, ignore_eos: true, stream: true },
      abort.signal,
    );
    await waitFor(async () => {
      await clock.advanceTo(clock.nowNs() + 1);
      return (await busySlots(url)).length > 0;
    });
    if (when === "in the middle of its stream") {
      await clock.advanceTo(clock.nowNs() + NS_PER_S);
      await answer;
    }
    abort.abort();
    await answer.catch(() => undefined);
    // The clock stands still: nothing but the closed connection can free the slot.
    await waitFor(async () => (await busySlots(url)).length === 0);
  });
});

describe("errors", () => {
  it("have the form of the API that was asked", async () => {
    const url = await start();
    for (const [path, body, status, error] of [
      ["/v1/completions", "{bad", 400, { type: "invalid_request_error" }],
      ["/v1/completions", { model: "nope", prompt: "x" }, 404, { code: "model_not_found" }],
      ["/v1/completions", { prompt: 7 }, 400, { type: "invalid_request_error" }],
      ["/v1/completions", { prompt: "x", max_tokens: 0 }, 400, { type: "invalid_request_error" }],
      ["/v1/completions", { prompt: "x", id_slot: 4 }, 400, { type: "invalid_request_error" }],
      ["/v1/chat/completions", { messages: "x" }, 400, { type: "invalid_request_error" }],
      ["/v1/nowhere", {}, 404, { type: "not_found_error" }],
    ] as const) {
      const response = await post(url + path, body);
      expect(response.status).toBe(status);
      expect(response.headers.get("x-slipway-simulated")).toBe("1");
      expect(await response.json()).toMatchObject({ error });
    }
    for (const [path, body, status, error] of [
      ["/api/chat", "{bad", 400, /^invalid JSON/],
      ["/api/chat", { model: "nope" }, 404, /^model 'nope' not found$/],
      ["/api/generate", {}, 400, /^model is required$/],
      ["/api/show", { model: "nope" }, 404, /not found/],
    ] as const) {
      const response = await post(url + path, body);
      expect(response.status).toBe(status);
      expect(textAt(asRecord(await response.json()), "error")).toMatch(error);
    }
  });

  it("of options are operator errors that name the value", async () => {
    for (const options of [
      { gpu: "abacus" },
      { shape: "round" },
      { slots: 0 },
      { speed: 0 },
      { port: 70_000 },
    ])
      await expect(startSimulatedEngine(options, realClock)).rejects.toMatchObject({
        code: "FLAG_INVALID",
        received: Object.values(options)[0],
      });
  });

  it("of a taken port say so", async () => {
    const port = Number(new URL(await start()).port);
    await expect(startSimulatedEngine({ port }, realClock)).rejects.toMatchObject({ code: "PORT_IN_USE" });
  });
});

describe("flavours", () => {
  it("answer only their own routes beside OpenAI's", async () => {
    for (const [like, has, lacks] of [
      ["ollama", "/api/version", "/props"],
      ["llama-server", "/props", "/api/version"],
      ["openai", "/v1/models", "/api/version"],
    ] as const) {
      const url = await start({ ...FAST, like });
      await loaded(url);
      expect((await fetch(url + has)).status).toBe(200);
      expect((await fetch(url + lacks)).status).toBe(404);
      expect(await json(fetch(`${url}/slipway/engine`))).toMatchObject({ simulated: true, like });
    }
  });
});

async function busySlots(url: string): Promise<unknown[]> {
  const { slots } = await json(fetch(`${url}/slipway/slots`));
  return (slots as { id: number; busy: boolean }[]).filter(({ busy }) => busy).map(({ id }) => id);
}

function loaded(url: string): Promise<void> {
  return waitFor(async () => (await json(fetch(`${url}/slipway/engine`)))["loaded"] === true);
}

/** Asks again and again; each question is an exchange with the server, so its loop turns meanwhile. */
async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition()));
}
